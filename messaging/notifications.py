"""E-mails to case managers about texts that they have not read: at once, one summary a day, or none.

What was told stands on the assignment (mailed_at, mailed_up_to), that a day's summary was made on the person. Both are
written in the transaction that makes the mail's row: a process that dies tells nobody twice and forgets nobody. A sweep
finds what is due, so that receiving a text costs nothing more. A mail says who wrote, never what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import mail
from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging.models import Message

AT_MOST_EVERY = timedelta(minutes=10)
TIME_TO_LOOK = timedelta(seconds=10)  # on an open page a text is marked as read within that
SUMMARY_AT = time(8)
PER_SWEEP = 200
NAMED_AT_MOST = 50

_Choice = User.EmailNotifications


@dataclass(frozen=True)
class News:
    """One client's new texts, as a mail tells of them."""

    client_name: str
    count: int
    link: str


def tell_at_once(*, now: datetime) -> int:
    """Mails about each conversation with new texts, at most once in ten minutes. Returns how many mails.

    It reads the open assignments as they lie, some milliseconds for 10,000. An index on unread_count would make every
    text write into each index of its assignment.
    """
    due = list(_due_at_once(now).order_by("pk").values_list("pk", flat=True)[:PER_SWEEP])
    return sum(_tell_at_once(assignment_id, now) for assignment_id in due)


def _due_at_once(now: datetime) -> QuerySet[CaseAssignment, Any]:
    has_rested = Q(mailed_at__isnull=True) | Q(mailed_at__lte=now - AT_MOST_EVERY)
    at_once = Q(case_manager__email_notifications=_Choice.AT_ONCE)
    return _with_news(until=now - TIME_TO_LOOK).filter(has_rested, at_once)


@transaction.atomic
def _tell_at_once(assignment_id: int, now: datetime) -> bool:
    """Asks again with the lock in hand: it may just have been read, told of, or moved to a colleague."""
    (news,) = _taken(_due_at_once(now).filter(pk=assignment_id), now) or (None,)
    if news is not None:
        person = User.objects.get(assignments=assignment_id)
        mail.queue("messaging/email/new_texts", to=person.email, context={"person": person, "news": news}, now=now)
    return news is not None


def tell_summaries(*, now: datetime) -> int:
    """From 8:00 am in a department on, once a day: mails to those who asked for it what came until then, if unread.

    A text is told of in one summary, and a day without new ones has none. Returns how many mails.
    """
    return sum(_tell_summaries(office, now) for office in Department.objects.order_by("pk"))


def _tell_summaries(office: Department, now: datetime) -> int:
    here = now.astimezone(office.zone)
    if here.time() < SUMMARY_AT:
        return 0
    until = datetime.combine(here.date(), SUMMARY_AT, office.zone).astimezone(UTC)
    people = _without_summary(here.date()).filter(department=office).order_by("pk")[:PER_SWEEP]
    return sum(_tell_summary(person, here.date(), until, now) for person in people)


def _without_summary(day: date) -> QuerySet[User]:
    is_open = Q(last_summary_date__isnull=True) | Q(last_summary_date__lt=day)
    return User.objects.filter(is_open, email_notifications=_Choice.DAILY, is_active=True)


@transaction.atomic
def _tell_summary(person: User, day: date, until: datetime, now: datetime) -> bool:
    if not _without_summary(day).filter(pk=person.pk).update(last_summary_date=day):
        return False  # another worker has made it
    all_news = _taken(_with_news(until=until).filter(case_manager=person), now)
    if all_news:
        context = {
            "person": person,
            "all_news": all_news[:NAMED_AT_MOST],
            "more": len(all_news[NAMED_AT_MOST:]),
            "count": sum(news.count for news in all_news),
            "link": settings.PUBLIC_URL + reverse("my-clients"),
        }
        mail.queue("messaging/email/daily_summary", to=person.email, context=context, now=now)
    return bool(all_news)


def _with_news(*, until: datetime) -> QuerySet[CaseAssignment, Any]:
    """Open conversations with unread texts that their case manager was not told of, and how many, and the newest.

    What came before the client was theirs is told by who gave them the client; what came while mails were off, by none.
    """
    news = Message.objects.filter(
        assignment=OuterRef("pk"),
        direction=Message.Direction.INCOMING,
        read_at__isnull=True,
        pk__gt=Coalesce(OuterRef("mailed_up_to"), 0),
        state_at__lte=until,
    ).filter(state_at__gte=OuterRef("started_at"))
    news = news.filter(state_at__gte=OuterRef("case_manager__notifications_from"))
    figures = news.order_by().values("assignment").annotate(count=Count("pk"), newest=Max("pk"))
    open_ones = CaseAssignment.objects.filter(ended_at__isnull=True, unread_count__gt=0, case_manager__is_active=True)
    return open_ones.filter(Exists(news)).annotate(
        news_count=Subquery(figures.values("count")), newest=Subquery(figures.values("newest"))
    )


def _taken(conversations: QuerySet[CaseAssignment, Any], now: datetime) -> Sequence[News]:
    """Locks them, writes down that they are told of, and returns what there is to tell."""
    found = list(conversations.select_related("client").order_by("pk").select_for_update(of=("self",), no_key=True))
    for assignment in found:
        CaseAssignment.objects.filter(pk=assignment.pk).update(mailed_at=now, mailed_up_to=assignment.newest)
    return [_news(assignment) for assignment in found]


def _news(assignment: Any) -> News:
    link = settings.PUBLIC_URL + reverse("conversation", args=[assignment.client_id])
    return News(assignment.client.full_name or _("A client"), assignment.news_count, link)
