"""Worker and beat inside the web process: when one of them is gone, the process begins anew as a whole."""

import os
import signal
import threading

import pytest

from clientcomm import embedded
from clientcomm.celery import app
from messaging import delivery
from tests.running import wait_for


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *call: calls.append(call))
    return calls


@pytest.fixture
def drained(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    event = threading.Event()
    monkeypatch.setattr(delivery, "drain", event.set)
    return event


class Part:
    """Stands in for Celery's worker, and for beat."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.stopped = threading.Event()

    def start(self) -> None:
        if self.fails:
            raise RuntimeError("broken")
        self.stopped.wait(10)

    def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    made = {"worker": Part(), "beat": Part()}
    monkeypatch.setattr(app, "WorkController", lambda **_: made["worker"], raising=False)
    monkeypatch.setattr("celery.beat.Service", lambda *_, **__: made["beat"])
    return made


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_part_that_fails_takes_the_process_with_it(
    parts: dict[str, Part], killed: list[tuple[int, int]], drained: threading.Event, name: str
) -> None:
    parts[name].fails = True
    background = embedded.Background()
    background.start()
    wait_for(lambda: bool(killed), "the process is told to end")
    assert killed == [(os.getpid(), signal.SIGTERM)]
    background.begin_to_stop()
    background.wait()


def test_told_to_stop_it_drains_and_both_parts_end(
    parts: dict[str, Part], killed: list[tuple[int, int]], drained: threading.Event
) -> None:
    background = embedded.Background()
    background.start()
    background.begin_to_stop()
    background.begin_to_stop()
    background.wait()
    assert drained.is_set()
    assert all(part.stopped.is_set() for part in parts.values())
    assert killed == []


def test_a_process_that_never_began_stops_without_ado(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_background", None)
    embedded.stop()
