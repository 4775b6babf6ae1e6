"""What the database holds while it is measured: one department, one case manager, clients with conversations."""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test import Client as Browser
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import Department, User
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from clients.names import fill_search_key
from messaging import segments, summaries
from messaging.failures import FailureReason
from messaging.models import Message
from tests import builders

Row = TypeVar("Row", bound=models.Model)

MESSAGES_EACH = 20
MESSAGES_A_DAY = 5
SESSIONS = 8
BATCH = 1000
OUR_NUMBER = "+18015550100"
# Ends the newest text of each conversation: a right page has it, however it looks.
MARK = "Quetzalcoatlus"

_FIRST_NAMES = str.split("Maria James Aisha Robert Linh Patricia Diego Jennifer Omar Michael Grace Wei Linda Tyrone")
_LAST_NAMES = str.split("Lopez Smith Nguyen Johnson Begay Williams Garcia Brown Ali Jones Kim Miller Tsosie Davis")
_WORDS = str.split(
    """
    i you we can please call office court hearing tomorrow monday tuesday at nine two thirty will be there running late
    bus thanks appointment moved next week sorry my phone was off need a ride to the meeting judge said bring papers
    address is still work shift ends can't make it what time should come today okay see then program class starts check
    """
)
_FAILED_EVERY = 40
_UNREAD_EVERY = 10


@dataclass(frozen=True)
class Size:
    """clients: of the one case manager. messages: in the one long conversation; the others have MESSAGES_EACH."""

    clients: int
    messages: int


USUAL = Size(clients=200, messages=500)
TENFOLD = Size(clients=2_000, messages=5_000)


@dataclass(frozen=True)
class Filled:
    """What is needed to ask for it. cookies: a Cookie header for each session of the case manager."""

    cookies: list[str]
    addresses: list[str]
    client_ids: list[int]

    @property
    def long_client_id(self) -> int:
        """The client of the one long conversation."""
        return self.client_ids[0]


def fill(size: Size) -> Filled:
    """Replaces all data, the same for the same size but for the times. Some seconds."""
    call_command("flush", interactive=False, verbosity=0)
    chance = random.Random(size.clients)  # noqa: S311  # makes up texts, guards nothing
    now = timezone.now().replace(microsecond=0)
    with transaction.atomic():
        department = builders.make_department(phone_number=OUR_NUMBER)
        case_manager = builders.make_user(department, "Alice Adams", email="alice@bench.example.org")
        people = _clients(department, size.clients, now, chance)
        numbers = _numbers(department, people)
        assignments = _assignments(case_manager, people, now)
        _save(_events(people, case_manager))
        _save(_texts(assignments, size, now, chance))
        for assignment in assignments:
            summaries.recompute(assignment.pk, now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Filled(
        cookies=[_signed_in(case_manager) for _ in range(SESSIONS)],
        addresses=[number.address for number in numbers],
        client_ids=[client.pk for client in people],
    )


def _clients(department: Department, count: int, now: datetime, chance: random.Random) -> list[Client]:
    return _save(
        fill_search_key(
            Client(
                department=department,
                first_name=chance.choice(_FIRST_NAMES),
                last_name=f"{chance.choice(_LAST_NAMES)}-{chance.choice(_LAST_NAMES)}",
                created_at=now - timedelta(days=400),
            )
        )
        for _ in range(count)
    )


def _numbers(department: Department, people: Sequence[Client]) -> list[PhoneNumber]:
    """Fictitious ones: 555-0100 to 555-0199, a hundred in each area code."""
    return _save(
        PhoneNumber(department=department, client=client, address=f"+1{212 + serial // 100}55501{serial % 100:02d}")
        for serial, client in enumerate(people)
    )


def _assignments(case_manager: User, people: Sequence[Client], now: datetime) -> list[CaseAssignment]:
    statuses = list(ClientStatus.objects.filter(department=case_manager.department).order_by("position"))
    return _save(
        CaseAssignment(
            client=client,
            case_manager=case_manager,
            status=statuses[serial % 5 == 4],
            started_at=now - timedelta(days=400),
        )
        for serial, client in enumerate(people)
    )


def _events(people: Sequence[Client], case_manager: User) -> Iterator[ConversationEvent]:
    for client in people:
        yield ConversationEvent(client=client, kind=ConversationEvent.Kind.ADDED, at=client.created_at, by=case_manager)


def _texts(
    assignments: Sequence[CaseAssignment], size: Size, now: datetime, chance: random.Random
) -> Iterator[Message]:
    """The long conversation is the first client's, and the newest; it stands at the top of the list."""
    for serial, assignment in enumerate(assignments):
        count = MESSAGES_EACH if serial else size.messages
        newest_at = now - timedelta(minutes=1 + 59 * serial)
        for age in range(count):
            at = newest_at - age * timedelta(days=1) / MESSAGES_A_DAY
            words = " ".join(chance.choices(_WORDS, k=chance.randint(3, 30))).capitalize()
            if age % 2:
                yield _outgoing(assignment, words, at, has_failed=age % _FAILED_EVERY == _FAILED_EVERY - 1)
            else:
                words = words if age else f"{words[:60]} {MARK}"
                yield _incoming(assignment, words, at, is_unread=not age and serial % _UNREAD_EVERY == 0)


def _incoming(assignment: CaseAssignment, words: str, at: datetime, *, is_unread: bool) -> Message:
    return Message(
        **_common(assignment, words, at),
        direction=Message.Direction.INCOMING,
        state=Message.State.RECEIVED,
        read_at=None if is_unread else at + timedelta(minutes=5),
    )


def _outgoing(assignment: CaseAssignment, words: str, at: datetime, *, has_failed: bool) -> Message:
    return Message(
        **_common(assignment, words, at),
        direction=Message.Direction.OUTGOING,
        state=Message.State.UNDELIVERED if has_failed else Message.State.DELIVERED,
        failure_reason=FailureReason.PHONE_OFF if has_failed else "",
        author_id=assignment.case_manager_id,
        due_at=at,
    )


def _common(assignment: CaseAssignment, words: str, at: datetime) -> dict[str, Any]:
    return {
        "department_id": assignment.client.department_id,
        "client_id": assignment.client_id,
        "assignment_id": assignment.pk,
        "body": words,
        "segments": segments.count(words),
        "our_number": OUR_NUMBER,
        "their_number": "+12125550100",
        "carrier_id": f"SM{uuid.uuid4().hex}",
        "placed_at": at,
        "state_at": at + timedelta(seconds=3),
    }


def _save(rows: Iterable[Row]) -> list[Row]:
    """All rows of one table, with their ids."""
    listed = list(rows)
    return type(listed[0])._default_manager.bulk_create(listed, batch_size=BATCH)


def _signed_in(user: User) -> str:
    """A session made in the database, as signing in would, and the cookies that a browser then sends."""
    browser = Browser()
    browser.force_login(user)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={get_random_string(32)}"


def megabytes() -> float:
    """What the database takes on the disk, in 10^6 bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e6
