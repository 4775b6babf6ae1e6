"""A client goes from one case manager's list to a colleague's.

What was read and has gone out stays with who had the client; what is unread, and what the carrier does not have yet,
goes along. Locks: the colleague first (so that the account can't be closed meanwhile), then as everywhere.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from accounts import audit, mail
from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent
from messaging import joining, summaries
from messaging.actions.sending import NotYours
from messaging.models import Message

State = Message.State
EndReason = CaseAssignment.EndReason

# Not handed over for certain: whoever has the client from now on has to know, and to decide.
NOT_YET_ACCEPTED = (State.WAITING, State.HELD, State.SENDING, State.UNKNOWN)


class NotMoved(Exception):
    """The client stays where it is; nothing was changed."""


class ColleagueGone(NotMoved):
    """The colleague's account was closed a moment ago, or is in another department."""

    def __init__(self, colleague: User) -> None:
        super().__init__(colleague.pk)
        self.colleague = colleague


class MovedMeanwhile(NotMoved):
    """The client is no longer on that list; case_manager: on whose instead, or nobody's."""

    def __init__(self, case_manager: User | None) -> None:
        super().__init__(case_manager and case_manager.pk)
        self.case_manager = case_manager


@dataclass(frozen=True)
class Move:
    """Whose client goes to whom. note: for the conversation, empty or in the person's words.

    takes_notes: the case manager's private notes are copied; only who wrote them can want that.
    """

    former: User
    to: User
    note: str = ""
    takes_notes: bool = False


@transaction.atomic
def transfer_client(*, client_id: int, move: Move, by: User, now: datetime, is_told: bool = True) -> CaseAssignment:
    """Ends the one assignment and opens the other; gives the new one. is_told: the colleague gets an e-mail.

    by: the case manager, or a supervisor of the department. Raises NotMoved (ColleagueGone, MovedMeanwhile), NotYours.
    """
    to = locked_colleague(move.to, by)
    client = routing.lock_client(client_id)
    routing.lock_conversations(client.pk)
    old = _leaving(client, move, by)
    routing.end(old, EndReason.TRANSFERRED, now)
    new = _taken_up(client, to, old, now)
    if move.takes_notes and by.pk == old.case_manager_id:
        new.notes = joining.joined_notes(new.notes, old.notes, client, now)
    new.status = old.status
    new.save(update_fields=["notes", "status"])
    _take_along(old, new)
    ConversationEvent.objects.create(
        client=client,
        kind=ConversationEvent.Kind.TRANSFERRED,
        at=now,
        by=by,
        from_person=move.former,
        to_person=to,
        reason=move.note,
    )
    before = {"case_manager": move.former.pk}
    subject = f"client:{client.pk}"
    audit.record("client.transferred", subject, by=by, department=by.department, now=now, before=before, to=to.pk)
    summaries.recompute(old.pk, new.pk, now=now)
    if is_told and to != by:
        _tell(new, move, by, now)
    return new


def locked_colleague(colleague: User, by: User) -> User:
    """As the account is now; while the lock is held it can't be closed. Raises ColleagueGone."""
    locked = User.objects.select_for_update(of=("self",), no_key=True).filter(pk=colleague.pk).first()
    if locked is None or not locked.is_active or locked.department_id != by.department_id:
        raise ColleagueGone(colleague)
    return locked


def _leaving(client: Client, move: Move, by: User) -> CaseAssignment:
    """The open assignment, locked before, looked at again."""
    if client.department_id != by.department_id:
        raise NotYours
    open_ones = CaseAssignment.objects.select_related("case_manager", "status").filter(client=client)
    old = open_ones.filter(ended_at__isnull=True).first()
    if old is None or old.case_manager != move.former or old.case_manager == move.to:
        raise MovedMeanwhile(old.case_manager if old else None)
    if not (old.case_manager == by or by.is_supervisor):
        raise NotYours
    return old


def _taken_up(client: Client, to: User, old: CaseAssignment, now: datetime) -> CaseAssignment:
    """One row for each pair: whoever had the client before goes on where it ended."""
    earlier = CaseAssignment.objects.filter(client=client, case_manager=to).first()
    if earlier is None:
        return CaseAssignment.objects.create(client=client, case_manager=to, status=old.status, started_at=now)
    routing.reopen(earlier, now)
    return earlier


def moves_along() -> Q:
    """Which of an assignment's messages go with the client.

    Also one that may not have been sent, as long as nobody has said what became of it: in an ended conversation nobody
    could.
    """
    unsettled = Q(state=State.UNCONFIRMED, arrived_at__isnull=True, retried_as__isnull=True)
    unread = Q(direction=Message.Direction.INCOMING, read_at__isnull=True)
    return unread | Q(state__in=NOT_YET_ACCEPTED) | unsettled


def _take_along(old: CaseAssignment, new: CaseAssignment) -> None:
    """Waits for a claim in progress; what it has taken up goes along as it goes out."""
    leaving = Message.objects.filter(moves_along(), client=old.client_id, assignment=old).order_by("pk")
    ids = list(leaving.values_list("pk", flat=True))
    list(Message.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk"))
    Message.objects.filter(pk__in=ids).update(assignment=new)


def _tell(new: CaseAssignment, move: Move, by: User, now: datetime) -> None:
    """Names the client and who did it. The note may hold what does not belong into a mail: it stays in the talk."""
    unread = Message.objects.filter(assignment=new, direction=Message.Direction.INCOMING, read_at__isnull=True)
    context = {
        "person": new.case_manager,
        "by": by,
        "former": move.former,
        "client_name": str(new.client),
        "has_note": bool(move.note),
        "unread": unread.count(),
        "link": settings.PUBLIC_URL + reverse("conversation", args=[new.client_id]),
    }
    mail.queue("messaging/email/transfer", to=move.to.email, context=context, now=now)
