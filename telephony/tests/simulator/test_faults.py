"""What can be made to go wrong with the API itself (12.9-14): did it create a message, and what does the caller see?"""

import time

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PhonesError, PocketPhones
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA, client_for
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import STATUS, Product


def created(twilio: Client) -> int:
    return len(twilio.messages.list())


def test_429_creates_nothing(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    phones.faults("rate_limited")
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert (caught.value.status, caught.value.code) == (429, 20429)
    assert created(twilio) == 0


@pytest.mark.parametrize("status", [500, 503])
def test_server_error_is_html_and_creates_nothing(
    send: Sender, twilio: Client, phones: PocketPhones, status: int
) -> None:
    phones.faults("server_error", code=status)
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert (caught.value.status, caught.value.code) == (status, status)
    assert created(twilio) == 0


@pytest.mark.parametrize("status", [500, 503])
def test_server_error_after_creating(send: Sender, twilio: Client, phones: PocketPhones, status: int) -> None:
    phones.faults("server_error_after", code=status)
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert caught.value.status == status
    assert created(twilio) == 1
    phones.wait_for(MARIA, "Hello")


@pytest.mark.parametrize(("kind", "count"), [("hang", 1), ("hang_before", 0)])
def test_timeout(config: PhonesConfig, twilio: Client, phones: PocketPhones, kind: str, count: int) -> None:
    phones.faults(kind, seconds=5)
    hasty = client_for(config, timeout=0.2)
    with pytest.raises(requests.exceptions.ReadTimeout):
        hasty.messages.create(to=MARIA, from_=DEPARTMENT, body="Hello")
    hasty.http_client.close()
    assert created(twilio) == count


@pytest.mark.parametrize(("kind", "count"), [("hang", 1), ("hang_before", 0), ("reset", 1), ("reset_before", 0)])
def test_line_is_cut(send: Sender, twilio: Client, phones: PocketPhones, kind: str, count: int) -> None:
    phones.faults(kind, seconds=0.05)
    with pytest.raises(requests.exceptions.ConnectionError):
        send()
    assert created(twilio) == count


def test_reset_is_a_reset_and_not_a_close(send: Sender, phones: PocketPhones) -> None:
    phones.faults("reset")
    with pytest.raises(requests.exceptions.ConnectionError, match="reset by peer"):
        send()
    phones.faults("hang", seconds=0)
    with pytest.raises(requests.exceptions.ConnectionError, match="without response"):
        send()


def test_callbacks_come_though_the_answer_was_lost(send: Sender, product: Product, phones: PocketPhones) -> None:
    phones.faults("reset")
    with pytest.raises(requests.exceptions.ConnectionError):
        send()
    sent, delivered = product.wait_for(STATUS, 2)
    assert sent.url.endswith("?m=our-id")
    assert delivered["MessageStatus"] == "delivered"


def test_lost_answer_and_lost_callbacks_together(send: Sender, product: Product, phones: PocketPhones) -> None:
    phones.faults("reset")
    phones.faults("callback_lost")
    with pytest.raises(requests.exceptions.ConnectionError):
        send()
    phones.wait_for(MARIA, "Hello")
    phones.wait_until_quiet()
    assert product.at(STATUS) == []


def test_credentials_are_suddenly_refused(send: Sender, phones: PocketPhones) -> None:
    phones.faults("unauthorized")
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert (caught.value.status, caught.value.code) == (401, 20003)
    assert send().sid


@pytest.mark.parametrize(
    ("code", "status"), [(30034, 400), (21606, 400), (20004, 405), (20005, 401), (20500, 500), (12345, 400)]
)
def test_any_code_can_be_the_refusal(
    send: Sender, twilio: Client, phones: PocketPhones, code: int, status: int
) -> None:
    phones.faults("refused", code=code)
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert (caught.value.status, caught.value.code) == (status, code)
    assert created(twilio) == 0


def test_slow_answer_is_a_good_one(send: Sender, phones: PocketPhones) -> None:
    phones.faults("slow", seconds=0.3)
    started = time.monotonic()
    assert send().status == "queued"
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize(("kind", "status"), [("undelivered", "undelivered"), ("failed", "failed")])
def test_ending_with_a_chosen_code(send: Sender, twilio: Client, phones: PocketPhones, kind: str, status: str) -> None:
    phones.faults(kind, code=30007)
    sid = send().sid
    phones.wait_until_quiet()
    message = twilio.messages(sid).fetch()
    assert (message.status, message.error_code, message.error_message) == (status, 30007, "Message filtered")


def test_fault_strikes_as_often_as_asked(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    phones.faults("rate_limited", times=2)
    for _ in range(2):
        with pytest.raises(TwilioRestException):
            send()
    send()
    assert created(twilio) == 1
    assert phones.active_faults() == []


def test_fault_without_a_count_lasts_until_switched_off(send: Sender, phones: PocketPhones) -> None:
    fault = phones.faults("rate_limited", times=None)
    phones.faults("server_error", number=ALI)
    for _ in range(3):
        with pytest.raises(TwilioRestException) as caught:
            send()
        assert caught.value.code == 20429
    phones.clear_faults(fault)
    assert send().sid
    assert [active["kind"] for active in phones.active_faults()] == ["server_error"]


def test_fault_for_one_number_leaves_others_alone(send: Sender, phones: PocketPhones) -> None:
    phones.faults("rate_limited", number=ALI)
    assert send(to=MARIA).sid
    with pytest.raises(TwilioRestException):
        send(to=ALI)


def test_fault_can_strike_other_requests_than_create(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    phones.faults("server_error", operation="fetch", number=MARIA)
    sid = send().sid
    with pytest.raises(TwilioRestException) as caught:
        twilio.messages(sid).fetch()
    assert caught.value.status == 500
    assert twilio.messages(sid).fetch().sid == sid


def test_refused_request_uses_up_no_fault_of_the_answer(send: Sender, phones: PocketPhones) -> None:
    phones.faults("reset")
    with pytest.raises(TwilioRestException):
        send(body="x" * 1601)
    with pytest.raises(requests.exceptions.ConnectionError):
        send()


def test_too_many_requests_at_once_are_429(send: Sender, phones: PocketPhones) -> None:
    phones.account(concurrent_requests=0)
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert caught.value.code == 20429


def test_unknown_fault_is_refused_in_words(phones: PocketPhones) -> None:
    with pytest.raises(PhonesError, match="meteorite"):
        phones.faults("meteorite")


def test_each_request_is_logged_with_its_fault(send: Sender, phones: PocketPhones) -> None:
    phones.faults("reset")
    with pytest.raises(requests.exceptions.ConnectionError):
        send()
    send()
    entries = phones.log(kind="asked", number=MARIA)
    assert [(entry["operation"], entry["status"], entry["fault"]) for entry in entries] == [
        ("create", None, "reset"),
        ("create", 201, None),
    ]
    assert ["Body", "Hello"] in entries[0]["parameters"]
