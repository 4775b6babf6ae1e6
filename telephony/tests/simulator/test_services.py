"""Messaging Services, scheduling, and the queue of each sender (sections 1, 2 and 4; 12.7, 12.24)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA, SECOND_DEPARTMENT
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import STATUS, Product

SERVICE = "MG" + "5e" * 16


@pytest.fixture
def service(phones: PocketPhones, product: Product) -> str:
    phones.account(
        services=[
            {"sid": SERVICE, "numbers": [DEPARTMENT, SECOND_DEPARTMENT], "status_callback": product.status_url},
            {"sid": "MG" + "00" * 16, "numbers": []},
        ]
    )
    return SERVICE


def through(twilio: Client, service: str, **changes: Any) -> Any:
    return twilio.messages.create(**{"to": MARIA, "messaging_service_sid": service, "body": "Hello", **changes})


def in_minutes(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


class TestService:
    def test_picks_the_sender_later_and_says_queued(
        self, twilio: Client, service: str, product: Product, phones: PocketPhones
    ) -> None:
        created = through(twilio, service)
        assert (created.status, created.from_, created.num_segments) == ("accepted", None, "0")
        product.wait_for(STATUS, 3)
        phones.wait_until_quiet()
        assert {request["MessageStatus"] for request in product.at(STATUS)} == {"queued", "sent", "delivered"}
        assert {request["MessagingServiceSid"] for request in product.at(STATUS)} == {SERVICE}
        message = twilio.messages(created.sid).fetch()
        assert message.from_ in (DEPARTMENT, SECOND_DEPARTMENT)
        assert message.num_segments == "1"

    def test_sender_can_be_pinned(self, twilio: Client, service: str) -> None:
        created = through(twilio, service, from_=SECOND_DEPARTMENT)
        assert (created.status, created.from_, created.messaging_service_sid) == ("queued", SECOND_DEPARTMENT, SERVICE)

    def test_same_client_gets_the_same_sender(self, twilio: Client, service: str, phones: PocketPhones) -> None:
        for _ in range(3):
            through(twilio, service)
        phones.wait_until_quiet()
        assert len({text.sender for text in phones.received(MARIA)}) == 1

    def test_messages_own_callback_goes_before_the_services(
        self, twilio: Client, service: str, product: Product, phones: PocketPhones
    ) -> None:
        through(twilio, service, status_callback=f"{product.url}/own/")
        product.wait_for("/own/", 3)
        assert product.at(STATUS) == []

    def test_empty_service_cannot_send(self, twilio: Client, service: str) -> None:
        with pytest.raises(TwilioRestException) as caught:
            through(twilio, "MG" + "00" * 16)
        assert caught.value.code == 21704

    def test_incoming_text_names_the_service_and_goes_to_its_url(self, phones: PocketPhones, product: Product) -> None:
        phones.account(services=[{"sid": SERVICE, "numbers": [DEPARTMENT], "inbound_url": f"{product.url}/in/"}])
        phones.text(MARIA, DEPARTMENT, "Hi")
        assert product.at("/in/")[0]["MessagingServiceSid"] == SERVICE


class TestScheduling:
    def test_goes_out_at_its_time(self, twilio: Client, service: str, product: Product, phones: PocketPhones) -> None:
        created = through(twilio, service, schedule_type="fixed", send_at=in_minutes(20))
        assert (created.status, created.from_, created.date_sent) == ("scheduled", None, None)
        assert product.at(STATUS) == []
        phones.advance(19 * 60)
        assert twilio.messages(created.sid).fetch().status == "scheduled"
        phones.advance(60)
        assert {request["MessageStatus"] for request in product.wait_for(STATUS, 3)} == {"queued", "sent", "delivered"}

    def test_goes_out_from_the_number_it_was_pinned_to(
        self, twilio: Client, service: str, phones: PocketPhones
    ) -> None:
        for sender in (DEPARTMENT, SECOND_DEPARTMENT):
            through(twilio, service, schedule_type="fixed", send_at=in_minutes(20), from_=sender, body=sender)
        phones.advance(20 * 60)
        for sender in (DEPARTMENT, SECOND_DEPARTMENT):
            assert phones.wait_for(MARIA, sender).sender == sender

    def test_cancelled_is_not_sent_and_says_so(
        self, twilio: Client, service: str, product: Product, phones: PocketPhones
    ) -> None:
        sid = through(twilio, service, schedule_type="fixed", send_at=in_minutes(20)).sid
        assert twilio.messages(sid).update(status="canceled").status == "canceled"
        phones.advance(21 * 60)
        phones.wait_until_quiet()
        assert [request["MessageStatus"] for request in product.at(STATUS)] == ["canceled"]
        assert phones.received(MARIA) == []

    def test_opt_out_meanwhile_does_not_cancel_it_and_it_fails_at_its_time(
        self, twilio: Client, service: str, phones: PocketPhones
    ) -> None:
        sid = through(twilio, service, schedule_type="fixed", send_at=in_minutes(20)).sid
        phones.text(MARIA, DEPARTMENT, "STOP")
        assert twilio.messages(sid).fetch().status == "scheduled"
        phones.advance(20 * 60)
        phones.wait_until_quiet()
        message = twilio.messages(sid).fetch()
        assert (message.status, message.error_code) == ("failed", 21610)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"schedule_type": "fixed"}, 35111),
            ({"send_at": in_minutes(4)}, 35114),
            ({"send_at": in_minutes(36 * 24 * 60)}, 35114),  # reckoned when the tests are collected, maybe long before
            ({"send_at": "next Tuesday"}, 35114),
            ({"send_at": in_minutes(20), "messaging_service_sid": "", "from_": DEPARTMENT}, 35118),
        ],
    )
    def test_window(self, twilio: Client, service: str, changes: dict[str, Any], code: int) -> None:
        with pytest.raises(TwilioRestException) as caught:
            through(twilio, service, **changes)
        assert caught.value.code == code


class TestQueue:
    def test_one_segment_a_second_per_sender(self, send: Sender, phones: PocketPhones, twilio: Client) -> None:
        phones.account(segments_per_second=1)
        long = send("x" * 161).sid
        second = send("second").sid
        third = send("third").sid
        other = send("from elsewhere", from_=SECOND_DEPARTMENT, to=ALI).sid
        phones.wait_for(ALI, "from elsewhere")
        assert [twilio.messages(sid).fetch().status for sid in (long, second, third, other)] == [
            "delivered", "queued", "queued", "delivered",
        ]  # fmt: skip
        phones.advance(2)
        phones.wait_for(MARIA, "second")
        assert twilio.messages(third).fetch().status == "queued"
        phones.advance(1)
        phones.wait_for(MARIA, "third")

    def test_without_a_limit_nothing_waits(self, send: Sender, phones: PocketPhones) -> None:
        for number in range(5):
            send(f"text {number}")
        phones.wait_until_quiet(2)
        assert len(phones.received(MARIA)) == 5

    def test_full_queue_refuses(self, send: Sender, phones: PocketPhones) -> None:
        phones.account(segments_per_second=1, queue_hours=2.5 / 3600)
        for _ in range(3):
            send()
        with pytest.raises(TwilioRestException) as caught:
            send()
        assert caught.value.code == 21611
        phones.advance(2)
        assert send().sid

    def test_message_that_waits_too_long_fails(
        self, send: Sender, phones: PocketPhones, product: Product, twilio: Client
    ) -> None:
        phones.account(segments_per_second=0.01)
        send("first")
        late = send("too late", validity_period=30).sid
        phones.advance(29)
        assert twilio.messages(late).fetch().status == "queued"
        phones.advance(2)
        phones.wait_until_quiet()
        message = twilio.messages(late).fetch()
        assert (message.status, message.error_code) == ("failed", 30036)
        told = [request for request in product.at(STATUS) if request["MessageSid"] == late]
        assert [(request["MessageStatus"], request["ErrorCode"]) for request in told] == [("failed", "30036")]
        assert [text.body for text in phones.received(MARIA)] == ["first"]
