"""Taking the next due text for a loop, or saying why it must not go out now (docs/adr/0005, 0014).

One short transaction: find and lock a due text, lock its number, ask the gate, write `sending`. Locks in the order
Message, PhoneNumber, SendingHold, SenderNumber.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Coalesce, Greatest

from accounts.models import Department
from clients.models import CaseAssignment, PhoneNumber
from messaging import due, gate, holds, pace, states, summaries
from messaging.due import Due, NotYet
from messaging.holds import Turn
from messaging.models import READY_AT, Message
from messaging.sms import OutboundText

State, Priority = Message.State, Message.Priority

AT_ONCE = 5_000


@dataclass(frozen=True)
class Claim:
    """A text that this loop, and no other, may hand over."""

    message_id: int
    client_id: int
    claimed_at: datetime
    text: OutboundText
    is_trial: bool = False
    is_mass: bool = False


@dataclass(frozen=True)
class Held:
    """A text that the gate stopped; the next one may be looked at."""

    message_id: int


@dataclass(frozen=True)
class PutOff:
    """A text that will go out later by itself; the next one may be looked at."""

    message_id: int


def claim_next(now: datetime, *, with_mass: bool = True) -> Claim | Held | PutOff | NotYet | None:
    """Takes the next due text for this loop, holds it, or puts it off. None: nothing is due.

    Committed as `sending` before the call: a process that dies with it leaves a row that nobody sends again.
    """
    with transaction.atomic():
        found = due.next_single(now) or (due.next_of_mass(now) if with_mass else None)
        if not isinstance(found, Due):
            return found
        number = due.locked_number(found.message.client_id)
        if gate.reason_to_hold(found.message, number, now) is None:
            assert number is not None  # the gate holds a text without a number
            return _take(found, number, now)
    _hold(found.message.pk, now)
    return Held(found.message.pk)


def _take(found: Due, number: PhoneNumber, now: datetime) -> Claim | PutOff:
    """Message and number are locked, and the gate lets them pass."""
    message, department = found.message, found.message.department
    is_mass = message.priority == Priority.MASS
    if (opening := gate.waits_for_opening(message, now)) is not None:
        _wait_for_opening(department, opening, now)
        return PutOff(message.pk)
    turn = holds.take_turn(department.phone_number, now) if found.is_stopped else Turn.FREE
    if turn is Turn.NOT_YET or not pace.take(department, message.segments, is_mass=is_mass, now=now):
        return PutOff(message.pk)
    text = OutboundText(message.public_id, department.phone_number, number.address, message.body)
    if not states.begin_sending(message, our_number=text.from_number, their_number=text.to_number, now=now):
        transaction.set_rollback(True)  # another text to this client is on its way: neither turn nor pace is used up
        return PutOff(message.pk)
    return Claim(message.pk, message.client_id, now, text, turn is Turn.TRIAL, is_mass)


def _hold(message_id: int, now: datetime) -> None:
    """Holds a text that the gate stopped, and counts it. Anew, because the assignment is locked before the message.

    Of a client who was deleted it is cancelled, as those were that waited then: it was in hand, and came back.
    """
    with transaction.atomic():
        assignment_id = summaries.lock_for(message_id)
        message = Message.objects.select_for_update(of=("self",)).select_related(*due.WITH).get(pk=message_id)
        if reason := gate.reason_to_hold(message, due.locked_number(message.client_id), now):
            to, held = State.HELD, {"hold_reason": reason}
            if message.assignment.end_reason == CaseAssignment.EndReason.DELETED:
                to, held = State.CANCELLED, {}
            states.move(message_id, to=to, from_states=frozenset({State.WAITING}), now=now, **held)
            summaries.recompute(assignment_id, now=now)


def _wait_for_opening(department: Department, opening: datetime, now: datetime) -> None:
    """Puts off all that must not go out before the opening, in one go; what others have locked follows by itself.

    A mass message takes its time from then on: it is late only after what waits for the number is through.
    """
    waiting = Message.objects.filter(department=department, state=State.WAITING, any_hour=False).alias(
        ready_at=READY_AT
    )
    stopped = waiting.filter(gate.delayed_or_mass(now), ready_at__lte=now)[:AT_ONCE]
    locked = list(stopped.select_for_update(skip_locked=True).values_list("pk", "priority"))
    singles = [pk for pk, priority in locked if priority == Priority.SINGLE]
    mass = [pk for pk, priority in locked if priority == Priority.MASS]
    Message.objects.filter(pk__in=singles).update(try_at=opening, finish_by=opening)
    through_at = max(opening, pace.waiting(department, now).finish_at or opening)
    finish_by = Greatest(Coalesce("finish_by", through_at), through_at)
    Message.objects.filter(pk__in=mass).update(try_at=opening, finish_by=finish_by)
