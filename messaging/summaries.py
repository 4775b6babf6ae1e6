"""What the lists show of a conversation, kept on its assignment: recomputed from the messages, never counted up."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from accounts.statements import Statement
from clients.models import CaseAssignment
from messaging import states
from messaging.models import Message

SNIPPET_LENGTH = 120

State = Message.State


_NO_RESULT_YET = [State.WAITING, State.HELD, State.SENDING, State.UNKNOWN, State.CANCELLED]


def _among(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


# Only our own words are put in here. Each part reads one end of the index message_talk, or all of a partial one
# (message_unread, message_ahead, message_held).
_SUMMARY = f"""
UPDATE clients_caseassignment AS a SET
  unread_count = (
    SELECT count(*) FROM messaging_message m
    WHERE m.assignment_id = a.id AND m.direction = 'in' AND m.read_at IS NULL),
  last_contact_at = (
    SELECT m.placed_at FROM messaging_message m
    WHERE m.client_id = a.client_id AND m.assignment_id = a.id
      AND (m.direction = 'in' OR m.state IN ({_among(states.REACHED)}))
    ORDER BY m.placed_at DESC, m.id DESC LIMIT 1),
  snippet = COALESCE((
    SELECT substr(m.body, 1, {SNIPPET_LENGTH}) FROM messaging_message m
    WHERE m.client_id = a.client_id AND m.assignment_id = a.id
      AND m.state <> '{State.CANCELLED}' AND NOT (m.state = '{State.WAITING}' AND m.due_at > %(now)s)
    ORDER BY m.placed_at DESC, m.id DESC LIMIT 1), ''),
  snippet_is_outgoing = COALESCE((
    SELECT m.direction = 'out' FROM messaging_message m
    WHERE m.client_id = a.client_id AND m.assignment_id = a.id
      AND m.state <> '{State.CANCELLED}' AND NOT (m.state = '{State.WAITING}' AND m.due_at > %(now)s)
    ORDER BY m.placed_at DESC, m.id DESC LIMIT 1), FALSE),
  last_outgoing_failed = COALESCE((
    SELECT m.state IN ({_among(states.NOT_DELIVERED)}) FROM messaging_message m
    WHERE m.client_id = a.client_id AND m.assignment_id = a.id
      AND m.direction = 'out' AND m.state NOT IN ({_among(_NO_RESULT_YET)})
    ORDER BY m.placed_at DESC, m.id DESC LIMIT 1), FALSE),
  scheduled_count = (
    SELECT count(*) FROM messaging_message m
    WHERE m.client_id = a.client_id AND m.assignment_id = a.id
      AND m.state = '{State.WAITING}' AND m.due_at > %(now)s),
  next_scheduled_at = (
    SELECT min(m.due_at) FROM messaging_message m
    WHERE m.client_id = a.client_id AND m.assignment_id = a.id
      AND m.state = '{State.WAITING}' AND m.due_at > %(now)s),
  held_count = (
    SELECT count(*) FROM messaging_message m
    WHERE m.assignment_id = a.id AND m.state = '{State.HELD}')
"""  # noqa: S608  # see above
_RECOMPUTE = Statement("recompute_summary", f"{_SUMMARY}WHERE a.id = %(pk)s", pk="bigint", now="timestamptz")


def lock(assignment_id: int) -> None:
    """Before any message of the assignment is changed: else a recount could miss what commits meanwhile."""
    if connection.vendor != "postgresql":
        return  # the transaction has the whole database
    _LOCK.run(pk=assignment_id)


_LOCK = Statement(
    "lock_assignment",
    "SELECT 1 FROM clients_caseassignment WHERE id = %(pk)s",
    lock="FOR NO KEY UPDATE",
    pk="bigint",
)


def lock_all(assignment_ids: Iterable[int]) -> None:
    """Several, in order of id."""
    rows = CaseAssignment.objects.filter(pk__in=list(assignment_ids)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def lock_for(message_id: int) -> int:
    """Locks the assignment that the message is written in, and returns its id: a transfer may just have moved it.

    Who has waited in vain lets go of what it got: to go on with both locked, in whatever order, could deadlock.
    """
    if connection.vendor != "postgresql":
        return _written_in(message_id)  # the transaction has the whole database
    free = _LOCK_IF_FREE.first(pk=message_id)
    if free is not None and _written_in(message_id) == free[0]:
        return int(free[0])
    while True:
        with transaction.atomic():
            locked = _LOCK_WRITTEN_IN.first(pk=message_id)
            if locked is not None and _written_in(message_id) == locked[0]:
                return int(locked[0])
            transaction.set_rollback(True)


_OF_MESSAGE = """
SELECT a.id FROM messaging_message m JOIN clients_caseassignment a ON a.id = m.assignment_id WHERE m.id = %(pk)s
"""
_LOCK_WRITTEN_IN = Statement("lock_written_in", _OF_MESSAGE, lock="FOR NO KEY UPDATE OF a", pk="bigint")
_LOCK_IF_FREE = Statement("lock_if_free", _OF_MESSAGE, lock="FOR NO KEY UPDATE OF a SKIP LOCKED", pk="bigint")


def _written_in(message_id: int) -> int:
    row = _WRITTEN_IN.first(pk=message_id)
    if row is None:
        raise Message.DoesNotExist
    return int(row[0])


_WRITTEN_IN = Statement("written_in", "SELECT assignment_id FROM messaging_message WHERE id = %(pk)s", pk="bigint")


def recompute(*assignment_ids: int, now: datetime) -> None:
    """Writes the summary columns anew, in one statement. The caller holds the assignments' locks."""
    for pk in assignment_ids:
        _RECOMPUTE.run(pk=pk, now=now)


def recompute_all(assignment_ids: Iterable[int], *, now: datetime) -> None:
    """As recompute(), all in one statement: for a batch of a mass message."""
    ids = ", ".join(str(int(pk)) for pk in assignment_ids)
    if ids:
        with connection.cursor() as cursor:
            values = {"now": connection.ops.adapt_datetimefield_value(now)}
            cursor.execute(f"{_SUMMARY}WHERE a.id IN ({ids})", values)
