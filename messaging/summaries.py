"""What the lists show of a conversation, kept on its assignment: recomputed from the messages, never counted up."""

from collections.abc import Iterable
from datetime import datetime

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
_RECOMPUTE = Statement(
    "recompute_summary",
    f"""
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
WHERE a.id = %(pk)s
""",  # noqa: S608  # see above
    pk="bigint",
    now="timestamptz",
)


def lock(assignment_id: int) -> None:
    """Before any message of the assignment is changed: else a recount could miss what commits meanwhile."""
    CaseAssignment.objects.select_for_update(no_key=True).only("pk").get(pk=assignment_id)


def lock_all(assignment_ids: Iterable[int]) -> None:
    """Several, in order of id."""
    rows = CaseAssignment.objects.filter(pk__in=assignment_ids).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def lock_for(message_id: int) -> int:
    """Locks the assignment that the message is written in, and returns its id: a transfer may just have moved it."""
    written_in = Message.objects.filter(pk=message_id).values_list("assignment", flat=True)
    assignment_id = written_in.get()
    lock(assignment_id)
    while (now_in := written_in.get()) != assignment_id:
        assignment_id = now_in
        lock(assignment_id)
    return assignment_id


def recompute(*assignment_ids: int, now: datetime) -> None:
    """Writes the summary columns anew, in one statement. The caller holds the assignments' locks."""
    for pk in assignment_ids:
        _RECOMPUTE.run(pk=pk, now=now)
