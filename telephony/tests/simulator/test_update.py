"""Fetching, redacting, cancelling, deleting (12.6)."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA
from telephony.tests.simulator.conftest import Sender


def test_fetched_message_has_date_and_price_when_sent(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    sid = send("x" * 161).sid
    phones.wait_until_quiet()
    message = twilio.messages(sid).fetch()
    assert (message.status, message.price, message.price_unit) == ("delivered", "-0.01500", "USD")
    assert message.date_sent is not None


def test_unknown_message_is_a_404(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_redacted_text_is_gone_from_the_account_and_stays_on_the_phone(
    send: Sender, twilio: Client, phones: PocketPhones
) -> None:
    sid = send("private").sid
    phones.wait_until_quiet()
    assert twilio.messages(sid).update(body="").body == ""
    assert twilio.messages(sid).fetch().body == ""
    assert [text.body for text in phones.received(MARIA)] == ["private"]


def test_text_cannot_be_rewritten(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    sid = send("private").sid
    phones.wait_until_quiet()
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages(sid).update(body="something else")
    assert caught.value.status == 400
    assert twilio.messages(sid).fetch().body == "private"


def test_deleted_message_is_gone(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    sid = send().sid
    phones.wait_until_quiet()
    assert twilio.messages(sid).delete() is True
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages(sid).fetch()
    assert caught.value.status == 404
    assert twilio.messages.list() == []


def test_inbound_message_can_be_deleted(twilio: Client, phones: PocketPhones) -> None:
    sid = phones.text(MARIA, DEPARTMENT, "Hi").sid
    assert twilio.messages(sid).delete() is True


def test_message_on_its_way_can_be_neither_deleted_nor_redacted(
    send: Sender, twilio: Client, phones: PocketPhones
) -> None:
    phones.timing(sent=60, delivered=60)
    sid = send().sid
    for attempt in (twilio.messages(sid).delete, lambda: twilio.messages(sid).update(body="")):
        with pytest.raises(TwilioRestException) as caught:
            attempt()
        assert (caught.value.status, caught.value.code) == (409, 20009)


def test_message_without_a_receipt_can_be_deleted_after_an_hour(
    send: Sender, twilio: Client, phones: PocketPhones
) -> None:
    phones.faults("stuck_sent")
    sid = send().sid
    phones.wait_until_quiet()
    with pytest.raises(TwilioRestException):
        twilio.messages(sid).delete()
    phones.advance(3700)
    assert twilio.messages(sid).delete() is True


def test_message_that_is_not_scheduled_cannot_be_cancelled(send: Sender, twilio: Client) -> None:
    sid = send().sid
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages(sid).update(status="canceled")
    assert caught.value.code == 30409
