"""Taking a client off one's list, and back.

A text that comes in that very moment must be seen by somebody. Both wait for the client's row: if the text is first,
the deletion finds a text that its person has not seen, and is refused; if the deletion is first, the text brings the
client back (clients.routing).
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent
from messaging import summaries
from messaging.actions.caseload import ColleaguesClient, put_on_list, refuse_closed
from messaging.actions.sending import NotYours
from messaging.mass_choice import LeftOut
from messaging.models import MassMessageRecipient, Message

EndReason = CaseAssignment.EndReason
State = Message.State
_PENDING = (State.WAITING, State.HELD)


class NewTexts(Exception):
    """Texts came that the person has not been shown. Nothing was changed."""


@dataclass(frozen=True)
class Restored:
    assignment: CaseAssignment
    was_mine: bool = False
    was_unclaimed: bool = False


@transaction.atomic
def delete_client(*, client_id: int, seen_up_to: int, by: User, now: datetime) -> int:
    """Takes the client off the list and cancels what waits; the messages are kept. Gives how many were cancelled.

    seen_up_to: the newest incoming text on the page that asked (0: none). A second time it changes nothing.
    Raises NewTexts, NotYours.
    """
    places = _lock_places(client_id)
    client = routing.lock_client(client_id)
    routing.lock_conversations(client_id)
    mine = CaseAssignment.objects.filter(client=client_id, case_manager=by).first()
    if mine is None or not (mine.is_open or mine.end_reason == EndReason.DELETED):
        raise NotYours
    if not mine.is_open:
        return 0
    if Message.objects.filter(client=client_id, assignment=mine, pk__gt=seen_up_to, read_at=None, direction="in"):
        raise NewTexts
    cancelled = _cancel_waiting(client, places, now)
    routing.end(mine, EndReason.DELETED, now)
    ConversationEvent.objects.create(client=client, kind=ConversationEvent.Kind.DELETED, by=by, at=now)
    summaries.recompute(mine.pk, now=now)
    before = {"status": str(mine.status or ""), "unread": mine.unread_count}
    subject = f"client:{client_id}"
    audit.record(
        "client.deleted", subject, by=by, department=by.department, now=now, before=before, cancelled=cancelled
    )
    return cancelled


@transaction.atomic
def restore_client(*, client_id: int, by: User, now: datetime) -> Restored:
    """Puts a client whom `by` deleted back on the list, with what came while nobody had it. Once is enough.

    What was cancelled stays cancelled. Raises ColleaguesClient, AccountClosed, NotYours.
    """
    refuse_closed(by)
    client = routing.lock_client(client_id)
    routing.lock_conversations(client_id)
    mine = CaseAssignment.objects.filter(client=client_id, case_manager=by).first()
    if mine is None or client.merged_into_id is not None or client.department_id != by.department_id:
        raise NotYours
    if mine.is_open:
        return Restored(mine, was_mine=True)
    if mine.end_reason != EndReason.DELETED:
        raise NotYours
    active = CaseAssignment.objects.select_related("case_manager").filter(client=client, ended_at__isnull=True).first()
    if active is not None and active.case_manager is not None:
        raise ColleaguesClient(active.case_manager)
    assignment, _was_there = put_on_list(client, by, now)
    was_unclaimed = active is not None
    before = {"deleted_at": mine.ended_at.isoformat() if mine.ended_at else "", "was_unclaimed": was_unclaimed}
    audit.record("client.restored", f"client:{client_id}", by=by, department=by.department, now=now, before=before)
    return Restored(assignment, was_unclaimed=was_unclaimed)


def _lock_places(client_id: int) -> list[int]:
    """The client's places in mass messages whose text has not gone out: these are locked before any client."""
    places = MassMessageRecipient.objects.filter(client=client_id, message__state__in=_PENDING).order_by("pk")
    return list(places.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _cancel_waiting(client: Client, places: list[int], now: datetime) -> int:
    """What waits or was held, in any of the client's conversations: nobody would see it any more.

    Waits for a claim in progress, whose lock is short: that text goes out. Should the carrier not take it, it is
    cancelled when it comes up again (messaging.claims).
    """
    ahead = Message.objects.filter(client=client, state__in=_PENDING).order_by("pk")
    locked = list(ahead.select_for_update().values_list("pk", flat=True))
    still = list(Message.objects.filter(pk__in=locked, state__in=_PENDING).values_list("pk", flat=True))
    MassMessageRecipient.objects.filter(pk__in=places, message__in=still).update(left_out=LeftOut.NOT_YOURS)
    return Message.objects.filter(pk__in=still).update(state=State.CANCELLED, state_at=now, hold_reason="")
