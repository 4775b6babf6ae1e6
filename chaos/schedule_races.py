"""A person changes, deletes or sends a scheduled text at the moment it goes out: the row's lock decides, and one wins.

After a change that succeeded no text with the old words goes out; after a deletion, none.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from chaos import people
from chaos.ground import Ground
from chaos.options import Options
from chaos.people import Person
from chaos.report import Report
from clients.models import CaseAssignment
from messaging import delivery
from messaging.actions import scheduling, settling
from messaging.models import Message
from messaging.schedule import WallClock
from messaging.tests.carriers import Carrier
from tests import builders

OLD, NEW = "Old words", "New words"
LONGEST_START = 0.012  # seconds: about what a claim takes, so that each side is first about as often
PATIENCE = 30.0

Act = Callable[[Message, WallClock], None]


@dataclass(frozen=True)
class Round:
    """One text: whether the person was told that it worked, and what the carrier was handed."""

    succeeded: bool
    handed_over: tuple[str, ...]


def run(_ground: Ground, options: Options) -> Report:
    report = Report("Schedule races", "A dispatching thread and a person's, let go together; then all that is due.")
    (person,) = people.fill(1, case_managers=1)
    for name, act, allowed in (("edit", change, (NEW,)), ("delete", delete, ())):
        rounds = race(person, act, options.sizes.races, seed=options.seed)
        judge(report, name, rounds, allowed)
    return report


def judge(report: Report, name: str, rounds: list[Round], allowed: tuple[str, ...]) -> None:
    """allowed: what may go out after the person's act succeeded. After one that came too late, the old words."""
    report.figure(f"{name}: rounds, of them won by the person", f"{len(rounds)}, {sum(it.succeeded for it in rounds)}")
    wrong = [it for it in rounds if it.handed_over != (allowed if it.succeeded else (OLD,))]
    report.none(f"{name}: rounds in which something else went out than the person was told", len(wrong))
    found = Counter((it.succeeded, it.handed_over) for it in wrong)
    for (succeeded, handed_over), count in found.most_common():
        report.figure(f"{name}: {'succeeded' if succeeded else 'too late'}, went out: {handed_over}", count)


def race(person: Person, act: Act, count: int, *, seed: int = 1) -> list[Round]:
    """So many texts, one after the other."""
    chance = random.Random(seed)  # noqa: S311  # spreads the starts, guards nothing
    with ThreadPoolExecutor(2) as pool:
        return [_round(pool, person, act, chance) for _ in range(count)]


def change(message: Message, when: WallClock) -> None:
    """As of the second before it is due, so that the time may stay as it is."""
    before = when.due_at - timedelta(seconds=1)
    assert message.author is not None
    scheduling.change(message=message, body=NEW, when=when, by=message.author, now=before, any_hour=True)


def delete(message: Message, when: WallClock) -> None:
    assert message.author is not None
    scheduling.delete(message=message, by=message.author, now=when.due_at)


def _round(pool: ThreadPoolExecutor, person: Person, act: Act, chance: random.Random) -> Round:
    message, when = due(person)
    carrier, start = Carrier(), threading.Barrier(2)
    waits = chance.uniform(0, LONGEST_START), chance.uniform(0, LONGEST_START)
    dispatch = pool.submit(_begin, start, waits[0], lambda: delivery.deliver_due(carrier))
    acting = pool.submit(_begin, start, waits[1], lambda: _succeeds(act, message, when))
    dispatch.result(PATIENCE)
    succeeded = bool(acting.result(PATIENCE))
    delivery.deliver_due(carrier)
    return Round(succeeded, tuple(carrier.bodies))


def due(person: Person) -> tuple[Message, WallClock]:
    """A text that was scheduled for this minute."""
    assignment = CaseAssignment.objects.select_related("client__department", "case_manager").get(
        pk=person.assignment_id
    )
    zone = assignment.client.department.zone
    minute: datetime = timezone.now().astimezone(UTC).replace(second=0, microsecond=0)
    there = minute.astimezone(zone)
    when = WallClock(there.date(), there.time(), zone)
    clock: dict[str, Any] = {"scheduled_date": when.date, "scheduled_time": when.time, "scheduled_zone": zone.key}
    return builders.make_outgoing(assignment, OLD, at=minute, **clock), when


def _begin(start: threading.Barrier, wait: float, work: Callable[[], object]) -> object:
    try:
        start.wait(PATIENCE)
        time.sleep(wait)
        return work()
    finally:
        connections.close_all()


def _succeeds(act: Act, message: Message, when: WallClock) -> bool:
    try:
        act(message, when)
    except settling.TooLate:
        return False
    return True
