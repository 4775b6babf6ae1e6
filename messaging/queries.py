"""What the lists show, each in a fixed number of queries however many rows there are."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, FilteredRelation, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from accounts import phone_numbers
from accounts.models import User
from clients.models import CaseAssignment, Client
from messaging.relative_times import relative_time

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class CaseloadRow:
    """All that a line of the list shows; last_contact as people say it ("5 minutes ago"), and for machines."""

    client_id: int
    name: str
    number: str
    status_name: str
    last_contact: str
    last_contact_iso: str
    snippet: str
    snippet_is_mine: bool
    unread_count: int
    not_delivered: bool
    opted_out: bool
    wrong_number: bool
    scheduled_count: int

    @property
    def url(self) -> str:
        before, after = _conversation_url()
        return f"{before}{self.client_id}{after}"


@functools.cache
def _conversation_url() -> tuple[str, str]:
    """What stands before and after the id: to work out the address for each line took a tenth of the page's time."""
    before, _id, after = reverse("conversation", args=[0]).rpartition("0")
    return before, after


@dataclass(frozen=True)
class Caseload:
    """One page of a case manager's list, and figures of the whole list, whatever was searched for."""

    page: Page[CaseloadRow]
    total_count: int
    unread_total: int
    held_total: int


def caseload(case_manager: User, *, search: str = "", page_number: str | int | None = 1) -> Caseload:
    """Unread first, then by last contact, newest first; a client never contacted stands by the day of the start."""
    mine = _with_number(CaseAssignment.objects.filter(case_manager=case_manager, ended_at__isnull=True))
    matching = matching_search(search)
    figures = mine.aggregate(
        total=Count("pk"),
        unread=Coalesce(Sum("unread_count"), 0),
        held=Coalesce(Sum("held_count"), 0),
        matching=Count("pk", filter=matching),
    )
    ids = _ordered(mine.filter(matching)).values("pk")
    page = _CountedPaginator(ids, ROWS_PER_PAGE, known_count=figures["matching"]).get_page(page_number)
    now = timezone.now()
    page.object_list = [_row(values, now) for values in _shown(page.object_list)]
    return Caseload(page, figures["total"], figures["unread"], figures["held"])


def _with_number(assignments: QuerySet[CaseAssignment]) -> QuerySet[CaseAssignment]:
    return assignments.annotate(
        number=FilteredRelation("client__numbers", condition=Q(client__numbers__is_current=True))
    )


class _CountedPaginator(Paginator):  # type: ignore[type-arg]  # generic in its stubs only
    """A paginator whose count came with the other figures, in one query."""

    def __init__(self, *args: Any, known_count: int) -> None:
        super().__init__(*args)
        self._known_count = known_count

    @cached_property
    def count(self) -> int:
        return self._known_count


def matching_search(search: str) -> Q:
    """Every word is part of a name; or the whole is part of a number, in any writing, or of an ID number."""
    names = Q()
    for word in search.split():
        names &= Q(client__first_name__icontains=word) | Q(client__last_name__icontains=word)
    if not search.strip():
        return names
    found = names | Q(client__id_number__icontains=search.strip())
    digits = phone_numbers.search_digits(search)
    return found | Q(number__address__contains=digits) if digits else found


def _ordered(assignments: QuerySet[CaseAssignment]) -> QuerySet[CaseAssignment]:
    is_unread = Case(When(unread_count__gt=0, then=Value(0)), default=Value(1), output_field=IntegerField())
    return assignments.order_by(is_unread, Coalesce("last_contact_at", "started_at").desc(), "client_id")


def _shown(ids: Any) -> QuerySet[CaseAssignment, Any]:
    """What the lines of one page show. Only these are joined with their clients: a caseload can have thousands."""
    return _ordered(_with_number(CaseAssignment.objects.filter(pk__in=ids))).values(
        "client_id",
        "last_contact_at",
        "snippet",
        "snippet_is_outgoing",
        "unread_count",
        "last_outgoing_failed",
        "scheduled_count",
        first_name=F("client__first_name"),
        last_name=F("client__last_name"),
        status_name=F("status__name"),
        address=F("number__address"),
        opted_out_at=F("number__opted_out_at"),
        wrong_at=F("number__wrong_at"),
    )


def _row(values: dict[str, Any], now: datetime) -> CaseloadRow:
    number = phone_numbers.display(values["address"] or "")
    return CaseloadRow(
        client_id=values["client_id"],
        name=f"{values['first_name']} {values['last_name']}".strip() or number,
        number=number,
        status_name=values["status_name"] or "",
        last_contact=relative_time(values["last_contact_at"], now),
        last_contact_iso=values["last_contact_at"].isoformat() if values["last_contact_at"] else "",
        snippet=values["snippet"],
        snippet_is_mine=values["snippet_is_outgoing"],
        unread_count=values["unread_count"],
        not_delivered=values["last_outgoing_failed"],
        opted_out=values["opted_out_at"] is not None,
        wrong_number=values["wrong_at"] is not None,
        scheduled_count=values["scheduled_count"],
    )


NAMED_AT_MOST = 3


@dataclass(frozen=True)
class NotDelivered:
    """Clients whose last text did not arrive: the first of them by name, and whether there are more."""

    clients: list[Client]
    are_more: bool


def not_delivered(case_manager: User) -> NotDelivered:
    mine = CaseAssignment.objects.filter(case_manager=case_manager, ended_at__isnull=True, last_outgoing_failed=True)
    latest = mine.select_related("client").order_by(Coalesce("last_contact_at", "started_at").desc(), "client_id")
    clients = [assignment.client for assignment in latest[: NAMED_AT_MOST + 1]]
    return NotDelivered(clients[:NAMED_AT_MOST], len(clients) > NAMED_AT_MOST)
