"""Finding the next text that may go out, and locking it.

Single texts come first, whatever else waits. Those of mass messages follow, each department's at its number's pace.
Both are found by an index that begins with the moment from which they may go out, so that neither a text that backs off
nor ten thousand that wait for the morning are looked at again and again.

By hand: every text pays for these statements, and to build them by the ORM cost more than to run them. Only our own
words are put into them. On SQLite, where nothing waits for them, they find a text and the ORM reads it.
"""

import functools
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from accounts.models import Department, User
from accounts.statements import Statement
from clients.models import CaseAssignment, PhoneNumber
from messaging import gaps, holds
from messaging.models import Message

State, Priority = Message.State, Message.Priority

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

WITH = ("department", "assignment__case_manager")


@dataclass(frozen=True)
class Due:
    """A locked text with its department, assignment and case manager. is_stopped: there was a hold on its sender."""

    message: Message
    is_stopped: bool


@dataclass(frozen=True)
class NotYet:
    """Only texts of mass messages are due, and the pace allows none of them before `until`."""

    until: datetime


def next_single(now: datetime) -> Due | None:
    """The one that could have gone out for longest."""
    return _first(_SINGLE, now)


def next_of_mass(now: datetime) -> Due | NotYet | None:
    """Of the departments whose pace allows one now, that which could have had it for longest goes first."""
    queues = _queues(now)
    for queue in queues:
        if queue.next_at <= now and (found := _first(_OF_MASS, now, department=queue.department_id)):
            return found
    later = [queue.next_at for queue in queues if queue.next_at > now]
    return NotYet(min(later)) if later else None


@dataclass(frozen=True)
class _Queue:
    """A department with due texts of mass messages. next_at: from when on its pace allows one."""

    department_id: int
    next_at: datetime


def _queues(now: datetime) -> list[_Queue]:
    """The longest allowed first; those without a limit last, by turns: they take what time the others leave."""
    with connection.cursor() as cursor:
        cursor.execute(_queues_statement(connection.vendor), {"now": connection.ops.adapt_datetimefield_value(now)})
        rows = cursor.fetchall()
    limited = [_Queue(pk, _in_utc(next_at) or _LONG_AGO) for pk, next_at, is_limited in rows if is_limited]
    unlimited = [_Queue(pk, now) for pk, _next_at, is_limited in rows if not is_limited]
    random.shuffle(unlimited)
    return [*sorted(limited, key=lambda queue: queue.next_at), *unlimited]


def _in_utc(at: datetime | None) -> datetime | None:
    """SQLite gives it without a zone."""
    return at and at.replace(tzinfo=UTC)


def locked_number(client_id: int) -> PhoneNumber | None:
    """The client's current number as it is now: an opt-out that is being written is waited for."""
    if connection.vendor != "postgresql":
        return PhoneNumber.objects.filter(client=client_id, is_current=True).first()
    row = _NUMBER.first(client=client_id)
    return PhoneNumber.from_db(connection.alias, _NUMBER_FIELDS, row) if row else None


def _first(which: str, now: datetime, **parameters: int) -> Due | None:
    values: dict[str, datetime | int] = {"now": now, "gap_before": now - gaps.LONG, **parameters}
    if connection.vendor == "postgresql":
        row = _prepared(which).first(**values)
        return _due(row) if row else None
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            _find_statement(which, connection.vendor),
            {name: adapt(value) if isinstance(value, datetime) else value for name, value in values.items()},
        )
        row = cursor.fetchone()
    return Due(Message.objects.select_related(*WITH).get(pk=row[0]), is_stopped=True) if row else None


@functools.cache
def _prepared(which: str) -> Statement:
    if which == _OF_MASS:
        types = {"now": "timestamptz", "gap_before": "timestamptz", "department": "bigint"}
        return Statement("next_of_mass", _read_statement(which), **types)
    return Statement("next_single", _read_statement(which), now="timestamptz", gap_before="timestamptz")


def _due(row: tuple[Any, ...]) -> Due:
    """What _read_statement gave, as the ORM would have made it; a column that isn't there is fetched when asked for."""
    made: list[Any] = []
    begin = 0
    for _alias, model, fields in _COLUMNS:
        values = row[begin : (begin := begin + len(fields))]
        made.append(model.from_db(connection.alias, fields, values) if values[0] is not None else None)
    message, department, assignment, case_manager = made
    message.department, message.assignment, assignment.case_manager = department, assignment, case_manager
    return Due(message, is_stopped=row[-1])


