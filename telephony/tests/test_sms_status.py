"""What the carrier reports of our texts: any word, any order, twice or before its own answer, ends the same."""

import itertools
from collections.abc import Iterable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Department
from clients.models import CaseAssignment, ConversationEvent, PhoneNumber
from messaging import delivery
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import Accepted, NotTaken, Refused, Unclear
from telephony.tests import wire
from telephony.tests.everything_logged import everything_logged
from telephony.tests.wire import STATUS, new_sid, post, status_form
from tests.builders import make_client, make_department, make_incoming, make_outgoing, make_user, number_of
from tests.threads import at_once

State = Message.State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def department() -> Department:
    return make_department(phone_number=wire.OUR_NUMBER)


@pytest.fixture
def maria(department: Department) -> CaseAssignment:
    return make_client(make_user(department), address=wire.THEIR_NUMBER)


@pytest.fixture
def sid() -> str:
    return new_sid()


@pytest.fixture
def message(maria: CaseAssignment, sid: str) -> Message:
    """Handed over and accepted; what becomes of it is still to be reported."""
    return make_outgoing(maria, state=State.ACCEPTED, carrier_id=sid)


def report(message: Message, status: str, sid: str, **changes: str | None) -> None:
    """Posts a status callback to the address that was given with this message."""
    response = post(f"{STATUS}?m={message.public_id}", status_form(status, sid, **changes))
    assert_taken(response)


def assert_taken(response: Any) -> None:
    assert (response.status_code, response.content) == (204, b"")


def after(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("accepted", State.ACCEPTED),
        ("scheduled", State.ACCEPTED),
        ("queued", State.ACCEPTED),
        ("sending", State.ACCEPTED),
        ("sent", State.SENT),
        ("delivered", State.DELIVERED),
        ("read", State.DELIVERED),
        ("undelivered", State.UNDELIVERED),
        ("failed", State.FAILED),
        ("canceled", State.FAILED),
        # Not said of outgoing texts, unknown, or empty: nothing moves.
        ("receiving", State.ACCEPTED),
        ("received", State.ACCEPTED),
        ("partially_delivered", State.ACCEPTED),
        ("Delivered", State.ACCEPTED),
        ("teleported", State.ACCEPTED),
        ("\0", State.ACCEPTED),
        ("", State.ACCEPTED),
    ],
)
def test_each_of_the_carriers_words_has_one_meaning(message: Message, sid: str, word: str, state: State) -> None:
    report(message, word, sid)
    assert after(message).state == state
    assert after(message).carrier_id == sid


def test_the_older_names_of_the_parameters_will_do(message: Message, sid: str) -> None:
    report(message, "delivered", sid, MessageStatus=None, MessageSid=None)
    assert after(message).state == State.DELIVERED


def test_a_report_without_a_word_changes_nothing(message: Message, sid: str) -> None:
    report(message, "delivered", sid, MessageStatus=None, SmsStatus=None)
    assert after(message).state == State.ACCEPTED


def test_parameters_that_nobody_knows_are_ignored(message: Message, sid: str) -> None:
    report(message, "delivered", sid, CarrierMood="thoughtful", RawDlrDoneDate="2611222130", Überraschung="\0")
    assert after(message).state == State.DELIVERED


@pytest.mark.embedded
@pytest.mark.parametrize("words", list(itertools.permutations(["queued", "sent", "delivered"])))
def test_in_any_order_and_doubled_a_delivered_text_ends_delivered(
    message: Message, sid: str, words: Iterable[str]
) -> None:
    for word in words:
        report(message, word, sid)
        report(message, word, sid)
    assert after(message).state == State.DELIVERED


@pytest.mark.parametrize("words", list(itertools.permutations(["sent", "failed", "undelivered", "delivered"])))
def test_the_best_of_contradicting_last_words_wins(message: Message, sid: str, words: Iterable[str]) -> None:
    for word in words:
        report(message, word, sid, ErrorCode=None if word in ("sent", "delivered") else "30003")
    reached = after(message)
    assert reached.state == State.DELIVERED
    assert (reached.failure_reason, reached.error_code) == ("", None)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_all_reports_at_once_end_as_one_after_the_other(message: Message, sid: str) -> None:
    words = iter(["queued", "sending", "sent", "delivered"] * 4)
    at_once(lambda: report(message, next(words), sid), times=16)
    assert after(message).state == State.DELIVERED


