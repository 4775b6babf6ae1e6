"""Keeps what is scheduled at its time on the wall when a department moves to another zone, or a zone's rules change."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from messaging import summaries
from messaging.models import Message
from messaging.schedule import WallClock


def follow(*, now: datetime) -> int:
    """Puts right what is out of step with its department's clock. Returns how many conversations had such texts."""
    scheduled = Message.objects.filter(state=Message.State.WAITING, scheduled_date__isnull=False)
    clocks = scheduled.values_list("scheduled_date", "scheduled_time", "department__time_zone").distinct()
    assignments = set(
        scheduled.exclude(scheduled_zone=F("department__time_zone")).values_list("assignment", flat=True).distinct()
    )
    for day, clock, zone in clocks.order_by():
        assert day is not None
        assert clock is not None
        same = scheduled.filter(scheduled_date=day, scheduled_time=clock, department__time_zone=zone)
        moved = same.exclude(due_at=WallClock(day, clock, ZoneInfo(zone)).due_at)
        assignments.update(moved.values_list("assignment", flat=True).distinct())
    for pk in sorted(assignments):
        _put_right(pk, now)
    return len(assignments)


@transaction.atomic
def _put_right(assignment_id: int, now: datetime) -> None:
    """One conversation at a time: nobody waits long, and what is claimed meanwhile has gone out."""
    summaries.lock(assignment_id)
    scheduled = Message.objects.filter(
        assignment=assignment_id, state=Message.State.WAITING, scheduled_date__isnull=False
    )
    for message in scheduled.select_for_update(of=("self",)).select_related("department").order_by("pk"):
        assert message.scheduled_date is not None
        assert message.scheduled_time is not None
        when = WallClock(message.scheduled_date, message.scheduled_time, message.department.zone)
        Message.objects.filter(pk=message.pk).update(
            scheduled_zone=when.zone.key, due_at=when.due_at, placed_at=when.due_at
        )
    summaries.recompute(assignment_id, now=now)
