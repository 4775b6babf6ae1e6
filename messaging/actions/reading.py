"""Read marks: set by the case manager whose client it is, and by nobody else's look."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from clients.models import CaseAssignment
from messaging import summaries
from messaging.models import Message


@transaction.atomic
def mark_read(
    *, assignment: CaseAssignment, now: datetime, up_to: int | None = None, messages: Collection[int] = ()
) -> int:
    """Marks incoming texts of the assignment as read: those named, or all up to the one named. Returns how many.

    A text that arrived after the page was drawn is not among them.
    """
    changed = mark_read_in(assignment, up_to=up_to, messages=messages, now=now)
    if changed:
        summaries.recompute(assignment.pk, now=now)
    return changed


def mark_read_in(
    assignment: CaseAssignment, *, now: datetime, up_to: int | None = None, messages: Collection[int] = ()
) -> int:
    """As mark_read, inside the caller's transaction and without the recount, which the caller makes anyway."""
    summaries.lock(assignment.pk)
    unread = Message.objects.filter(assignment=assignment, direction=Message.Direction.INCOMING, read_at__isnull=True)
    unread = unread.filter(pk__lte=up_to) if up_to is not None else unread.filter(pk__in=messages)
    return unread.update(read_at=now)
