"""The switches themselves, and the client for them."""

import time

import pytest
import requests

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PhonesError, PocketPhones
from telephony.simulator.loopback import _is_loopback
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA
from telephony.tests.simulator.conftest import Sender


def test_exactly_one_message_reached_the_phone(send: Sender, phones: PocketPhones) -> None:
    sid = send("Court is at 9").sid
    arrived = phones.wait_for(MARIA, "Court")
    assert (arrived.sender, arrived.body, arrived.message_sid, arrived.by) == (
        DEPARTMENT, "Court is at 9", sid, "department",
    )  # fmt: skip
    phones.wait_until_quiet()
    assert len(phones.received(MARIA)) == 1
    assert phones.received(ALI) == []


def test_callbacks_of_a_message(send: Sender, phones: PocketPhones) -> None:
    sid = send().sid
    phones.wait_until_quiet()
    assert phones.callbacks(sid) == ["sent", "delivered"]


def test_log_can_be_read_on_from_a_place(send: Sender, phones: PocketPhones) -> None:
    send("one")
    phones.wait_until_quiet()
    seen = phones.log()[-1]["id"]
    assert phones.log(after=seen) == []
    phones.text(ALI, DEPARTMENT, "Hi")
    assert [entry["kind"] for entry in phones.log(after=seen)] == ["posted"]


def test_waiting_in_vain_says_what_did_arrive(send: Sender, phones: PocketPhones) -> None:
    send("Something else")
    phones.wait_for(MARIA, "Something")
    with pytest.raises(TimeoutError, match="Something else"):
        phones.wait_for(MARIA, "Court", timeout=0.05)


def test_ready_names_the_accounts_numbers(phones: PocketPhones) -> None:
    assert phones.ready() == {"ready": True, "numbers": ["+18015550100", "+18015550199"], "pending": 0}


def test_nobody_listening_is_a_timeout(unused_port: int) -> None:
    with pytest.raises(TimeoutError):
        PocketPhones(f"http://127.0.0.1:{unused_port}").wait_until_ready(0.1)


@pytest.fixture
def unused_port() -> int:
    return 9


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/control/texts", "{}", "from"),
        ("/control/texts", "[]", "object"),
        ("/control/texts", "nonsense", "JSONDecodeError"),
        ("/control/timing", '{"sent": 2, "delivered": 1}', "delivered"),
        ("/control/timing", '{"read": 2}', "read"),
        ("/control/account", '{"wealth": 2}', "wealth"),
        ("/control/account", '{"services": [{"colour": "red"}]}', "colour"),
        ("/control/faults", '{"kind": "slow", "colour": "red"}', "colour"),
        ("/control/clock", "{}", "advance"),
    ],
)
def test_nonsense_is_a_400_in_words(config: PhonesConfig, path: str, body: str, word: str) -> None:
    answer = requests.post(config.base_url + path, data=body, timeout=5)
    assert answer.status_code == 400
    assert word in answer.text


def test_error_of_a_switch_is_raised(phones: PocketPhones) -> None:
    with pytest.raises(PhonesError, match="400"):
        phones.timing(sent=-1)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("10.0.0.5", False),
        ("", False),
        ("fe80::1%eth0", False),
    ],
)
def test_switches_are_for_this_machine_only(address: str, here: bool) -> None:
    assert _is_loopback(address) is here


def test_other_sites_cannot_switch(config: PhonesConfig) -> None:
    answer = requests.post(f"{config.base_url}/control/reset", headers={"Sec-Fetch-Site": "cross-site"}, timeout=5)
    assert answer.status_code == 403


def test_hundred_texts_take_seconds_not_minutes(phones: PocketPhones, send: Sender) -> None:
    phones.timing(sent=0, delivered=0)
    started = time.monotonic()
    for number in range(100):
        send(f"text {number}", status_callback="")
    phones.wait_until_quiet()
    assert len(phones.received(MARIA)) == 100
    assert time.monotonic() - started < 5
