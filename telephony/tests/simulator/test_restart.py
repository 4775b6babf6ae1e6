"""The state file outlives the process: messages, opt-outs, faults, and what was still to happen."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PhonesError, PocketPhones
from telephony.simulator.threaded import phones_in_thread
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA, client_for, post_message
from telephony.tests.simulator.product import INBOUND, STATUS, Answer, Product

FORM = {"To": MARIA, "From": DEPARTMENT, "Body": "Hello"}


def test_pending_deliveries_and_callbacks_go_on_after_a_restart(product: Product, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with phones_in_thread(product_url=product.url, state=state) as before:
        before.control.timing(sent=0.3, delivered=0.6)
        assert post_message(before.config, **FORM, StatusCallback=product.status_url).status_code == 201
    assert product.at(STATUS) == []
    with phones_in_thread(product_url=product.url, state=state, port=before.config.port) as after:
        after.control.wait_for(MARIA, "Hello")
        sent, delivered = product.wait_for(STATUS, 2)
        after.control.wait_until_quiet()
        assert (sent["MessageStatus"], delivered["MessageStatus"]) == ("sent", "delivered")
        assert len(after.control.received(MARIA)) == 1


def test_a_queue_and_a_late_callback_are_as_long_as_before_after_a_restart(product: Product, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with phones_in_thread(product_url=product.url, state=state) as before:
        before.control.timing(sent=0, delivered=0)
        before.control.account(segments_per_second=0.01)
        before.control.faults("callback_late", seconds=7200)
        assert post_message(before.config, **FORM, StatusCallback=product.status_url).status_code == 201
        assert post_message(before.config, **{**FORM, "Body": "in the queue"}).status_code == 201
        before.control.wait_for(MARIA, "Hello")
    with phones_in_thread(product_url=product.url, state=state, port=before.config.port) as after:
        assert [text.body for text in after.control.received(MARIA)] == ["Hello"]
        after.control.advance(100)
        after.control.wait_for(MARIA, "in the queue")
        assert product.at(STATUS) == []
        after.control.advance(7200)
        # Both are due at the same moment, and nothing keeps one behind the other on their way.
        assert {request["MessageStatus"] for request in product.wait_for(STATUS, 2)} == {"sent", "delivered"}


def test_messages_opt_outs_faults_and_settings_are_kept(product: Product, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with phones_in_thread(product_url=product.url, state=state) as before:
        before.control.text(MARIA, DEPARTMENT, "STOP")
        before.control.faults("server_error", times=3)
        before.control.account(trial=True)
        before.control.advance(3600)
    with phones_in_thread(product_url=product.url, state=state) as after:
        twilio = client_for(after.config)
        (message,) = twilio.messages.list()
        twilio.http_client.close()
        assert message.body == "STOP"
        assert after.control.received(MARIA)[0].by == "carrier"
        assert after.control.active_faults()[0]["times"] == 3
        assert after.control.account()["trial"] is True


def test_reset_forgets_all_of_it(product: Product, phones: PocketPhones) -> None:
    phones.text(MARIA, DEPARTMENT, "STOP")
    phones.faults("server_error")
    phones.account(trial=True)
    phones.reset()
    assert (phones.log(), phones.active_faults(), phones.ready()["pending"]) == ([], [], 0)
    assert phones.account()["trial"] is False


def test_text_to_no_number_at_all_is_refused_in_words(product: Product, tmp_path: Path) -> None:
    with (
        phones_in_thread(product_url=product.url, state=tmp_path / "s.sqlite3", numbers=[]) as running,
        pytest.raises(PhonesError, match="no numbers"),
    ):
        running.control.text(MARIA, body="Hi")


def test_stops_at_once_though_everybody_hangs(product: Product, tmp_path: Path) -> None:
    product.answer(Answer(seconds=1.0))
    with phones_in_thread(product_url=product.url, state=tmp_path / "s.sqlite3") as running:
        running.control.faults("hang", seconds=60)
        waiting = [
            threading.Thread(target=_ignoring_errors, args=[post_message, running.config], kwargs=FORM),
            threading.Thread(target=_ignoring_errors, args=[_type_on_the_page, running.config]),
        ]
        for thread in waiting:
            thread.start()
        product.wait_for(INBOUND)
        running.control.wait_for(MARIA, "Hello")
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    for thread in waiting:
        thread.join()


def _type_on_the_page(config: PhonesConfig) -> None:
    requests.post(f"{config.base_url}/phones/{MARIA}/texts", data={"to": DEPARTMENT, "body": "Hi"}, timeout=5)


def _ignoring_errors(call: Callable[..., object], *args: object, **form: str) -> None:
    with suppress(requests.exceptions.RequestException):
        call(*args, **form)
