"""Makes what tests need, in one line each, through the database alone (no signals, no hidden extras).

Alice and Bob are in one department, Charlie in another; the numbers are all 555-01xx.
"""

import itertools
import uuid
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from clients.names import fill_search_key
from messaging import segments, summaries
from messaging.models import Message
from messaging.schedule import WallClock
from messaging.sms import InboundText

PASSWORD = "a password for the tests"

_serial = itertools.count(1)


def make_department(*, phone_number: str | None = None, **fields: Any) -> Department:
    """A department with the two statuses that a new one starts with.

    Unless told otherwise it texts around the clock (tests run at any hour) and answers no strangers.
    """
    serial = next(_serial)
    fields = {"opens_at": time.min, "closes_at": time.max, "automatic_reply": ""} | fields
    fields.setdefault("name", f"Department {serial}")
    department = Department.objects.create(phone_number=phone_number or f"+1801{3_000_000 + serial}", **fields)
    ClientStatus.objects.create(department=department, name="Active", position=0)
    ClientStatus.objects.create(department=department, name="Inactive", position=1)
    return department


def make_user(department: Department | None, name: str = "Alice Adams", **fields: Any) -> User:
    """A person who signs in with PASSWORD."""
    fields.setdefault("email", f"{name.split()[0].lower()}{next(_serial)}@clientcomm.test")
    user = User(full_name=name, department=department, **fields)
    user.set_password(PASSWORD)
    user.save()
    return user


def make_client(
    case_manager: User | None,
    *,
    department: Department | None = None,
    address: str | None = None,
    first_name: str = "Maria",
    last_name: str = "Lopez",
    **number_fields: Any,
) -> CaseAssignment:
    """A client with a number and an open assignment (unclaimed, if there is no case manager)."""
    office = department or (case_manager.department if case_manager else None)
    assert office is not None
    client = fill_search_key(Client(department=office, first_name=first_name, last_name=last_name))
    client.save()
    PhoneNumber.objects.create(
        department=office, client=client, address=address or f"+1385{next(_serial) + 2_000_000:07d}", **number_fields
    )
    status = ClientStatus.objects.filter(department=office).order_by("position").first()
    return CaseAssignment.objects.create(client=client, case_manager=case_manager, status=status)


def make_caseload(case_manager: User, count: int) -> list[CaseAssignment]:
    """So many clients at once, each with a number, a text and an unread mark, as the list shows them."""
    office = case_manager.department
    assert office is not None
    clients = Client.objects.bulk_create(
        fill_search_key(Client(department=office, first_name="Many", last_name=f"Client {number}"))
        for number in range(count)
    )
    PhoneNumber.objects.bulk_create(
        PhoneNumber(department=office, client=client, address=f"+1435{next(_serial) + 2_000_000:07d}")
        for client in clients
    )
    status = ClientStatus.objects.filter(department=office).first()
    return CaseAssignment.objects.bulk_create(
        CaseAssignment(
            client=client,
            case_manager=case_manager,
            status=status,
            snippet="Hello",
            unread_count=1,
            last_contact_at=timezone.now(),
        )
        for client in clients
    )


def number_of(assignment: CaseAssignment) -> PhoneNumber:
    """The client's current number, fresh from the database."""
    return PhoneNumber.objects.get(client=assignment.client_id, is_current=True)


def make_incoming(assignment: CaseAssignment, body: str = "Hello", *, at: datetime | None = None) -> Message:
    """A text that came in, unread; the list knows of it."""
    at = at or timezone.now()
    message = Message.objects.create(
        department=assignment.client.department,
        client=assignment.client,
        assignment=assignment,
        direction=Message.Direction.INCOMING,
        state=Message.State.RECEIVED,
        body=body,
        carrier_id=f"SM{uuid.uuid4().hex}",
        placed_at=at,
    )
    summaries.recompute(assignment.pk, now=timezone.now())
    return message


def make_outgoing(
    assignment: CaseAssignment,
    body: str = "Your court date is Tuesday",
    *,
    state: Message.State = Message.State.WAITING,
    at: datetime | None = None,
    **fields: Any,
) -> Message:
    """A text that the case manager typed, in the state given, with what the database asks of that state."""
    at = at or timezone.now()
    if state != Message.State.WAITING:
        fields.setdefault("our_number", assignment.client.department.phone_number)
        fields.setdefault("their_number", number_of(assignment).address)
    if state == Message.State.SENDING:
        fields.setdefault("claimed_at", at)
    if state in (Message.State.FAILED, Message.State.UNDELIVERED):
        fields.setdefault("failure_reason", "unexplained")
    fields.setdefault("due_at", at)
    message = Message.objects.create(
        department=assignment.client.department,
        client=assignment.client,
        assignment=assignment,
        author=assignment.case_manager,
        direction=Message.Direction.OUTGOING,
        state=state,
        body=body,
        segments=segments.count(body),
        placed_at=at,
        state_at=at,
        **fields,
    )
    summaries.recompute(assignment.pk, now=timezone.now())
    return message


def make_scheduled(
    assignment: CaseAssignment, body: str = "See you on Tuesday", *, days: int = 2, **fields: Any
) -> Message:
    """A text for nine o'clock, in so many days."""
    zone = assignment.client.department.zone
    when = WallClock(timezone.now().astimezone(zone).date() + timedelta(days=days), time(9), zone)
    clock: dict[str, Any] = {"scheduled_date": when.date, "scheduled_time": when.time, "scheduled_zone": zone.key}
    return make_outgoing(assignment, body, at=when.due_at, **clock, **fields)


def make_talk(assignment: CaseAssignment, count: int) -> list[Message]:
    """So many texts at once, in and out by turns, a minute apart, the last one now."""
    now = timezone.now()
    common: dict[str, Any] = {
        "department_id": assignment.client.department_id,
        "client_id": assignment.client_id,
        "assignment": assignment,
        "our_number": assignment.client.department.phone_number,
        "their_number": number_of(assignment).address,
    }
    incoming = {"direction": Message.Direction.INCOMING, "state": Message.State.RECEIVED}
    outgoing = {
        "direction": Message.Direction.OUTGOING,
        "state": Message.State.DELIVERED,
        "author_id": assignment.case_manager_id,
        "due_at": now,
    }
    messages = Message.objects.bulk_create(
        Message(
            body=f"text {number}",
            placed_at=now - timedelta(minutes=count - number),
            **common,
            **(outgoing if number % 2 else incoming),
        )
        for number in range(count)
    )
    summaries.recompute(assignment.pk, now=now)
    return messages


def inbound_text(assignment: CaseAssignment | None = None, body: str = "Hello", **fields: Any) -> InboundText:
    """What the wire hands to messaging, from this client unless fields say otherwise."""
    if assignment is not None:
        fields.setdefault("from_address", number_of(assignment).address)
        fields.setdefault("to_number", assignment.client.department.phone_number)
    fields.setdefault("carrier_id", f"SM{uuid.uuid4().hex}")
    return InboundText(body=body, **fields)


def minutes_ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)
