"""Status callbacks: which ones, with what, how signed, and what may go wrong with them (section 2, 12.15-23)."""

from dataclasses import replace

from twilio.rest import Client

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import STATUS, Product


def statuses(product: Product) -> list[str]:
    return [request["MessageStatus"] for request in product.at(STATUS)]


def test_sent_and_delivered_are_told_but_not_the_initial_status(
    send: Sender, product: Product, phones: PocketPhones
) -> None:
    send()
    product.wait_for(STATUS, 2)
    phones.wait_until_quiet()
    assert statuses(product) == ["sent", "delivered"]


def test_callback_goes_to_the_messages_url_with_its_query_and_all_parameters(
    send: Sender, product: Product, config: PhonesConfig
) -> None:
    sid = send().sid
    sent, delivered = product.wait_for(STATUS, 2)
    assert sent.url == f"{product.status_url}?m=our-id"
    assert dict(sent.form) == {
        "MessageSid": sid, "SmsSid": sid, "MessageStatus": "sent", "SmsStatus": "sent", "To": MARIA,
        "From": DEPARTMENT, "AccountSid": config.account_sid, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    assert delivered["RawDlrDoneDate"].isdigit()
    assert len(delivered["RawDlrDoneDate"]) == 10
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert sent.headers["user-agent"].startswith("TwilioProxy")


def test_callback_is_signed_over_url_and_form_with_the_primary_token(send: Sender, product: Product) -> None:
    send()
    (sent,) = product.wait_for(STATUS)
    assert sent.is_signed_with("primary-token")
    assert not sent.is_signed_with("old-token")
    without_query = replace(sent, url=product.status_url)
    assert not without_query.is_signed_with("primary-token")


def test_message_without_a_url_has_no_callbacks(send: Sender, product: Product, phones: PocketPhones) -> None:
    send(status_callback="")
    phones.wait_until_quiet()
    assert statuses(product) == []


def test_undelivered_says_why(send: Sender, product: Product, twilio: Client, phones: PocketPhones) -> None:
    sid = send(to="+18015550102").sid
    sent, undelivered = product.wait_for(STATUS, 2)
    assert (sent["MessageStatus"], undelivered["MessageStatus"]) == ("sent", "undelivered")
    assert "ErrorCode" not in sent
    assert undelivered["ErrorCode"] == "30003"
    message = twilio.messages(sid).fetch()
    assert (message.status, message.error_code) == ("undelivered", 30003)
    assert phones.received("+18015550102") == []


def test_failed_never_was_sent(send: Sender, product: Product, phones: PocketPhones) -> None:
    send(to="+18015550103")
    (failed,) = product.wait_for(STATUS)
    phones.wait_until_quiet()
    assert statuses(product) == ["failed"]
    assert failed["ErrorCode"] == "30008"
    assert phones.received("+18015550103") == []


def test_delays_can_be_set(send: Sender, product: Product, phones: PocketPhones) -> None:
    phones.timing(sent=0.01, delivered=60)
    send()
    product.wait_for(STATUS)
    assert phones.ready()["pending"] == 1
    phones.advance(60)
    product.wait_for(STATUS, 2)
    assert statuses(product) == ["sent", "delivered"]


class TestFaults:
    def test_lost(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.faults("callback_lost")
        send()
        phones.wait_for(MARIA, "Hello")
        phones.wait_until_quiet()
        assert statuses(product) == []

    def test_twice(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.faults("callback_doubled")
        send()
        product.wait_for(STATUS, 4)
        phones.wait_until_quiet()
        assert sorted(statuses(product)) == ["delivered", "delivered", "sent", "sent"]

    def test_out_of_order(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.faults("callback_shuffled")
        send()
        product.wait_for(STATUS, 2)
        assert statuses(product) == ["delivered", "sent"]

    def test_before_the_create_answer(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.timing(sent=30, delivered=60)
        phones.faults("callback_early")
        message = send()
        assert product.at(STATUS)[0]["MessageSid"] == message.sid
        assert message.status == "queued"

    def test_hours_late(self, send: Sender, product: Product, phones: PocketPhones, twilio: Client) -> None:
        phones.faults("callback_late", seconds=7200)
        sid = send().sid
        phones.wait_for(MARIA, "Hello")
        assert twilio.messages(sid).fetch().status == "delivered"
        assert statuses(product) == []
        phones.advance(7201)
        product.wait_for(STATUS, 2)

    def test_unknown_status_and_parameters(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.faults("callback_unknown")
        send()
        product.wait_for(STATUS, 4)
        strange = next(request for request in product.at(STATUS) if request["MessageStatus"] == "pondering")
        assert strange["CarrierMood"] == "thoughtful"
        assert strange.is_signed_with("primary-token")

    def test_sent_for_ever(self, send: Sender, product: Product, phones: PocketPhones, twilio: Client) -> None:
        phones.faults("stuck_sent")
        sid = send().sid
        phones.wait_for(MARIA, "Hello")
        phones.wait_until_quiet()
        assert statuses(product) == ["sent"]
        assert twilio.messages(sid).fetch().status == "sent"

    def test_several_at_once(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.faults("callback_doubled")
        phones.faults("callback_late", seconds=7200)
        send()
        phones.wait_for(MARIA, "Hello")
        phones.advance(7201)
        product.wait_for(STATUS, 4)

    def test_for_one_number_only(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        phones.faults("callback_lost", number=ALI, times=None)
        send(to=ALI)
        send(to=MARIA)
        phones.wait_for(ALI, "Hello")
        phones.wait_until_quiet()
        assert {request["To"] for request in product.at(STATUS)} == {MARIA}


def test_callback_is_tried_again_only_when_no_connection_came_about(
    send: Sender, product: Product, phones: PocketPhones
) -> None:
    send(status_callback="http://127.0.0.1:9/nobody")
    phones.wait_for(MARIA, "Hello")
    phones.wait_until_quiet()
    tries = [entry["attempt"] for entry in phones.log(kind="posted") if entry["purpose"] == "status"]
    assert sorted(tries) == [1, 1, 2, 2]