_SINGLE = f"m.priority = {Priority.SINGLE}"
_OF_MASS = f"m.priority = {Priority.MASS} AND m.department_id = %(department)s"

# None to the same client is on its way, and none that is to go before it waits. What waits for the morning is not
# before a text that a person sends now; nor is one of a mass message, whose turn may come hours later. (Not as NOT
# EXISTS: PostgreSQL may make a join of that, and read all that waits.)
_NONE_AHEAD = f"""
(SELECT 1 FROM messaging_message e
  WHERE e.client_id = m.client_id AND e.state IN ('{State.WAITING}', '{State.SENDING}')
    AND (e.state = '{State.SENDING}'
      OR (e.priority <= m.priority AND (e.due_at < m.due_at OR (e.due_at = m.due_at AND e.id < m.id))
        AND COALESCE(e.try_at <> e.finish_by OR e.try_at <= %(now)s, TRUE)))
  LIMIT 1) IS NULL
"""  # noqa: S608


def _ready_at(vendor: str) -> str:
    """The indexes begin with it; messaging.models.READY_AT is the same for the ORM."""
    return f"{'GREATEST' if vendor == 'postgresql' else 'MAX'}(m.due_at, COALESCE(m.try_at, m.due_at))"


@functools.cache
def _queues_statement(vendor: str) -> str:
    return f"""
SELECT d.id, s.next_mass_at, d.segments_per_second IS NOT NULL
FROM accounts_department d LEFT JOIN messaging_sendernumber s ON s.department_id = d.id
WHERE EXISTS (
  SELECT 1 FROM messaging_message m
  WHERE m.department_id = d.id AND m.state = '{State.WAITING}' AND m.priority = {Priority.MASS}
    AND {_ready_at(vendor)} <= %(now)s)
"""  # noqa: S608


def _find_statement(which: str, vendor: str, *, columns: str = "m.id") -> str:
    return f"""
SELECT {columns} FROM messaging_message m
WHERE m.state = '{State.WAITING}' AND {which} AND {_ready_at(vendor)} <= %(now)s
  AND {_NONE_AHEAD} AND NOT {gaps.OPEN_GAP} AND m.department_id NOT IN ({holds.STOPPED_DEPARTMENTS})
ORDER BY {_ready_at(vendor)}, m.id LIMIT 1
"""  # noqa: S608


def _in_order(model: type[Model], names: str) -> list[str]:
    """Model.from_db takes columns in the order of the fields, whatever it is told."""
    return [field.attname for field in model._meta.concrete_fields if field.attname in names.split()]


# What the gate and the call need to know of a text, by table.
_OF_MESSAGE = """
id public_id department_id client_id assignment_id priority body segments due_at try_at finish_by any_hour
scheduled_date mass_message_id
"""
_OF_DEPARTMENT = "id phone_number time_zone late_limit_minutes segments_per_second opens_at closes_at"
_COLUMNS: list[tuple[str, type[Model], list[str]]] = [
    ("m", Message, _in_order(Message, _OF_MESSAGE)),
    ("d", Department, _in_order(Department, _OF_DEPARTMENT)),
    ("a", CaseAssignment, _in_order(CaseAssignment, "id case_manager_id ended_at")),
    ("u", User, _in_order(User, "id is_active")),
]


@functools.cache
def _read_statement(which: str) -> str:
    """The lock is taken inside, so that no plan can join first and choose afterwards."""
    found = f"{_find_statement(which, 'postgresql', columns='*')} FOR UPDATE SKIP LOCKED"
    columns = ", ".join(f"{alias}.{field}" for alias, _model, fields in _COLUMNS for field in fields)
    return f"""
SELECT {columns}, EXISTS (SELECT 1 FROM messaging_sendinghold h WHERE h.number IN ('', d.phone_number))
FROM ({found}) m
JOIN accounts_department d ON d.id = m.department_id
JOIN clients_caseassignment a ON a.id = m.assignment_id
LEFT JOIN accounts_user u ON u.id = a.case_manager_id
"""  # noqa: S608


_NUMBER_FIELDS = _in_order(PhoneNumber, "id address opted_out_at wrong_at")
_NUMBER = Statement(
    "lock_number",
    f"SELECT {', '.join(_NUMBER_FIELDS)} FROM clients_phonenumber WHERE client_id = %(client)s AND is_current",  # noqa: S608
    lock="FOR NO KEY UPDATE",
    client="bigint",
)
