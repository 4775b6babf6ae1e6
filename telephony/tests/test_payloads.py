"""The carrier's parameters become our own shapes, or one of two named refusals; never anything else."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.failures import FailureReason
from messaging.sms import DeliveryReport, InboundMedia, InboundText, ReportedState
from telephony import payloads, states
from telephony.payloads import NoSender, NotUnderstood
from telephony.tests.wire import OUR_NUMBER, THEIR_NUMBER, inbound_form, status_form

PUBLIC_ID = UUID("6f1c2b1e-1234-4321-9876-123456789012")


def test_a_text_has_what_the_webhook_says() -> None:
    text = payloads.inbound_text(inbound_form(MessageSid="SM1", Body="Hello", OptOutType="stop"))
    assert text == InboundText(
        carrier_id="SM1", from_address=THEIR_NUMBER, to_number=OUR_NUMBER, body="Hello", media=(), opt_out_type="STOP"
    )


def test_only_the_first_ten_pictures_are_looked_at() -> None:
    """The carrier takes no more than ten."""
    form = inbound_form(**{f"MediaUrl{n}": f"https://api.twilio.com/ME{n}" for n in range(12)})
    assert [media.url[-3:] for media in payloads.inbound_text(form).media] == [f"ME{n}" for n in range(10)]


def test_a_picture_without_an_address_is_none_and_one_without_a_type_has_none() -> None:
    form = inbound_form(MediaUrl0="", MediaContentType0="image/png", MediaUrl1="https://api.twilio.com/ME1")
    assert payloads.inbound_text(form).media == (InboundMedia("https://api.twilio.com/ME1", ""),)


def test_addresses_lose_blanks_around_them_and_names_keep_those_within() -> None:
    text = payloads.inbound_text(inbound_form(From="  ACME Court \t", To=f" {OUR_NUMBER} "))
    assert (text.from_address, text.to_number) == ("ACME Court", OUR_NUMBER)


def test_an_address_is_cut_to_what_the_table_holds() -> None:
    assert payloads.inbound_text(inbound_form(From="x" * 65)).from_address == "x" * 64


@pytest.mark.parametrize("sender", [None, "", "  ", "\0\x1f"])
def test_a_text_of_nobody_has_no_sender(sender: str | None) -> None:
    with pytest.raises(NoSender):
        payloads.inbound_text(inbound_form(From=sender))


@pytest.mark.parametrize("sid", ["", "\0", "x" * 65])
def test_a_text_without_a_usable_id_is_not_understood(sid: str) -> None:
    with pytest.raises(NotUnderstood, match="MessageSid"):
        payloads.inbound_text(inbound_form(MessageSid=sid, SmsSid=""))


def test_a_report_has_what_the_callback_says() -> None:
    form = status_form("undelivered", "SM1", ErrorCode="30003")
    assert payloads.delivery_report(form, str(PUBLIC_ID)) == DeliveryReport(
        PUBLIC_ID, "SM1", ReportedState.UNDELIVERED, FailureReason.PHONE_OFF, 30003
    )


def test_a_report_of_no_failure_has_no_reason() -> None:
    form = status_form("delivered", "SM1", ErrorCode="30003")
    report = payloads.delivery_report(form, str(PUBLIC_ID))
    assert report == DeliveryReport(PUBLIC_ID, "SM1", ReportedState.DELIVERED, None, None)


@pytest.mark.parametrize("word", ["received", "receiving", "partially_delivered", "", "DELIVERED", "teleported"])
def test_a_word_that_moves_no_text_is_no_report_whatever_else_is_wrong(word: str) -> None:
    assert payloads.delivery_report(status_form(word, ""), "no id") is None


@pytest.mark.parametrize("public_id", ["", "7", "6f1c2b1e-1234-4321-9876-12345678901", "\0", "x" * 10_000])
def test_a_report_that_names_no_text_is_not_understood(public_id: str) -> None:
    with pytest.raises(NotUnderstood, match="m"):
        payloads.delivery_report(status_form("delivered", "SM1"), public_id)


def test_failures_are_these() -> None:
    assert [state for state in ReportedState if states.is_failure(state)] == [
        ReportedState.FAILED,
        ReportedState.UNDELIVERED,
    ]


names = st.sampled_from([
    "From", "To", "Body", "MessageSid", "SmsSid", "MediaUrl0", "MediaContentType0", "MediaUrl9", "OptOutType",
    "MessageStatus", "SmsStatus", "ErrorCode",
])  # fmt: skip
forms = st.dictionaries(names, st.text(max_size=100) | st.sampled_from(["delivered", "failed", "30003", "SM1"]))


@given(forms)
def test_any_form_is_a_text_or_refused_by_name(form: dict[str, str]) -> None:
    try:
        text = payloads.inbound_text(form)
    except (NoSender, NotUnderstood):
        return
    said = [text.carrier_id, text.from_address, text.to_number, text.body, *(media.url for media in text.media)]
    assert not any("\0" in value or "\x1b" in value for value in said)
    assert text.from_address
    assert 0 < len(text.carrier_id) <= 64


@given(forms, st.text(max_size=50) | st.just(str(PUBLIC_ID)))
def test_any_callback_is_a_report_or_refused_by_name(form: dict[str, str], public_id: str) -> None:
    try:
        report = payloads.delivery_report(form, public_id)
    except NotUnderstood:
        return
    if report is not None:
        assert states.is_failure(report.state) == (report.reason is not None)
