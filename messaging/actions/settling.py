"""A person settles what a machine must not: a text that failed, was held, or may not have been sent."""

from datetime import datetime

from django.db import transaction

from accounts import doorbell
from accounts.models import User
from clients import routing
from clients.models import PhoneNumber
from messaging import access, gate, hours, states, summaries
from messaging.actions import telling
from messaging.actions.sending import NotYours, RefusedByGate, schedule_fields
from messaging.failures import ADVICE, FailureReason
from messaging.models import Message

State = Message.State


class TooLate(Exception):
    """The text is no longer in the state in which this can be done: somebody, or the carrier, was quicker."""


def can_try_again(message: Message) -> bool:
    """Whether sending it once more may help, and nobody has done so yet."""
    if message.state == State.UNCONFIRMED:
        return message.arrived_at is None and not _was_retried(message)
    if message.state not in states.NOT_DELIVERED or _was_retried(message):
        return False
    return ADVICE[FailureReason(message.failure_reason)].can_try_again


def _was_retried(message: Message) -> bool:
    return Message.objects.filter(retry_of=message).exists()


@transaction.atomic
def try_again(*, message: Message, by: User, now: datetime) -> Message:
    """Sends the words once more as a new message; the old one keeps its state. However often it is asked, once.

    Who asks for it outside texting hours knows what time it is (any_hour), here as in send_held.
    Raises TooLate, NotYours, RefusedByGate.
    """
    old = locked(message, by)
    if again := Message.objects.filter(retry_of=old).first():
        return again
    if not can_try_again(old):
        raise TooLate
    ask_gate(old)
    new = Message.objects.create(
        department_id=old.department_id,
        client_id=old.client_id,
        assignment_id=old.assignment_id,
        author=by,
        direction=Message.Direction.OUTGOING,
        state=State.WAITING,
        body=old.body,
        segments=old.segments,
        retry_of=old,
        placed_at=now,
        due_at=now,
        any_hour=not hours.is_open(old.department, now),
        state_at=now,
    )
    summaries.recompute(old.assignment_id, now=now)
    telling.tell_case_manager(old.assignment, by=by, now=now)
    doorbell.ring("messaging.deliver_due")
    return new


@transaction.atomic
def confirm_arrival(*, message: Message, by: User, now: datetime) -> None:
    """The client says that the text came, though the carrier could not tell. Raises TooLate, NotYours."""
    old = locked(message, by)
    waiting = Message.objects.filter(pk=old.pk, state=State.UNCONFIRMED, arrived_at__isnull=True)
    if _was_retried(old) or not waiting.update(arrived_at=now):
        raise TooLate


@transaction.atomic
def send_held(*, message: Message, by: User, now: datetime) -> None:
    """Sends a held text now. Raises TooLate, NotYours, RefusedByGate (never to one who has opted out)."""
    held = locked(message, by)
    ask_gate(held)
    any_hour = not hours.is_open(held.department, now)
    fresh = {"hold_reason": "", "any_hour": any_hour, "finish_by": None, "try_at": None, **schedule_fields(None, now)}
    if not states.move(held.pk, to=State.WAITING, from_states=frozenset({State.HELD}), now=now, **fresh):
        raise TooLate
    summaries.recompute(held.assignment_id, now=now)
    doorbell.ring("messaging.deliver_due")


@transaction.atomic
def drop_held(*, message: Message, by: User, now: datetime) -> None:
    """Gives up a held text. Raises TooLate, NotYours."""
    held = locked(message, by)
    if not states.move(held.pk, to=State.CANCELLED, from_states=frozenset({State.HELD}), now=now, hold_reason=""):
        raise TooLate
    summaries.recompute(held.assignment_id, now=now)


def locked(message: Message, by: User) -> Message:
    """The message as it is now, its client and assignment locked, if somebody asks who may settle it."""
    _lock_client_of(message)
    summaries.lock_for(message.pk)
    fresh = (
        Message.objects.select_for_update(of=("self",)).select_related("assignment", "department").get(pk=message.pk)
    )
    if fresh.department_id != by.department_id or not access.may_settle(fresh, by):
        raise NotYours
    return fresh


def _lock_client_of(message: Message) -> None:
    """Also if the text moves to another client, by a merge, while we wait: the one locked in vain is let go."""
    client_id = message.client_id
    while True:
        with transaction.atomic():
            routing.lock_client(client_id)
            now_of = Message.objects.values_list("client_id", flat=True).get(pk=message.pk)
            if now_of == client_id:
                return
            transaction.set_rollback(True)
        client_id = now_of


def ask_gate(message: Message) -> None:
    """Raises RefusedByGate if nothing may go to this client now."""
    number = PhoneNumber.objects.filter(client=message.client_id, is_current=True).first()
    if reason := gate.reason_against_number(number):
        raise RefusedByGate(reason, number)