# --- Why it failed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "stored"),
    [
        ("30003", FailureReason.PHONE_OFF, 30003),
        ("30005", FailureReason.UNKNOWN_NUMBER, 30005),
        ("30006", FailureReason.NOT_A_MOBILE, 30006),
        ("30007", FailureReason.FILTERED, 30007),
        ("30008", FailureReason.UNEXPLAINED, 30008),
        ("99999", FailureReason.UNEXPLAINED, 99999),
        (None, FailureReason.UNEXPLAINED, None),
        ("", FailureReason.UNEXPLAINED, None),
        ("abc", FailureReason.UNEXPLAINED, None),
        ("-1", FailureReason.UNEXPLAINED, None),
        ("30003.5", FailureReason.UNEXPLAINED, None),
        ("٣٠٠٠٣", FailureReason.UNEXPLAINED, None),
        ("9" * 30, FailureReason.UNEXPLAINED, None),
        ("999999999", FailureReason.UNEXPLAINED, 999_999_999),
    ],
)
@pytest.mark.parametrize("word", ["failed", "undelivered"])
def test_a_failure_says_why(
    message: Message, sid: str, word: str, code: str | None, reason: FailureReason, stored: int | None
) -> None:
    report(message, word, sid, ErrorCode=code)
    failed = after(message)
    assert failed.state == word
    assert (failed.failure_reason, failed.error_code) == (reason, stored)


def test_an_error_code_on_a_text_that_arrived_is_no_failure(message: Message, sid: str) -> None:
    report(message, "delivered", sid, ErrorCode="30003")
    assert (after(message).failure_reason, after(message).error_code) == ("", None)


def test_the_list_shows_that_a_text_failed(message: Message, sid: str, maria: CaseAssignment) -> None:
    report(message, "undelivered", sid, ErrorCode="30003")
    maria.refresh_from_db()
    assert maria.last_outgoing_failed


@pytest.mark.embedded
@pytest.mark.parametrize("code", ["21610", "30004"])
def test_a_text_refused_for_an_opt_out_marks_the_number_and_holds_what_waits(
    message: Message, sid: str, maria: CaseAssignment, code: str
) -> None:
    waiting = make_outgoing(maria, "Are you there?")
    report(message, "failed", sid, ErrorCode=code)
    report(message, "failed", sid, ErrorCode=code)
    number = number_of(maria)
    assert (number.is_opted_out, number.opted_out_source) == (True, PhoneNumber.OptOutSource.CARRIER)
    assert after(waiting).state == State.HELD
    events = ConversationEvent.objects.filter(client=maria.client, kind=ConversationEvent.Kind.OPTED_OUT)
    assert events.count() == 1


# --- Whose text it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["", "?", "?m=", "?m=7", "?m=not-an-id", "?M=6f1c2b1e-1234-4321-9876-123456789012", "?m=%00", "?m=" + "9" * 4_000],
)
def test_a_report_that_names_no_text_is_taken_and_changes_nothing(message: Message, sid: str, query: str) -> None:
    with everything_logged() as log:
        assert_taken(post(STATUS + query, status_form("delivered", sid)))
    assert after(message).state == State.ACCEPTED
    assert "without a usable m" in log.text


def test_a_report_of_a_text_that_we_do_not_have_is_taken_and_said(message: Message, sid: str) -> None:
    query = "?m=6f1c2b1e-1234-4321-9876-123456789012"
    with everything_logged() as log:
        assert_taken(post(STATUS + query, status_form("delivered", new_sid())))
    assert after(message).state == State.ACCEPTED
    assert "that we don't have: 6f1c2b1e-1234-4321-9876-123456789012" in log.text


def test_the_first_of_two_ids_in_the_address_is_no_way_around(message: Message, sid: str) -> None:
    """Django takes the last of them; both were signed, so both are the carrier's own doing."""
    response = post(f"{STATUS}?m=nothing&m={message.public_id}", status_form("delivered", sid))
    assert_taken(response)
    assert after(message).state == State.DELIVERED


@pytest.mark.parametrize("changes", [{"MessageSid": None, "SmsSid": None}, {"MessageSid": "", "SmsSid": ""}])
def test_a_report_without_the_carriers_id_changes_nothing(
    message: Message, sid: str, changes: dict[str, str | None]
) -> None:
    with everything_logged() as log:
        report(message, "delivered", sid, **changes)
    assert after(message).state == State.ACCEPTED
    assert "without a usable MessageSid" in log.text


def test_a_report_never_touches_an_incoming_text(maria: CaseAssignment) -> None:
    incoming = make_incoming(maria)
    assert incoming.carrier_id is not None
    report(incoming, "failed", incoming.carrier_id, ErrorCode="30003")
    assert after(incoming).state == State.RECEIVED


