"""The states of a message move forward only, each by one conditional UPDATE: whoever comes late changes nothing."""

from datetime import datetime
from typing import Any

from django.db.models import Exists

from accounts.statements import Statement
from messaging.models import Message

State = Message.State

BEFORE_HAND_OVER = frozenset(
    {State.WAITING, State.HELD, State.CANCELLED, State.SENDING, State.UNKNOWN, State.UNCONFIRMED}
)
ON_THE_WAY = frozenset({State.ACCEPTED, State.SENT})
REACHED = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED})
NOT_DELIVERED = frozenset({State.FAILED, State.UNDELIVERED})

# What the carrier says, in the order in which the highest wins: any order of callbacks ends the same.
_RANK = (State.ACCEPTED, State.SENT, State.FAILED, State.UNDELIVERED, State.DELIVERED)


def move(message_id: int, *, to: Message.State, from_states: frozenset[State], now: datetime, **fields: Any) -> bool:
    """Puts the message into a state if it is still in one of those named. True if it was."""
    changed = Message.objects.filter(pk=message_id, state__in=from_states).update(state=to, state_at=now, **fields)
    return changed == 1


def begin_sending(message: Message, *, our_number: str, their_number: str, now: datetime) -> bool:
    """Marks a waiting text as being handed over; the caller has locked it and its client's number.

    False while another one to this client is: two loops may each have found one of them. What was planned for later
    takes its place in the conversation now.
    """
    planned = message.scheduled_date or message.mass_message_id or message.finish_by
    begin = _BEGIN_SENDING_PLANNED if planned else _BEGIN_SENDING
    return begin.run(pk=message.pk, client=message.client_id, now=now, ours=our_number, theirs=their_number) == 1


_BEGIN = f"""
UPDATE messaging_message
SET state = '{State.SENDING}', state_at = %(now)s, claimed_at = %(now)s, attempts = attempts + 1,
  our_number = %(ours)s, their_number = %(theirs)s
WHERE id = %(pk)s AND state = '{State.WAITING}' AND NOT EXISTS (
  SELECT 1 FROM messaging_message e WHERE e.client_id = %(client)s AND e.state = '{State.SENDING}')
"""  # noqa: S608  # our own words
_OF_BEGIN = {"pk": "bigint", "client": "bigint", "now": "timestamptz", "ours": "varchar", "theirs": "varchar"}
_BEGIN_SENDING = Statement("begin_sending", _BEGIN, **_OF_BEGIN)
_BEGIN_SENDING_PLANNED = Statement(
    "begin_sending_planned", _BEGIN.replace("SET ", "SET placed_at = %(now)s, ", 1), **_OF_BEGIN
)


def advance(message_id: int, *, to: Message.State, now: datetime, **fields: Any) -> bool:
    """Takes the carrier's word for the message unless it is already known to be further. True if it moved."""
    lower = BEFORE_HAND_OVER | set(_RANK[: _RANK.index(to)])
    return move(message_id, to=to, from_states=lower, now=now, hold_reason="", **fields)


def accept(message_id: int, carrier_id: str, *, now: datetime) -> bool:
    """Writes down the usual answer to a call in one statement: the carrier has the text, under this new id.

    False if nothing was written, because a callback was quicker or the id is known: learn it and move apart.
    """
    return _ACCEPT.run(pk=message_id, carrier_id=carrier_id, now=now) == 1


_ACCEPT = Statement(
    "accept",
    f"""
UPDATE messaging_message SET carrier_id = %(carrier_id)s, state = '{State.ACCEPTED}', state_at = %(now)s
WHERE id = %(pk)s AND state IN ('{State.SENDING}', '{State.UNKNOWN}') AND carrier_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM messaging_message o WHERE o.carrier_id = %(carrier_id)s)
""",  # noqa: S608  # our own words
    pk="bigint",
    carrier_id="varchar",
    now="timestamptz",
)


def learn_carrier_id(message_id: int, carrier_id: str) -> bool:
    """Writes down the carrier's id, whoever learns it first.

    False if another stands there (the text went out twice), or if this one stands at another message (a mix-up).
    """
    taken = Message.objects.filter(carrier_id=carrier_id).exclude(pk=message_id)
    Message.objects.filter(~Exists(taken), pk=message_id, carrier_id__isnull=True).update(carrier_id=carrier_id)
    return Message.objects.filter(pk=message_id, carrier_id=carrier_id).exists()
