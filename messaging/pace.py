"""How fast a department's number may send, and until when what waits for it takes.

Texts of mass messages keep the pace and pause outside texting hours. A single text waits for neither, but what it takes
of the pace is not there for the others. All workers share one row for each number: from when on it is free again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts.models import Department
from messaging import hours
from messaging.models import Message, SenderNumber


@dataclass(frozen=True)
class Waiting:
    """What waits to go out from one number by its pace. finish_at: when it will be through; None if nothing waits."""

    count: int
    segments: int
    finish_at: datetime | None


# So much after its moment a text may be taken without moving those behind it: else each look would cost some pace.
LEEWAY = timedelta(milliseconds=50)


def take(department: Department, segments: int, *, is_mass: bool, now: datetime) -> bool:
    """Within a claim: keeps the number busy for these segments. False if a mass text's moment has gone to another loop.

    Time in which nothing went out is not made up for: the texts stay evenly spaced.
    """
    busy = seconds_for(department, segments)
    if not busy or _keep_busy(department, busy, is_mass=is_mass, now=now):
        return True
    # Nobody makes a row for a new department: its first text does. Of two, the second finds it.
    made = SenderNumber.objects.get_or_create(department=department, defaults={"next_mass_at": now + busy})[1]
    return made or _keep_busy(department, busy, is_mass=is_mass, now=now)


def _keep_busy(department: Department, busy: timedelta, *, is_mass: bool, now: datetime) -> bool:
    rows = SenderNumber.objects.filter(department=department)
    if is_mass:
        rows = rows.filter(Q(next_mass_at__isnull=True) | Q(next_mass_at__lte=now))
    earliest = now - min(busy, LEEWAY)
    next_at = Greatest(Coalesce("next_mass_at", earliest), earliest)
    return bool(rows.update(next_mass_at=next_at + busy))


def seconds_for(department: Department, segments: int) -> timedelta:
    """How long so many segments keep the number busy; nothing without a limit."""
    rate = department.segments_per_second
    return timedelta(seconds=segments / float(rate)) if rate else timedelta(0)


def finish_time(department: Department, *, segments: int, begins_at: datetime) -> datetime:
    """When so many segments would be through, if they were added now to begin at that moment.

    After what waits for the number and is due by then, at the department's pace, within its texting hours.
    """
    free_at = _through(department, _ahead(department, due_by=begins_at), timezone.now())
    return _advance(department, max(free_at, begins_at), segments)


def waiting(department: Department, now: datetime) -> Waiting:
    """The texts of mass messages that are due and not yet handed over."""
    due = _mass(department).filter(due_at__lte=now)
    found = due.aggregate(count=Count("pk"), segments=Sum("segments"))
    if not found["count"]:
        return Waiting(0, 0, None)
    return Waiting(found["count"], found["segments"], _through(department, _ahead(department, due_by=now), now))


def _mass(department: Department) -> QuerySet[Message]:
    return Message.objects.filter(department=department, state=Message.State.WAITING, priority=Message.Priority.MASS)


def _ahead(department: Department, *, due_by: datetime) -> list[tuple[datetime, int]]:
    """When how many segments become due; those of one mass message together."""
    due = _mass(department).filter(due_at__lte=due_by).values_list("due_at").annotate(Sum("segments"))
    return [(due_at, total) for due_at, total in due.order_by("due_at") if due_at is not None]


def _through(department: Department, ahead: list[tuple[datetime, int]], now: datetime) -> datetime:
    """When the number has sent all these; now, or when it may send again, if there are none."""
    next_at = SenderNumber.objects.filter(department=department).values_list("next_mass_at", flat=True).first()
    free_at = max(next_at or now, now)
    for due_at, segments in ahead:
        free_at = _advance(department, max(free_at, due_at), segments)
    return free_at


def _advance(department: Department, start: datetime, segments: int) -> datetime:
    """When so many segments are through that begin at `start`, pausing from each closing to the next opening."""
    left, at = seconds_for(department, segments), hours.next_opening(department, start.astimezone(UTC))
    while left > (room := hours.next_closing(department, at) - at):
        left -= room
        at = hours.next_opening(department, at + room)
    return at + left
