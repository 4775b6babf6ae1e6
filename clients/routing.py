"""Where a text belongs: one rule, whoever asks.

The active assignment of the number; else the last one ended by deletion, if its case manager may still sign in, comes
back to life; else the client is unclaimed. A number that nobody knows makes an unclaimed client.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Department
from accounts.statements import Statement
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber


@dataclass(frozen=True)
class Route:
    """Who wrote, from which number, and the assignment that the text goes into. Client and assignment are locked."""

    client: Client
    number: PhoneNumber
    assignment: CaseAssignment

    @property
    def place(self) -> "Place":
        return Place(self.client.department_id, self.client.pk, self.number.pk, self.assignment.pk)


@dataclass(frozen=True)
class Place:
    """The same by the ids of its rows."""

    department_id: int
    client_id: int
    number_id: int
    assignment_id: int


class NotUsual(Exception):
    """It takes the whole rule to say where this text belongs."""


# Client before assignment: rows are locked in the order in which they are named at the end.
_LOCK_USUAL = Statement(
    "lock_usual_place",
    """
SELECT d.id, c.id, n.id, a.id FROM accounts_department d
  JOIN clients_phonenumber n ON n.department_id = d.id
  JOIN clients_client c ON c.id = n.client_id
  JOIN clients_caseassignment a ON a.client_id = c.id AND a.ended_at IS NULL
WHERE d.phone_number = %(our_number)s AND n.address = %(address)s
""",
    lock="FOR NO KEY UPDATE OF c, a",
    our_number="varchar",
    address="varchar",
)
_IS_STILL_USUAL = Statement(
    "is_still_usual_place",
    """
SELECT a.id FROM clients_phonenumber n
  JOIN clients_caseassignment a ON a.client_id = n.client_id AND a.ended_at IS NULL
  JOIN accounts_user u ON u.id = a.case_manager_id AND u.is_active
WHERE n.id = %(number_id)s AND n.client_id = %(client_id)s AND a.id = %(assignment_id)s
""",
    number_id="bigint",
    client_id="bigint",
    assignment_id="bigint",
)


def usual_place(*, our_number: str, address: str) -> Place:
    """The place of nearly every text, in two statements: a known number, a client on somebody's list.

    It is the one that route_text gives, but only this assignment is locked; whatever is not as simple raises NotUsual.
    The caller then rolls back, so that nothing stays locked in vain, and asks route_text.
    """
    found = _LOCK_USUAL.first(our_number=our_number, address=address)
    if found is None:
        raise NotUsual
    department_id, client_id, number_id, assignment_id = found
    # Asked again, now that they are locked: while we waited the number may have moved to another client.
    if not _IS_STILL_USUAL.first(number_id=number_id, client_id=client_id, assignment_id=assignment_id):
        raise NotUsual
    return Place(department_id, client_id, number_id, assignment_id)


def route_text(*, department: Department, address: str, now: datetime) -> Route:
    """The place of a text from the address. Must run in a transaction; locks client and assignments until its end."""
    number = number_for(department, address, now)
    client = lock_client_of(number)
    lock_conversations(client.pk)
    return Route(client, number, _open_assignment(client, now))


def lock_client(client_id: int) -> Client:
    """The lock of a conversation: whatever moves or adds to it begins here (docs/adr/0004).

    NO KEY: PostgreSQL checks foreign keys at the commit, with a lock on the client. Who holds the assignment and
    commits must not wait for us while we wait for the assignment.
    """
    return Client.objects.select_for_update(no_key=True).get(pk=client_id)


def lock_client_of(number: PhoneNumber) -> Client:
    """The client whose number this is, locked, also if the number moves to another one while we wait for the lock.

    Brings the number up to date. A client that was locked in vain is let go: else a merge of the two could deadlock.
    """
    while True:
        with transaction.atomic():
            client = lock_client(number.client_id)
            number.refresh_from_db()
            if number.client_id == client.pk:
                return client
            transaction.set_rollback(True)


def lock_clients(client_ids: Iterable[int]) -> dict[int, Client]:
    """Several, in order of id, by their ids."""
    return {client_id: lock_client(client_id) for client_id in sorted(set(client_ids))}


def lock_conversations(*client_ids: int) -> list[int]:
    """All these clients' assignments, the ended ones too, in order of id; the clients are locked by the caller.

    Before any one of them is locked alone: others lock those of many clients in this order (docs/adr/0004).
    """
    rows = CaseAssignment.objects.filter(client__in=client_ids).order_by("pk")
    return list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def number_for(department: Department, address: str, now: datetime) -> PhoneNumber:
    """The number's row; made, with an unclaimed client, if nobody knows it. Two first texts at once make one."""
    known = PhoneNumber.objects.filter(department=department, address=address)
    if number := known.first():
        return number
    client = Client.objects.create(department=department, created_at=now)
    PhoneNumber.objects.bulk_create(
        [PhoneNumber(department=department, client=client, address=address)], ignore_conflicts=True
    )
    number = known.get()
    if number.client_id != client.pk:
        client.delete()
    return number


def _open_assignment(client: Client, now: datetime) -> CaseAssignment:
    open_ones = CaseAssignment.objects.filter(client=client, ended_at__isnull=True).order_by()
    active = open_ones.select_for_update(of=("self",), no_key=True).select_related("case_manager").first()
    if active is not None:
        if active.case_manager is None or active.case_manager.is_active:
            return active
        end(active, CaseAssignment.EndReason.LEFT, now)
    return _restored(client, now) or unclaimed(client, now)


def _restored(client: Client, now: datetime) -> CaseAssignment | None:
    last = (
        CaseAssignment.objects.select_related("case_manager")
        .filter(client=client, case_manager__isnull=False, ended_at__isnull=False)
        .exclude(end_reason=CaseAssignment.EndReason.LEFT)
        .order_by("-ended_at", "-id")
        .first()
    )
    if last is None or last.end_reason != CaseAssignment.EndReason.DELETED:
        return None
    if last.case_manager is None or not last.case_manager.is_active:
        return None
    reopen(last, now)
    ConversationEvent.objects.create(client=client, kind=ConversationEvent.Kind.RESTORED, at=now)
    return last


def unclaimed(client: Client, now: datetime) -> CaseAssignment:
    """The client's one assignment without a case manager, open."""
    assignment, made = CaseAssignment.objects.get_or_create(
        client=client, case_manager=None, defaults={"started_at": now}
    )
    if not made and not assignment.is_open:
        reopen(assignment, now)
    return assignment


def end(assignment: CaseAssignment, reason: CaseAssignment.EndReason, now: datetime) -> None:
    """Ends the assignment; its messages stay where they are."""
    assignment.ended_at, assignment.end_reason = now, reason
    assignment.save(update_fields=["ended_at", "end_reason"])


def reopen(assignment: CaseAssignment, now: datetime) -> None:
    """Takes up an ended assignment again, with its notes and messages."""
    assignment.ended_at, assignment.end_reason, assignment.started_at = None, "", now
    assignment.save(update_fields=["ended_at", "end_reason", "started_at"])
