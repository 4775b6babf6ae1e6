"""Tells the author of texts that were held: they wait for a person, and nobody may have the page open."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import mail
from accounts.models import User
from messaging import summaries
from messaging.models import Message

NAMED_AT_MOST = 20


def tell_authors(*, now: datetime) -> int:
    """One mail to each person for all that was held since the last look. Returns how many mails."""
    untold = _untold()
    # The gate holds a text with its row locked, too late to lock the assignment: the figures follow here.
    for pk in sorted(set(untold.values_list("assignment", flat=True))):
        _recount(pk, now)
    people = untold.values_list("author", flat=True).distinct().order_by()
    return sum(_tell(author_id, now) for author_id in people)


def _untold() -> QuerySet[Message]:
    """A text that is held once more is news once more."""
    told_of_another = Q(held_told_at__isnull=True) | ~Q(held_told_at=F("state_at"))
    return Message.objects.filter(told_of_another, state=Message.State.HELD)


@transaction.atomic
def _recount(assignment_id: int, now: datetime) -> None:
    summaries.lock(assignment_id)
    summaries.recompute(assignment_id, now=now)


@transaction.atomic
def _tell(author_id: int | None, now: datetime) -> bool:
    """The mark and the mail are one transaction: whatever stops between them undoes both."""
    held = _untold().filter(author=author_id).select_for_update(of=("self",), skip_locked=True)
    texts = list(held.select_related("client", "author", "assignment__case_manager").order_by("due_at", "pk"))
    Message.objects.filter(pk__in=[text.pk for text in texts]).update(held_told_at=F("state_at"))
    person = _who_can_settle(texts)
    if person is not None:
        _write(person, texts, now)
    return person is not None


def _who_can_settle(texts: Sequence[Message]) -> User | None:
    """The author; if that account is closed, who works with the first of the clients now."""
    people = [person for text in texts for person in (text.author, text.assignment.case_manager)]
    return next((person for person in people if person is not None and person.is_active), None)


def _write(person: User, texts: Sequence[Message], now: datetime) -> None:
    names = list(dict.fromkeys(str(text.client) for text in texts))
    context = {
        "person": person,
        "count": len(texts),
        "names": names[:NAMED_AT_MOST],
        "more": max(0, len(names) - NAMED_AT_MOST),
    }
    mail.queue("messaging/email/held_texts", to=person.email, context=context, now=now)
