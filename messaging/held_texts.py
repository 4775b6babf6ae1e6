"""Tells who can decide on texts that were held: they wait for a person, and nobody may have the page open."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import mail
from accounts.models import User
from messaging import access, summaries
from messaging.models import Message

NAMED_AT_MOST = 20


def tell_authors(*, now: datetime) -> int:
    """One mail to each person for all that was held since the last look. Returns how many mails."""
    untold = _untold()
    # The gate holds a text with its row locked, too late to lock the assignment: the figures follow here.
    for pk in sorted(set(untold.values_list("assignment", flat=True))):
        _recount(pk, now)
    people = {_who_can_settle(text) for text in untold.select_related("author", "assignment__case_manager")}
    return sum(_tell(person, now) for person in people)


def _untold() -> QuerySet[Message]:
    """A text that is held once more is news once more."""
    told_of_another = Q(held_told_at__isnull=True) | ~Q(held_told_at=F("state_at"))
    return Message.objects.filter(told_of_another, state=Message.State.HELD)


@transaction.atomic
def _recount(assignment_id: int, now: datetime) -> None:
    summaries.lock(assignment_id)
    summaries.recompute(assignment_id, now=now)


@transaction.atomic
def _tell(person: User | None, now: datetime) -> bool:
    """The mark and the mail are one transaction: whatever stops between them undoes both."""
    held = _untold().select_for_update(of=("self",), skip_locked=True)
    if person is not None:
        held = held.filter(Q(author=person) | Q(assignment__case_manager=person))
    found = held.select_related("client", "author", "assignment__case_manager").order_by("due_at", "pk")
    texts = [text for text in found if _who_can_settle(text) == person]
    Message.objects.filter(pk__in=[text.pk for text in texts]).update(held_told_at=F("state_at"))
    if person is not None and texts:
        _write(person, texts, now)
    return person is not None and bool(texts)


def _who_can_settle(text: Message) -> User | None:
    """The author, who may be a supervisor; else who works with the client now. If none of them can: an open account."""
    people = [person for person in (text.author, text.assignment.case_manager) if person is not None]
    at_work = [person for person in people if person.is_active]
    return next((person for person in at_work if access.may_settle(text, person)), at_work[0] if at_work else None)


def _write(person: User, texts: Sequence[Message], now: datetime) -> None:
    names = list(dict.fromkeys(str(text.client) for text in texts))
    context = {
        "person": person,
        "count": len(texts),
        "names": names[:NAMED_AT_MOST],
        "more": max(0, len(names) - NAMED_AT_MOST),
    }
    mail.queue("messaging/email/held_texts", to=person.email, context=context, now=now)
