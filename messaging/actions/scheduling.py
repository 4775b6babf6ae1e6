"""A person schedules a text, and changes, sends or deletes it until the moment it goes out.

The row's lock decides between a person and the dispatch: whoever comes second finds the text gone, and changes nothing.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import doorbell
from accounts.models import User
from messaging import hours, schedule, segments, states, summaries
from messaging.actions import sending, settling
from messaging.actions.settling import TooLate
from messaging.evenings import Timing
from messaging.models import Message
from messaging.schedule import WallClock

State = Message.State


class OutsideHours(Exception):
    """It would go out outside the department's texting hours, and nobody has said yet that it should."""


class PartOfMassMessage(Exception):
    """It is changed with its mass message as a whole; for one client it can only be dropped."""


def schedule_message(
    *,
    client_id: int,
    body: str,
    when: WallClock,
    by: User,
    submission_key: UUID,
    now: datetime,
    any_hour: bool = False,
    seen_up_to: int | None = None,
) -> Message:
    """Stores the text for that time. any_hour: a person knows that it is outside texting hours.

    Raises schedule.CannotSchedule, OutsideHours, or one of sending's NotSent exceptions.
    """
    any_hour = _checked_time(when, by, any_hour=any_hour, now=now)
    return sending.send_message(
        client_id=client_id,
        body=body,
        by=by,
        submission_key=submission_key,
        now=now,
        seen_up_to=seen_up_to,
        timing=Timing(when, any_hour),
    )


@transaction.atomic
def change(*, message: Message, body: str, when: WallClock, by: User, now: datetime, any_hour: bool = False) -> Message:
    """Gives a scheduled or held text these words and this time.

    Raises TooLate if it has gone out, and as schedule_message does.
    """
    body = sending.checked(body)
    own = settling.locked(message, by)
    if not can_change(own):
        raise TooLate
    if own.mass_message_id is not None:
        raise PartOfMassMessage
    settling.ask_gate(own)
    any_hour = _checked_time(when, by, any_hour=any_hour or (own.any_hour and own.when == when), now=now)
    fields = {"body": body, "segments": segments.count(body), "any_hour": any_hour, **_anew(when, now)}
    return _waiting(own, now, **fields)


@transaction.atomic
def send_now(*, message: Message, by: User, now: datetime) -> Message:
    """Sends a scheduled text at once. Raises TooLate, NotYours, RefusedByGate, PartOfMassMessage."""
    own = settling.locked(message, by)
    if not is_scheduled(own):
        raise TooLate
    if own.mass_message_id is not None:
        raise PartOfMassMessage
    settling.ask_gate(own)
    sent = _waiting(own, now, any_hour=True, **_anew(None, now))
    doorbell.ring("messaging.deliver_due")
    return sent


@transaction.atomic
def delete(*, message: Message, by: User, now: datetime) -> None:
    """Gives up a scheduled text, also one client's of a mass message. Raises TooLate, NotYours."""
    own = settling.locked(message, by)
    if not is_scheduled(own):
        raise TooLate
    states.move(own.pk, to=State.CANCELLED, from_states=frozenset({State.WAITING}), now=now)
    summaries.recompute(own.assignment_id, now=now)


def is_scheduled(message: Message) -> bool:
    """Whether it waits for its time, or at its time for the next loop."""
    return message.state == State.WAITING and message.scheduled_date is not None


def can_change(message: Message) -> bool:
    return message.state == State.HELD or is_scheduled(message)


def _checked_time(when: WallClock, by: User, *, any_hour: bool, now: datetime) -> bool:
    """Whether it goes out outside texting hours, which somebody must have confirmed."""
    schedule.at(when.date, when.time, when.zone, now)
    assert by.department is not None  # who has clients has a department
    is_outside = not hours.is_open(by.department, when.due_at)
    if is_outside and not any_hour:
        raise OutsideHours
    return is_outside


def _anew(when: WallClock | None, now: datetime) -> dict[str, object]:
    """The time, and nothing left of what an earlier one had to wait for."""
    return {"finish_by": None, "try_at": None, **sending.schedule_fields(when, now)}


def _waiting(own: Message, now: datetime, **fields: object) -> Message:
    """The locked text, waiting with these fields."""
    from_states = frozenset({State(own.state)})
    states.move(own.pk, to=State.WAITING, from_states=from_states, now=now, hold_reason="", **fields)
    summaries.recompute(own.assignment_id, now=now)
    own.refresh_from_db()
    return own
