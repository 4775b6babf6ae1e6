"""Ringing for a background task: merged, never waiting, never failing, and only for what is committed."""

import logging
import socket
import time
from collections.abc import Iterator
from statistics import median
from typing import NoReturn

import pytest
from celery import current_app
from django.db import transaction
from kombu import Connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import doorbell
from accounts.doorbell import Doorbell
from accounts.models import Department
from tests import builders
from tests.threads import wait_until

IN_MEMORY = "memory://doorbell"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"
TASK = "messaging.deliver_due"
OTHER_TASK = "messaging.sweep_unclear"


class Rung:
    """The bells that a worker would hear."""

    def take(self) -> list[str]:
        names = []
        with Connection(IN_MEMORY) as connection:
            queue = connection.SimpleQueue("bells")
            while queue.qsize():
                message = queue.get_nowait()
                message.ack()
                names.append(message.headers["task"])
            queue.close()
        return names

    def wait_for(self, *names: str) -> None:
        heard: list[str] = []

        def heard_all() -> bool:
            heard.extend(self.take())
            return len(heard) >= len(names)

        wait_until(heard_all)
        assert sorted(heard) == sorted(names)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short times; bells ring into the memory of this process, where the tests can count them."""
    monkeypatch.setattr(doorbell, "MERGE_SECONDS", 0.03)
    monkeypatch.setattr(doorbell, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(doorbell, "TIMEOUT_SECONDS", 0.1)
    use_broker(monkeypatch, IN_MEMORY)


def use_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", url)


@pytest.fixture
def rung() -> Rung:
    bells = Rung()
    bells.take()
    return bells


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Doorbell]:
    """A doorbell of the test's own, which ring() uses too; it forgets what it still had to say."""
    own = Doorbell()
    monkeypatch.setattr(doorbell, "the_doorbell", own)
    yield own
    own._pending.clear()


def settle() -> None:
    """Longer than rings are merged: what was to be published is published."""
    time.sleep(0.1)


def usual_time(bell: Doorbell) -> float:
    """How long a ring takes, in seconds. The median: on a busy machine any step may have to wait for its turn."""
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        bell.ring(TASK)
        times.append(time.perf_counter() - begun)
        time.sleep(0.002)
    return median(times)


def test_a_ring_is_heard(bell: Doorbell, rung: Rung) -> None:
    bell.ring(TASK)
    rung.wait_for(TASK)


def test_rings_within_a_moment_become_one(bell: Doorbell, rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "MERGE_SECONDS", 0.25)
    bell.ring(TASK)
    rung.wait_for(TASK)  # the thread rests now
    for _ in range(5):
        bell.ring(TASK)
        time.sleep(0.02)
    rung.wait_for(TASK)
    time.sleep(0.3)
    assert rung.take() == []


def test_rings_for_two_tasks_stay_two(bell: Doorbell, rung: Rung) -> None:
    bell.ring(TASK)
    bell.ring(OTHER_TASK)
    rung.wait_for(TASK, OTHER_TASK)


def test_a_later_ring_is_heard_again(bell: Doorbell, rung: Rung) -> None:
    for _ in range(3):
        bell.ring(TASK)
        rung.wait_for(TASK)


def test_a_broker_that_is_down_neither_raises_nor_blocks_and_is_counted(
    bell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_broker(monkeypatch, NOBODY_LISTENS)
    assert usual_time(bell) < 0.01
    wait_until(lambda: bell.failures == 1)


def test_a_broker_that_is_frozen_neither_raises_nor_blocks_and_is_counted(
    bell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections and never says a word
        use_broker(monkeypatch, f"redis://127.0.0.1:{frozen.getsockname()[1]}/0")
        assert usual_time(bell) < 0.01
        wait_until(lambda: bell.failures == 1)


def test_after_a_failure_it_rests_and_then_rings_again(
    bell: Doorbell, rung: Rung, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_broker(monkeypatch, NOBODY_LISTENS)
    begun = time.perf_counter()
    bell.ring(TASK)
    wait_until(lambda: bell.failures == 1)
    use_broker(monkeypatch, IN_MEMORY)
    bell.ring(TASK)
    rung.wait_for(TASK)
    assert time.perf_counter() - begun >= doorbell.PAUSE_SECONDS
    assert bell.failures == 1


def test_a_failure_is_logged_in_one_line(
    bell: Doorbell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_broker(monkeypatch, NOBODY_LISTENS)
    with caplog.at_level(logging.WARNING, logger="accounts.doorbell"):
        bell.ring(TASK)
        wait_until(lambda: bool(caplog.records))
    (record,) = caplog.records
    assert "beat's tick carries on" in record.getMessage()
    assert not record.exc_info


def test_a_connection_that_can_not_even_be_closed_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Connection):
        def release(self) -> NoReturn:
            raise OSError

    with caplog.at_level(logging.DEBUG, logger="accounts.doorbell"):
        doorbell._close(Broken(NOBODY_LISTENS))
    assert "closing the broken connection failed too" in caplog.text


def test_a_forked_process_gets_a_thread_of_its_own(bell: Doorbell, rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    bell.ring(TASK)
    rung.wait_for(TASK)
    thread_of_the_parent = bell._thread
    monkeypatch.setattr(bell, "_process_id", -1)  # as after a fork, where threads are gone
    bell.ring(TASK)
    rung.wait_for(TASK)
    assert bell._thread is not thread_of_the_parent


@pytest.mark.django_db
def test_a_ring_in_a_transaction_waits_for_the_commit(
    bell: Doorbell, rung: Rung, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ring(TASK)
        settle()
        assert rung.take() == []
    rung.wait_for(TASK)


@pytest.mark.django_db
def test_what_is_rolled_back_rings_nothing(
    bell: Doorbell, rung: Rung, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        doorbell.ring(TASK)
        transaction.set_rollback(True)
    settle()
    assert (callbacks, rung.take()) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_a_bell_that_is_broken_does_not_undo_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Doorbell):
        def ring(self, task_name: str) -> NoReturn:
            raise OSError

    monkeypatch.setattr(doorbell, "the_doorbell", Broken())
    with transaction.atomic():
        department = builders.make_department()
        doorbell.ring(TASK)
    assert Department.objects.get() == department


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_it_rings_at_once(bell: Doorbell, rung: Rung) -> None:
    doorbell.ring(TASK)
    rung.wait_for(TASK)
