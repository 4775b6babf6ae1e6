"""The states of a message move forward only, each by one conditional UPDATE: whoever comes late changes nothing."""

from datetime import datetime
from typing import Any

from django.db.models import Exists

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


def advance(message_id: int, *, to: Message.State, now: datetime, **fields: Any) -> bool:
    """Takes the carrier's word for the message unless it is already known to be further. True if it moved."""
    lower = BEFORE_HAND_OVER | set(_RANK[: _RANK.index(to)])
    return move(message_id, to=to, from_states=lower, now=now, hold_reason="", **fields)


def learn_carrier_id(message_id: int, carrier_id: str) -> bool:
    """Writes down the carrier's id, whoever learns it first.

    False if another stands there (the text went out twice), or if this one stands at another message (a mix-up).
    """
    taken = Message.objects.filter(carrier_id=carrier_id).exclude(pk=message_id)
    Message.objects.filter(~Exists(taken), pk=message_id, carrier_id__isnull=True).update(carrier_id=carrier_id)
    return Message.objects.filter(pk=message_id, carrier_id=carrier_id).exists()