def test_another_carrier_id_for_our_text_means_that_it_went_out_twice(message: Message, sid: str) -> None:
    with everything_logged() as log:
        report(message, "delivered", new_sid())
    assert after(message).state == State.ACCEPTED
    assert after(message).carrier_id == sid
    assert f"message {message.pk} went out twice" in log.text


def test_a_report_with_the_carrier_id_of_another_text_of_ours_changes_neither(
    message: Message, sid: str, maria: CaseAssignment
) -> None:
    """Somebody else's id under our address can't be signed; should the carrier mix them up, nothing is believed."""
    unclear = make_outgoing(maria, "Another", state=State.UNKNOWN)
    with everything_logged() as log:
        report(unclear, "delivered", sid)
    assert (after(unclear).state, after(unclear).carrier_id) == (State.UNKNOWN, None)
    assert (after(message).state, after(message).carrier_id) == (State.ACCEPTED, sid)
    assert f"message {unclear.pk} went out twice, or was mixed up" in log.text


# --- Before, during and after our own call ---------------------------------------------------------------------------


@pytest.fixture
def in_hand(maria: CaseAssignment) -> delivery.Claim:
    """A text that the delivery loop has just claimed: its call is on its way."""
    make_outgoing(maria)
    claim = delivery.claim_next(timezone.now())
    assert isinstance(claim, delivery.Claim)
    return claim


def in_hand_row(claim: delivery.Claim) -> Message:
    return Message.objects.get(pk=claim.message_id)


@pytest.mark.embedded
@pytest.mark.parametrize("word", ["queued", "sent", "delivered"])
def test_a_report_that_comes_before_the_answer_stands(in_hand: delivery.Claim, sid: str, word: str) -> None:
    report(in_hand_row(in_hand), word, sid)
    before = in_hand_row(in_hand)
    assert (before.state, before.carrier_id) == (State.ACCEPTED if word == "queued" else State(word), sid)
    delivery.record_outcome(in_hand, Accepted(sid), now=timezone.now())
    assert (in_hand_row(in_hand).state, in_hand_row(in_hand).carrier_id) == (before.state, sid)


@pytest.mark.parametrize("outcome", [Unclear(), NotTaken(), Refused(FailureReason.SET_UP, 20404)])
def test_a_report_proves_that_the_text_was_taken_whatever_the_answer_says(
    in_hand: delivery.Claim, sid: str, outcome: Unclear | NotTaken | Refused
) -> None:
    report(in_hand_row(in_hand), "delivered", sid)
    delivery.record_outcome(in_hand, outcome, now=timezone.now())
    assert in_hand_row(in_hand).state == State.DELIVERED
    assert not isinstance(delivery.claim_next(timezone.now() + delivery.MAX_BACK_OFF), delivery.Claim)


@pytest.mark.embedded
def test_a_report_clears_up_an_unclear_text(in_hand: delivery.Claim, sid: str) -> None:
    delivery.record_outcome(in_hand, Unclear(), now=timezone.now())
    assert in_hand_row(in_hand).state == State.UNKNOWN
    report(in_hand_row(in_hand), "sent", sid)
    assert (in_hand_row(in_hand).state, in_hand_row(in_hand).carrier_id) == (State.SENT, sid)


def test_a_report_takes_a_text_back_from_the_queue(in_hand: delivery.Claim, sid: str) -> None:
    """The carrier said "too busy" and took it all the same: it must not go out again."""
    delivery.record_outcome(in_hand, NotTaken(), now=timezone.now())
    assert in_hand_row(in_hand).state == State.WAITING
    report(in_hand_row(in_hand), "queued", sid)
    assert in_hand_row(in_hand).state == State.ACCEPTED
    assert delivery.claim_next(timezone.now() + delivery.MAX_BACK_OFF) is None


@pytest.mark.parametrize("word", ["sent", "delivered", "undelivered", "failed"])
def test_a_report_keeps_a_text_from_going_out_again_that_a_restored_backup_takes_for_unsent(
    maria: CaseAssignment, sid: str, word: str
) -> None:
    unsent = make_outgoing(maria)
    report(unsent, word, sid)
    assert (after(unsent).state, after(unsent).carrier_id) == (word, sid)
    assert delivery.claim_next(timezone.now()) is None


def test_reports_are_taken_for_texts_of_clients_who_have_left_the_list(
    message: Message, sid: str, maria: CaseAssignment
) -> None:
    maria.ended_at, maria.end_reason = timezone.now(), CaseAssignment.EndReason.DELETED
    maria.save()
    report(message, "delivered", sid)
    assert after(message).state == State.DELIVERED
