"""The sending threads of a process: all at work after one ring, two of them kept for single texts, and in step."""

import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from accounts.models import Department, User
from messaging import delivery, loops
from messaging.claims import Claim
from messaging.loops import Loops
from messaging.models import Message
from messaging.sms import OutboundText, Outcome
from messaging.tests.carriers import Carrier
from tests import builders
from tests.threads import PATIENCE, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]

MASS = Message.Priority.MASS


class HoldingCarrier(Carrier):
    """Keeps each call until it is let go, or not at all."""

    def __init__(self, *, holds: bool = True) -> None:
        super().__init__(during_call=self._during)
        self.let_go = threading.Event()
        self._passes = threading.Semaphore(0)
        if not holds:
            self.let_go.set()

    def _during(self, text: OutboundText) -> None:
        if not self._passes.acquire(blocking=False):
            assert self.let_go.wait(PATIENCE)

    def lets_through(self, count: int) -> None:
        """The next ones, though the others are kept."""
        self._passes.release(count)

    @property
    def in_hand(self) -> int:
        return len(self.taken)


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> HoldingCarrier:
    made = HoldingCarrier()
    monkeypatch.setattr(loops, "get_backend", lambda: made)
    return made


@pytest.fixture
def crew(carrier: HoldingCarrier, department: Department, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loops]:
    """Four threads; at the end they are asked to stop, and their connections are gone."""
    Department.objects.update(opens_at=time.min, closes_at=time.max)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)  # the test's database is dropped afterwards
    made = Loops(4)
    yield made
    delivery.drain()
    carrier.let_go.set()
    assert made.wait(PATIENCE)
    delivery._draining.clear()


def make_texts(case_manager: User, count: int, priority: int = Message.Priority.SINGLE) -> None:
    for _ in range(count):
        builders.make_outgoing(builders.make_client(case_manager), priority=priority)


def test_one_ring_sets_all_threads_to_work(alice: User, crew: Loops, carrier: HoldingCarrier) -> None:
    make_texts(alice, 6)
    crew.ring()
    wait_until(lambda: carrier.in_hand == 4)
    carrier.let_go.set()
    wait_until(lambda: Message.objects.filter(state="accepted").count() == 6)


def test_two_threads_are_kept_for_single_texts(alice: User, crew: Loops, carrier: HoldingCarrier) -> None:
    Department.objects.update(segments_per_second=None)
    make_texts(alice, 4, MASS)
    crew.ring()
    wait_until(lambda: carrier.in_hand == 2)
    make_texts(alice, 2)
    crew.ring()
    wait_until(lambda: carrier.in_hand == 4)
    assert Message.objects.filter(state="sending", priority=MASS).count() == 2
    carrier.let_go.set()
    wait_until(lambda: Message.objects.filter(state="accepted").count() == 6)


def test_mass_texts_leave_evenly_after_one_ring(alice: User, crew: Loops, carrier: HoldingCarrier) -> None:
    Department.objects.update(segments_per_second=5)
    make_texts(alice, 4, MASS)
    carrier.let_go.set()
    crew.ring()
    wait_until(lambda: carrier.in_hand == 4)
    claimed = [at for at in Message.objects.order_by("claimed_at").values_list("claimed_at", flat=True) if at]
    assert all(later - earlier > timedelta(seconds=0.19) for earlier, later in pairwise(claimed))


def test_a_single_text_is_not_kept_waiting_by_the_pace(alice: User, crew: Loops, carrier: HoldingCarrier) -> None:
    Department.objects.update(segments_per_second="0.01")
    make_texts(alice, 3, MASS)
    carrier.let_go.set()
    crew.ring()
    wait_until(lambda: carrier.in_hand == 1)
    make_texts(alice, 1)
    crew.ring()
    wait_until(lambda: Message.objects.filter(state="accepted", priority=0).exists())


def test_a_ring_while_all_are_at_work_is_not_forgotten(alice: User, crew: Loops, carrier: HoldingCarrier) -> None:
    make_texts(alice, 4)
    crew.ring()
    wait_until(lambda: carrier.in_hand == 4)
    make_texts(alice, 1)
    crew.ring()
    carrier.let_go.set()
    wait_until(lambda: Message.objects.filter(state="accepted").count() == 5)


def test_a_process_that_nobody_rings_for_looks_by_itself(
    alice: User, crew: Loops, carrier: HoldingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "LOOKS_EVERY", 0.02)
    looking = threading.Thread(target=crew.look_by_yourself)
    looking.start()
    carrier.let_go.set()
    for count in (1, 2):
        make_texts(alice, 1)
        wait_until(lambda: Message.objects.filter(state="accepted").count() == count)  # noqa: B023  # waited for here
    delivery.drain()
    looking.join(PATIENCE)
    assert not looking.is_alive()


def test_while_an_outcome_is_written_down_another_call_is_made(
    alice: User, carrier: HoldingCarrier, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight calls at a time, by nine threads: never more, and none less because one writes."""
    writing, may_write = threading.Event(), threading.Event()
    write = delivery.record_outcome

    def slowly(claim: Claim, outcome: Outcome, *, now: datetime) -> None:
        writing.set()
        assert may_write.wait(PATIENCE)
        write(claim, outcome, now=now)

    monkeypatch.setattr(delivery, "record_outcome", slowly)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    crew = Loops(8)
    try:
        make_texts(alice, 12)
        carrier.lets_through(1)
        crew.ring()
        assert writing.wait(PATIENCE)
        wait_until(lambda: carrier.in_hand == 9)
        assert Message.objects.filter(state="sending").count() == 9
    finally:
        delivery.drain()
        carrier.let_go.set()
        may_write.set()
        assert crew.wait(PATIENCE)
        delivery._draining.clear()


def test_when_the_process_ends_the_texts_in_hand_are_finished_and_no_other_is_begun(
    alice: User, crew: Loops, carrier: HoldingCarrier
) -> None:
    make_texts(alice, 6)
    crew.ring()
    wait_until(lambda: carrier.in_hand == 4)
    delivery.drain()
    assert not crew.wait(0.05)
    carrier.let_go.set()
    assert crew.wait(PATIENCE)
    crew.ring()
    states = sorted(Message.objects.values_list("state", flat=True))
    assert states == ["accepted"] * 4 + ["waiting"] * 2


def test_a_loop_that_breaks_off_frees_its_thread(
    alice: User, crew: Loops, carrier: HoldingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_texts(alice, 1)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a text that nobody may read")

    with monkeypatch.context() as patch:
        patch.setattr("messaging.claims.claim_next", broken)
        for _ in range(8):
            crew.ring()
        wait_until(lambda: crew._running == 0)
    carrier.let_go.set()
    crew.ring()
    wait_until(lambda: Message.objects.filter(state="accepted").exists())
