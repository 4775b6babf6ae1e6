"""A person sends a mass message, stops it, lets it go on, or deletes a scheduled one.

Locks: the mass message first, then recipients, then as everywhere Client, CaseAssignment, Message. What moves
thousands of texts at once is one conditional UPDATE: a text that a loop has claimed meanwhile is left alone.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts import doorbell
from accounts.models import User
from clients import routing
from clients.models import CaseAssignment
from messaging import mass_choice, mass_outlook, pace, segments, states, summaries
from messaging.actions import mass_drafts
from messaging.actions.mass_drafts import AlreadyConfirmed
from messaging.actions.settling import TooLate
from messaging.mass_choice import LeftOut
from messaging.models import MassMessage, MassMessageRecipient, Message
from messaging.schedule import WallClock

State = Message.State

UNDO_TIME = timedelta(seconds=10)
FILL = "messaging.fill_mass_messages"


class NotReady(Exception):
    """It can't go out like this. The draft is as it was; its check says what is wrong."""


class ChangedMeanwhile(Exception):
    """The draft is no longer what the check page showed: it was changed in another window."""


@transaction.atomic
def confirm(*, draft: MassMessage, revision: int, by: User, now: datetime) -> MassMessage:
    """Sends or schedules what the check page showed, once: the second time it gives what is there.

    Its texts are made in the background. Raises NotReady, ChangedMeanwhile, TooLate (what it replaces has gone out).
    """
    try:
        mass = mass_drafts.lock_draft(draft)
    except AlreadyConfirmed:
        return MassMessage.objects.get(pk=draft.pk)
    if mass.revision != revision:
        raise ChangedMeanwhile
    outlook = mass_outlook.read_outlook(mass)
    due_at = due_at_of(mass, now)
    if outlook.problems or due_at is None:
        raise NotReady
    if mass.replaces is not None and not _withdraw(mass.replaces, now):
        raise TooLate
    _leave_out(mass)
    mass.confirmed_at, mass.due_at = now, due_at
    mass.finish_by = pace.finish_time(mass.department, segments=outlook.texts, begins_at=due_at)
    mass.save(update_fields=["confirmed_at", "due_at", "finish_by"])
    doorbell.ring(FILL)
    return mass


def due_at_of(draft: MassMessage, now: datetime) -> datetime | None:
    """When it would go out if it were confirmed now. None: the time that it was to go out has passed."""
    when = wall_clock(draft)
    if when is None:
        return now + UNDO_TIME
    return when.due_at if when.due_at > now else None


def wall_clock(mass: MassMessage) -> WallClock | None:
    """The time for which a person scheduled it, if so."""
    if mass.scheduled_date is None or mass.scheduled_time is None:
        return None
    return WallClock(mass.scheduled_date, mass.scheduled_time, ZoneInfo(mass.scheduled_zone))


def _leave_out(mass: MassMessage) -> None:
    """Writes down who doesn't get it, and why: from now on the recipients stand."""
    out = mass_choice.chosen(mass).exclude(reason="")
    for reason in list(out.order_by("reason").values_list("reason", flat=True).distinct()):
        pks = out.filter(reason=reason).order_by().values("pk")
        MassMessageRecipient.objects.filter(pk__in=pks).update(left_out=reason)


@transaction.atomic
def withdraw(*, mass: MassMessage, now: datetime) -> None:
    """Takes back one whose time has not come: Undo, or the deletion of a scheduled one.

    Raises TooLate once its time has come: then it can only be stopped.
    """
    if not _withdraw(mass, now):  # a text of it was sent early by hand: the record stays, and says so
        MassMessage.objects.filter(pk=mass.pk).update(cancelled_at=None, stopped_at=now)


def _withdraw(mass: MassMessage, now: datetime) -> bool:
    """False: some of its texts have gone out. Raises TooLate."""
    mass = _locked(mass)
    if mass.cancelled_at is not None:
        return True
    if mass.due_at is None or mass.due_at <= now:
        raise TooLate
    _cancel_waiting(mass, now)
    MassMessage.objects.filter(pk=mass.pk).update(cancelled_at=now, filled_at=now, recount_after=0)
    doorbell.ring(FILL)
    return not _texts(mass).exclude(state=State.CANCELLED).exists()


