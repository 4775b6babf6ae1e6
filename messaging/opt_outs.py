"""Opting out and back in. It belongs to the number; what waits for that number is held at once."""

from datetime import datetime

from accounts.models import User
from clients import routing
from clients.models import ConversationEvent, PhoneNumber
from messaging import keywords, summaries
from messaging.failures import HoldReason
from messaging.keywords import OptWord
from messaging.models import Message

OptOutSource = PhoneNumber.OptOutSource


def apply_text(number: PhoneNumber, body: str, opt_out_type: str, *, at: datetime, now: datetime) -> None:
    """Does what a STOP or START from this number asks for. The client's row is locked by the caller.

    `at` is the carrier's time of the text: one that is older than the last change comes too late to count.
    """
    word = word_in(body, opt_out_type)
    if word is None or (number.opt_changed_at is not None and at < number.opt_changed_at):
        return
    if word is OptWord.STOP:
        opt_out(number, source=OptOutSource.KEYWORD, at=at, now=now)
    elif word is OptWord.START or number.opted_out_source in (OptOutSource.KEYWORD, OptOutSource.CARRIER):
        opt_in(number, at=at)


def word_in(body: str, opt_out_type: str) -> OptWord | None:
    """What the text asks for, by the carrier's own word or by the client's."""
    return {"STOP": OptWord.STOP, "START": OptWord.START}.get(opt_out_type) or keywords.read(body)


def opt_out(
    number: PhoneNumber,
    *,
    source: PhoneNumber.OptOutSource,
    at: datetime,
    now: datetime,
    by: User | None = None,
    reason: str = "",
) -> None:
    """Marks the number and holds what waits to go there (messages before numbers: the lock order). Once is enough."""
    if number.is_opted_out and (by is not None or number.opted_out_source != OptOutSource.PERSON):
        _note_time(number, at)
        return
    # Also after a person wrote it down: by the client's own word it is the client's alone to take back.
    if number.is_current:
        hold_waiting(number.client_id, HoldReason.OPTED_OUT, now)
    _write(number, opted_out_at=at, opted_out_source=source, opted_out_by=by, opt_changed_at=at)
    note(number, ConversationEvent.Kind.OPTED_OUT, at=at, by=by, reason=reason)


def opt_in(number: PhoneNumber, *, at: datetime, by: User | None = None, reason: str = "") -> None:
    """Lifts the mark; releases nothing that was held."""
    if not number.is_opted_out:
        _note_time(number, at)
        return
    _write(number, opted_out_at=None, opted_out_source="", opted_out_by=None, opt_changed_at=at)
    note(number, ConversationEvent.Kind.OPTED_IN, at=at, by=by, reason=reason)


def mark_wrong(number: PhoneNumber, *, by: User, reason: str, now: datetime) -> None:
    """Somebody else answers there: nothing more goes to it, and what waits is held. Once is enough."""
    if number.is_wrong:
        return
    if number.is_current:
        hold_waiting(number.client_id, HoldReason.WRONG_NUMBER, now)
    _write(number, wrong_at=now)
    note(number, ConversationEvent.Kind.WRONG_NUMBER, at=now, by=by, reason=reason)


def mark_right(number: PhoneNumber, *, by: User, reason: str, now: datetime) -> None:
    """The client answers there after all. Releases nothing that was held."""
    if number.is_wrong:
        _write(number, wrong_at=None)
        note(number, ConversationEvent.Kind.RIGHT_NUMBER, at=now, by=by, reason=reason)


def note(
    number: PhoneNumber, kind: ConversationEvent.Kind, *, at: datetime, by: User | None = None, reason: str = ""
) -> None:
    """A line in the conversation of the number's client."""
    ConversationEvent.objects.create(client_id=number.client_id, kind=kind, at=at, by=by, reason=reason)


def hold_waiting(client_id: int, reason: HoldReason, now: datetime) -> None:
    """Waits for a claim in progress, whose lock is short: that text was first, this word comes after it.

    The client is locked by the caller, who has locked no conversation without all of them.
    """
    assignment_ids = routing.lock_conversations(client_id)
    waiting = Message.objects.filter(client=client_id, state=Message.State.WAITING)
    locked = list(waiting.order_by("pk").select_for_update().values_list("pk", flat=True))
    Message.objects.filter(pk__in=locked, state=Message.State.WAITING).update(
        state=Message.State.HELD, hold_reason=reason, state_at=now
    )
    summaries.recompute(*assignment_ids, now=now)


def _note_time(number: PhoneNumber, at: datetime) -> None:
    """A word that says what is known counts too: an older one that comes after it must not undo it."""
    _write(number, opt_changed_at=at)


def _write(number: PhoneNumber, **fields: object) -> None:
    for name, value in fields.items():
        setattr(number, name, value)
    number.save(update_fields=list(fields))
