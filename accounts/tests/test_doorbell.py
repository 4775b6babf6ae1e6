"""Ringing for a background task: merged, never waiting, never failing, and only for what is committed."""

import logging
import time
from collections.abc import Iterator
from typing import NoReturn

import pytest
from celery import current_app
from django.db import transaction
from kombu import Connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import doorbell
from accounts.doorbell import Doorbell
from tests.threads import wait_until

IN_MEMORY = "memory://doorbell"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"
TASK = "messaging.deliver_due"
OTHER_TASK = "messaging.sweep_unclear"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short times; bells ring into the memory of this process, where the tests can count them."""
    monkeypatch.setattr(doorbell, "MERGE_SECONDS", 0.03)
    monkeypatch.setattr(doorbell, "PAUSE_SECONDS", 0.1)
    use_broker(monkeypatch, IN_MEMORY)


def use_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", url)


@pytest.fixture(autouse=True)
def rung() -> Iterator["Rung"]:
    bells = Rung()
    bells.take()
    yield bells
    bells.take()


class Rung:
    """The bells that a worker would hear."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def take(self) -> list[str]:
        with Connection(IN_MEMORY) as connection:
            queue = connection.SimpleQueue("bells")
            while queue.qsize():
                message = queue.get_nowait()
                message.ack()
                self.names.append(message.headers["task"])
            queue.close()
        taken, self.names = self.names, []
        return taken

    def wait_for(self, *names: str) -> None:
        heard: list[str] = []

        def heard_all() -> bool:
            heard.extend(self.take())
            return len(heard) >= len(names)

        wait_until(heard_all)
        assert sorted(heard) == sorted(names)


def settle() -> None:
    """Longer than rings are merged: what was to be published is published."""
    time.sleep(0.1)


def test_a_ring_is_heard(rung: Rung) -> None:
    Doorbell().ring(TASK)
    rung.wait_for(TASK)


def test_rings_within_a_moment_become_one(rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "MERGE_SECONDS", 0.1)
    bell = Doorbell()
    bell.ring(TASK)
    rung.wait_for(TASK)  # the thread rests now
    for _ in range(50):
        bell.ring(TASK)
    time.sleep(0.25)
    assert rung.take() == [TASK]


def test_rings_for_two_tasks_stay_two(rung: Rung) -> None:
    bell = Doorbell()
    bell.ring(TASK)
    bell.ring(OTHER_TASK)
    rung.wait_for(TASK, OTHER_TASK)


def test_a_later_ring_is_heard_again(rung: Rung) -> None:
    bell = Doorbell()
    for _ in range(3):
        bell.ring(TASK)
        rung.wait_for(TASK)


def test_a_broker_that_is_down_neither_raises_nor_blocks_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    use_broker(monkeypatch, NOBODY_LISTENS)
    bell = Doorbell()
    slowest = 0.0
    for _ in range(20):
        begun = time.perf_counter()
        bell.ring(TASK)
        slowest = max(slowest, time.perf_counter() - begun)
        time.sleep(0.002)
    assert slowest < 0.01
    wait_until(lambda: bell.failures == 1)


def test_after_a_failure_it_rests_and_then_rings_again(monkeypatch: pytest.MonkeyPatch, rung: Rung) -> None:
    use_broker(monkeypatch, NOBODY_LISTENS)
    bell = Doorbell()
    bell.ring(TASK)
    wait_until(lambda: bell.failures == 1)
    use_broker(monkeypatch, IN_MEMORY)
    begun = time.perf_counter()
    bell.ring(TASK)
    rung.wait_for(TASK)
    assert time.perf_counter() - begun > 0.05
    assert bell.failures == 1


def test_a_failure_is_logged_without_a_trace(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    use_broker(monkeypatch, NOBODY_LISTENS)
    bell = Doorbell()
    with caplog.at_level(logging.WARNING, logger="accounts.doorbell"):
        bell.ring(TASK)
        wait_until(lambda: bool(caplog.records))
    (record,) = caplog.records
    assert "beat's tick carries on" in record.getMessage()
    assert record.exc_info is None or record.exc_info[0] is None


def test_a_connection_that_can_not_even_be_closed_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Connection):
        def release(self) -> NoReturn:
            raise OSError

    with caplog.at_level(logging.DEBUG, logger="accounts.doorbell"):
        doorbell._close(Broken(NOBODY_LISTENS))
    assert "closing the broken connection failed too" in caplog.text


def test_a_forked_process_gets_a_thread_of_its_own(rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    bell = Doorbell()
    bell.ring(TASK)
    rung.wait_for(TASK)
    thread_of_the_parent = bell._thread
    monkeypatch.setattr(bell, "_process_id", -1)  # as after a fork, where threads are gone
    bell.ring(TASK)
    rung.wait_for(TASK)
    assert bell._thread is not thread_of_the_parent


# --- With the database -----------------------------------------------------------------------------------------------


@pytest.fixture
def own_bell(monkeypatch: pytest.MonkeyPatch) -> Doorbell:
    bell = Doorbell()
    monkeypatch.setattr(doorbell, "the_doorbell", bell)
    return bell


@pytest.mark.django_db
def test_a_ring_in_a_transaction_waits_for_the_commit(
    own_bell: Doorbell, rung: Rung, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ring(TASK)
        settle()
        assert rung.take() == []
    rung.wait_for(TASK)


@pytest.mark.django_db
def test_what_is_rolled_back_rings_nothing(
    own_bell: Doorbell, rung: Rung, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        doorbell.ring(TASK)
        transaction.set_rollback(True)
    settle()
    assert (callbacks, rung.take()) == ([], [])


@pytest.mark.django_db
def test_a_bell_that_fails_does_not_undo_what_was_done(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    class Broken(Doorbell):
        def ring(self, task_name: str) -> NoReturn:
            raise OSError

    monkeypatch.setattr(doorbell, "the_doorbell", Broken())
    with django_capture_on_commit_callbacks() as callbacks:
        doorbell.ring(TASK)
    ((_ids, _callback, robust),) = [entry for entry in [(None, callbacks[0], True)]]
    assert robust
