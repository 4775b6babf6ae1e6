"""Putting a client on one's list."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent
from clients.names import NAME_FIELDS, fill_search_key
from messaging import joining, summaries
from messaging.models import Message

EndReason = CaseAssignment.EndReason


@dataclass(frozen=True)
class NewClient:
    """What a case manager types of a client; the number in E.164."""

    first_name: str
    last_name: str
    phone_number: str
    status: ClientStatus
    notes: str = ""
    id_number: str = ""
    language: str = ""


@dataclass(frozen=True)
class Added:
    """The client's open assignment, and how it came about."""

    assignment: CaseAssignment
    was_mine: bool = False
    was_unclaimed: bool = False
    was_restored: bool = False


class ColleaguesClient(Exception):
    """A colleague works with the person behind this number."""

    def __init__(self, colleague: User) -> None:
        super().__init__(colleague.pk)
        self.colleague = colleague


class AccountClosed(Exception):
    """The person was disabled a moment ago: nobody would see the client."""


@transaction.atomic
def add_client(*, new: NewClient, by: User, department: Department, now: datetime) -> Added:
    """Puts the client on the list of `by`; texts that came from an unclaimed number come along.

    Raises ColleaguesClient or AccountClosed, and then changes nothing.
    """
    if not User.objects.select_for_update(no_key=True).filter(pk=by.pk, is_active=True):
        raise AccountClosed
    number = routing.number_for(department, new.phone_number, now)
    client = routing.lock_client_of(number)
    routing.lock_conversations(client.pk)
    active = CaseAssignment.objects.select_related("case_manager").filter(client=client, ended_at__isnull=True).first()
    if active is not None and active.case_manager is not None:
        if active.case_manager_id != by.pk:
            raise ColleaguesClient(active.case_manager)
        return Added(active, was_mine=True)
    _fill(client, new)
    assignment, restored = _assigned(client, new, by, now)
    if active is not None:
        _claim(active, assignment, now)
    return Added(assignment, was_unclaimed=active is not None, was_restored=restored)


def _fill(client: Client, new: NewClient) -> None:
    """Filled fields win, empty ones change nothing."""
    for field in ("first_name", "last_name", "id_number", "language"):
        setattr(client, field, getattr(new, field) or getattr(client, field))
    fill_search_key(client).save(update_fields=[*NAME_FIELDS, "language"])


def _assigned(client: Client, new: NewClient, by: User, now: datetime) -> tuple[CaseAssignment, bool]:
    """The open assignment of this pair, and whether an ended one was taken up again."""
    CaseAssignment.objects.filter(client=client, ended_at__isnull=True).update(
        ended_at=now, end_reason=EndReason.CLAIMED
    )
    assignment = CaseAssignment.objects.filter(client=client, case_manager=by).first()
    kind = ConversationEvent.Kind.ADDED if assignment is None else ConversationEvent.Kind.RESTORED
    ConversationEvent.objects.create(client=client, kind=kind, by=by, at=now)
    if assignment is None:
        made = CaseAssignment(client=client, case_manager=by, started_at=now, notes=new.notes, status=new.status)
        made.save()
        return made, False
    routing.reopen(assignment, now)
    assignment.notes = joining.joined_notes(assignment.notes, new.notes, client, now)
    assignment.status = new.status
    assignment.save(update_fields=["notes", "status"])
    return assignment, True


def _claim(unclaimed: CaseAssignment, assignment: CaseAssignment, now: datetime) -> None:
    """Moves every message of the unclaimed time into the case manager's conversation. Both are locked, or new."""
    Message.objects.filter(client=unclaimed.client_id, assignment=unclaimed).update(assignment=assignment)
    for assignment_id in (unclaimed.pk, assignment.pk):
        summaries.recompute(assignment_id, now=now)