@transaction.atomic
def stop(*, mass: MassMessage, now: datetime) -> int:
    """Stops all that was not yet handed over. Gives how many texts that are."""
    mass = _locked(mass)
    if mass.cancelled_at is not None or mass.stopped_at is not None:
        return 0
    MassMessage.objects.filter(pk=mass.pk).update(stopped_at=now, recount_after=0)
    doorbell.ring(FILL)
    return _cancel_waiting(mass, now)


@transaction.atomic
def resume(*, mass: MassMessage, now: datetime) -> int:
    """Lets those go out that "Stop the rest" stopped, if the client is still the author's. Gives how many."""
    mass = _locked(mass)
    if mass.stopped_at is None:
        return 0
    stopped = _texts(mass).filter(state=State.CANCELLED, state_at=mass.stopped_at)
    stopped = stopped.filter(assignment__ended_at__isnull=True, assignment__case_manager=mass.author_id)
    _lock_lists(stopped)
    left = (stopped.aggregate(segments=Sum("segments"))["segments"] or 0) + _unmade(mass)
    due_at = max(now, mass.due_at or now)
    finish_by = pace.finish_time(mass.department, segments=left, begins_at=due_at)
    resumed = Message.objects.filter(pk__in=stopped.values("pk"), state=State.CANCELLED).update(
        state=State.WAITING, state_at=now, due_at=due_at, placed_at=due_at, finish_by=finish_by, try_at=None
    )
    MassMessage.objects.filter(pk=mass.pk).update(stopped_at=None, finish_by=finish_by, recount_after=0)
    doorbell.ring(FILL)
    doorbell.ring("messaging.deliver_due")
    return resumed


def _lock_lists(texts: QuerySet[Message]) -> None:
    """A client who is being transferred is not the author's any more when this has waited; else goes with the text."""
    lists = CaseAssignment.objects.filter(pk__in=texts.values("assignment")).order_by("pk")
    list(lists.select_for_update(of=("self",), no_key=True).values_list("pk"))


@transaction.atomic
def drop(*, mass: MassMessage, client_id: int, now: datetime) -> None:
    """Leaves this one client out. Raises TooLate if the text has gone out."""
    recipient = MassMessageRecipient.objects.select_for_update(of=("self",), no_key=True)
    found = recipient.filter(mass_message=mass, client=client_id, left_out="").first()
    if found is None:
        raise TooLate
    if found.message_id is not None:
        routing.lock_client(client_id)
        assignment_id = summaries.lock_for(found.message_id)
        if not states.move(found.message_id, to=State.CANCELLED, from_states=frozenset({State.WAITING}), now=now):
            raise TooLate
        summaries.recompute(assignment_id, now=now)
    found.left_out = LeftOut.DROPPED
    found.save(update_fields=["left_out"])


def _locked(mass: MassMessage) -> MassMessage:
    """As it is now; nobody makes texts of it meanwhile."""
    fresh = MassMessage.objects.select_for_update(of=("self",), no_key=True).select_related("department")
    return fresh.get(pk=mass.pk, confirmed_at__isnull=False)


def _texts(mass: MassMessage) -> QuerySet[Message]:
    return Message.objects.filter(mass_message=mass)


def _unmade(mass: MassMessage) -> int:
    """About how many segments those will have whose texts are yet to be made."""
    unmade = MassMessageRecipient.objects.filter(mass_message=mass, message__isnull=True, left_out="")
    return unmade.count() * segments.count(mass.body)


def _cancel_waiting(mass: MassMessage, now: datetime) -> int:
    """One UPDATE, and no lock on thousands of conversations: their lists are recounted in the background.

    The texts are locked in the order in which others lock several of them.
    """
    waiting = _texts(mass).filter(state=State.WAITING).order_by("pk").select_for_update().values("pk")
    return Message.objects.filter(pk__in=waiting, state=State.WAITING).update(state=State.CANCELLED, state_at=now)
