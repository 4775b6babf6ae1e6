"""Read marks: set by the case manager whose client it is, and by nobody else's look."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Coalesce, Greatest

from accounts.models import User
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


@transaction.atomic
def mark_unread(*, assignment: CaseAssignment, by: User, now: datetime) -> bool:
    """Makes the newest text of the client unread again, to come back to it. Returns whether there was one.

    Only while the client is on the person's list: nobody would see it in a conversation that has just gone elsewhere.
    """
    still_own = CaseAssignment.objects.filter(pk=assignment.pk, case_manager=by, ended_at__isnull=True)
    if not still_own.select_for_update(no_key=True).values_list("pk").first():
        return False
    incoming = Message.objects.filter(assignment=assignment, direction=Message.Direction.INCOMING)
    newest = incoming.order_by("-placed_at", "-pk").values_list("pk", flat=True).first()
    if newest is None:
        return False
    if not incoming.filter(read_at__isnull=True).exists():  # all was seen, so that no mail is to tell of it as new
        told = Greatest(Coalesce("mailed_up_to", newest), newest)
        CaseAssignment.objects.filter(pk=assignment.pk).update(mailed_up_to=told)
    Message.objects.filter(pk=newest).update(read_at=None)
    summaries.recompute(assignment.pk, now=now)
    return True
