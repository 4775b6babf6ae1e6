"""Opting out and back in. It belongs to the number; what waits for that number is held at once."""

from datetime import datetime

from accounts.models import User
from clients.models import ConversationEvent, PhoneNumber
from messaging import keywords
from messaging.failures import HoldReason
from messaging.keywords import OptWord
from messaging.models import Message

OptOutSource = PhoneNumber.OptOutSource


def apply_text(number: PhoneNumber, body: str, opt_out_type: str, *, at: datetime, now: datetime) -> None:
    """Does what a STOP or START from this number asks for. The client's row is locked by the caller.

    `at` is the carrier's time of the text: one that is older than the last change comes too late to count.
    """
    word = {"STOP": OptWord.STOP, "START": OptWord.START}.get(opt_out_type) or keywords.read(body)
    if word is None or (number.opt_changed_at is not None and at < number.opt_changed_at):
        return
    if word is OptWord.STOP:
        opt_out(number, source=OptOutSource.KEYWORD, at=at, now=now)
    elif word is OptWord.START or number.opted_out_source in (OptOutSource.KEYWORD, OptOutSource.CARRIER):
        opt_in(number, at=at)


def opt_out(
    number: PhoneNumber, *, source: PhoneNumber.OptOutSource, at: datetime, now: datetime, by: User | None = None
) -> None:
    """Marks the number and holds what waits to go there (messages before numbers: the lock order). Once is enough."""
    if number.is_opted_out:
        _note_time(number, at)
        return
    if number.is_current:
        _hold_waiting(number.client_id, now)
    number.opted_out_at, number.opted_out_source, number.opted_out_by, number.opt_changed_at = at, source, by, at
    number.save(update_fields=["opted_out_at", "opted_out_source", "opted_out_by", "opt_changed_at"])
    ConversationEvent.objects.create(client_id=number.client_id, kind=ConversationEvent.Kind.OPTED_OUT, at=at, by=by)


def opt_in(number: PhoneNumber, *, at: datetime) -> None:
    """Lifts the mark; releases nothing that was held."""
    if not number.is_opted_out:
        _note_time(number, at)
        return
    number.opted_out_at, number.opted_out_source, number.opted_out_by, number.opt_changed_at = None, "", None, at
    number.save(update_fields=["opted_out_at", "opted_out_source", "opted_out_by", "opt_changed_at"])
    ConversationEvent.objects.create(client_id=number.client_id, kind=ConversationEvent.Kind.OPTED_IN, at=at)


def _note_time(number: PhoneNumber, at: datetime) -> None:
    """A word that says what is known counts too: an older one that comes after it must not undo it."""
    number.opt_changed_at = at
    number.save(update_fields=["opt_changed_at"])


def _hold_waiting(client_id: int, now: datetime) -> None:
    """Waits for a claim in progress, whose lock is short: that text was first, this word comes after it."""
    waiting = Message.objects.filter(client_id=client_id, state=Message.State.WAITING)
    locked = list(waiting.order_by("pk").select_for_update().values_list("pk", flat=True))
    Message.objects.filter(pk__in=locked, state=Message.State.WAITING).update(
        state=Message.State.HELD, hold_reason=HoldReason.OPTED_OUT, state_at=now
    )
