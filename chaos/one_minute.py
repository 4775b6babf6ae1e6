"""Many texts scheduled for one minute, each to a client of its own: none goes out early, and how late do they go out?

The carrier's side takes everything at once, and single texts don't wait for the pace: what is measured is the product.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from chaos import calls, people, product
from chaos.ground import Ground
from chaos.options import Options
from chaos.people import Person
from chaos.product import Wanted
from chaos.report import Report
from messaging.models import Message
from messaging.schedule import WallClock

BATCH = 1_000
AHEAD = timedelta(seconds=20)  # at least: the rows are written by then, and the processes idle again
SLOWEST_RATE = 10.0  # rows a second; below it something is stuck
ON_TIME = 2.0  # seconds


class StuckError(Exception):
    """The minute's texts don't come to an end."""


def run(ground: Ground, options: Options) -> Report:
    report = Report("One minute", "Two workers of 8 threads; the carrier's side only takes notes.")
    count = options.sizes.rows
    addressees = people.fill(count)
    with product.running(ground, Wanted(workers=2, web=False, backend="Recording")):
        calls.forget(ground.calls)
        when = _when(addressees[0])
        Message.objects.bulk_create((_row(person, when) for person in addressees), batch_size=BATCH)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does within a minute
        _wait(when, count)
    to_wall = time.time_ns() - time.monotonic_ns()
    made = calls.of_all(ground.calls)
    delays = sorted((call.begun + to_wall) / 1e9 - when.due_at.timestamp() for call in made)
    report.none("texts that went out before their time", sum(delay < 0 for delay in delays))
    report.none("texts that went out twice", len(made) - len({call.public_id for call in made}))
    report.promise("texts handed over", len(delays), str(count), kept=len(delays) == count)
    for part in (50, 95, 99, 100):
        report.figure(f"seconds from their time to the call, {part} %", f"{percentile(delays, part):.2f}")
    report.figure(f"within {ON_TIME:.0f} s", f"{sum(delay <= ON_TIME for delay in delays) / len(delays):.1%}")
    return report


def percentile(ordered: Sequence[float], part: int) -> float:
    """The smallest that so many percent don't exceed."""
    return ordered[max(0, -(-len(ordered) * part // 100) - 1)]


def _when(person: Person) -> WallClock:
    """The next minute that is far enough ahead."""
    assert person.case_manager.department is not None
    zone = person.case_manager.department.zone
    there = (timezone.now() + AHEAD + timedelta(minutes=1)).astimezone(zone)
    return WallClock(there.date(), there.time().replace(second=0, microsecond=0), zone)


def _row(person: Person, when: WallClock) -> Message:
    return Message(
        department=person.case_manager.department,
        client_id=person.client_id,
        assignment_id=person.assignment_id,
        author=person.case_manager,
        direction=Message.Direction.OUTGOING,
        state=Message.State.WAITING,
        body="Your appointment is today",
        any_hour=True,
        placed_at=when.due_at,
        due_at=when.due_at,
        scheduled_date=when.date,
        scheduled_time=when.time,
        scheduled_zone=when.zone.key,
    )


def _wait(when: WallClock, count: int) -> None:
    """Until all are with the carrier."""
    deadline = when.due_at.timestamp() + 60 + count / SLOWEST_RATE
    pending = Message.objects.filter(state__in=[Message.State.WAITING, Message.State.SENDING])
    while pending.exists():
        if time.time() > deadline:
            raise StuckError(f"{pending.count()} texts are still here")
        time.sleep(0.5)
