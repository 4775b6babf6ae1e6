"""Putting a client on one's list."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from clients.names import NAME_FIELDS, fill_search_key
from messaging import joining, known_numbers, summaries
from messaging.known_numbers import Answer, Choice, Known, MustAsk, Whose
from messaging.known_numbers import ColleaguesClient as ColleaguesClient
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


class AccountClosed(Exception):
    """The person was disabled a moment ago: nobody would see the client."""


@transaction.atomic
def add_client(
    *, new: NewClient, by: User, department: Department, now: datetime, answer: Answer | None = None
) -> Added:
    """Puts the client on the list of `by`; texts that came from an unclaimed number come along.

    answer: what `by` said to MustAsk. Raises MustAsk, ColleaguesClient or AccountClosed, and then changes nothing.
    """
    refuse_closed(by)
    number = routing.number_for(department, new.phone_number, now)
    client = routing.lock_client_of(number)
    routing.lock_conversations(client.pk)
    known = known_numbers.look(number, client, by)
    choices = known.choices_to_add
    if choices and not known.allows(answer, choices):
        raise MustAsk(known, choices)
    if choices and answer is not None and answer.choice is Choice.OTHER:
        return _add_with_number_of(known, new, by, now)
    if known.whose is Whose.MINE:
        assert known.last is not None  # it is open
        return Added(known.last, was_mine=True)
    return _add(known, new, by, now)


def refuse_closed(by: User) -> None:
    """Before any client is locked; until the end of the transaction the account can't be closed. AccountClosed."""
    if not User.objects.select_for_update(no_key=True).filter(pk=by.pk, is_active=True):
        raise AccountClosed


def put_on_list(client: Client, by: User, now: datetime) -> tuple[CaseAssignment, bool]:
    """The open assignment of this pair, and whether an ended one was taken up again.

    What was written while nobody had the client comes along, with an event. The client and all its conversations are
    locked, and no colleague has it.
    """
    unclaimed = CaseAssignment.objects.filter(client=client, case_manager__isnull=True).first()
    if unclaimed is not None and unclaimed.is_open:
        routing.end(unclaimed, EndReason.CLAIMED, now)
    assignment = CaseAssignment.objects.filter(client=client, case_manager=by).first()
    restored = assignment is not None
    kind = ConversationEvent.Kind.RESTORED if restored else ConversationEvent.Kind.ADDED
    ConversationEvent.objects.create(client=client, kind=kind, by=by, at=now)
    if assignment is None:
        assignment = CaseAssignment.objects.create(client=client, case_manager=by, started_at=now)
    else:
        routing.reopen(assignment, now)
    if unclaimed is not None:
        Message.objects.filter(client=client, assignment=unclaimed).update(assignment=assignment)
        summaries.recompute(unclaimed.pk, now=now)
    summaries.recompute(assignment.pk, now=now)
    return assignment, restored


def _add(known: Known, new: NewClient, by: User, now: datetime) -> Added:
    """The client of the number, whom nobody has."""
    client, was_unclaimed = known.client, known.last is not None and known.last.is_open
    before = _fill(client, new)
    assignment, restored = put_on_list(client, by, now)
    if restored and assignment.status_id not in (None, new.status.pk):
        before["status"] = str(assignment.status)
    assignment.notes = joining.joined_notes(assignment.notes, new.notes, client, now)
    assignment.status = new.status
    assignment.save(update_fields=["notes", "status"])
    _make_current(known.number, client, by, now)
    done = {"was_restored": restored, "was_unclaimed": was_unclaimed, "before": before}
    audit.record("client.added", f"client:{client.pk}", by=by, department=by.department, now=now, **done)
    assignment.refresh_from_db()
    return Added(assignment, was_unclaimed=was_unclaimed, was_restored=restored)


def _add_with_number_of(known: Known, new: NewClient, by: User, now: datetime) -> Added:
    """Another person, who has this number now; whose it was keeps the conversation."""
    client = Client.objects.create(department=known.client.department, created_at=now)
    known_numbers.take_over(known.number, to=client, by=by, now=now)
    return _add(Known(Whose.NEW, client, known.number, None), new, by, now)


def _make_current(number: PhoneNumber, client: Client, by: User, now: datetime) -> None:
    """The number that was typed is the one that is texted, also if another took its place before."""
    if number.is_current:
        return
    old = PhoneNumber.objects.filter(client=client, is_current=True).first()
    known_numbers.make_current(number, client)
    if old is not None:
        kind = ConversationEvent.Kind.NUMBER_CHANGED
        addresses = {"old_address": old.address, "new_address": number.address}
        ConversationEvent.objects.create(client=client, kind=kind, by=by, at=now, **addresses)


def _fill(client: Client, new: NewClient) -> dict[str, str]:
    """Filled fields win, empty ones change nothing. Gives what stood in those that changed."""
    before = {}
    for field in ("first_name", "last_name", "id_number", "language"):
        old, typed = getattr(client, field), getattr(new, field)
        if old and typed and old != typed:
            before[field] = old
        setattr(client, field, typed or old)
    fill_search_key(client).save(update_fields=[*NAME_FIELDS, "language"])
    return before
