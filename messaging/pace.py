"""How fast a department's number may send, and until when what waits for it takes.

Texts of mass messages keep the pace and pause outside texting hours. A single text waits for neither.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, QuerySet, Sum
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


def seconds_for(department: Department, segments: int) -> timedelta:
    """How long so many segments keep the number busy; nothing without a limit."""
    rate = department.segments_per_second
    return timedelta(seconds=segments / float(rate)) if rate else timedelta(0)


def finish_time(department: Department, *, segments: int, begins_at: datetime) -> datetime:
    """When so many segments would be through, if they were added now to begin at that moment.

    After what waits for the number and is due by then, at the department's pace, within its texting hours.
    """
    free_at = _through(department, _ahead(department, due_by=begins_at))
    return _advance(department, max(free_at, begins_at), segments)


def waiting(department: Department, now: datetime) -> Waiting:
    """The texts of mass messages that are due and not yet handed over."""
    due = _mass(department).filter(due_at__lte=now)
    found = due.aggregate(count=Count("pk"), segments=Sum("segments"))
    if not found["count"]:
        return Waiting(0, 0, None)
    return Waiting(found["count"], found["segments"], _through(department, _ahead(department, due_by=now)))


def _mass(department: Department) -> QuerySet[Message]:
    return Message.objects.filter(department=department, state=Message.State.WAITING, priority=Message.Priority.MASS)


def _ahead(department: Department, *, due_by: datetime) -> list[tuple[datetime, int]]:
    """When how many segments become due; those of one mass message together."""
    due = _mass(department).filter(due_at__lte=due_by).values_list("due_at").annotate(Sum("segments"))
    return [(due_at, total) for due_at, total in due.order_by("due_at") if due_at is not None]


def _through(department: Department, ahead: list[tuple[datetime, int]]) -> datetime:
    """When the number has sent all these; now, or when it may send again, if there are none."""
    next_at = SenderNumber.objects.filter(department=department).values_list("next_mass_at", flat=True).first()
    now = timezone.now()
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
