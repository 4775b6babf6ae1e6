"""What the lists show, each in a fixed number of queries however many rows there are."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import phone_numbers
from accounts.models import Department, User
from accounts.statements import PlannedQuery, Statement
from clients.models import CaseAssignment, Client, ClientStatus
from messaging.caseload_list import ROWS_PER_PAGE, Wanted, by_contact, with_number
from messaging.relative_times import relative_time


@dataclass(frozen=True)
class CaseloadRow:
    """All that a line of the list shows; last_contact as people say it ("5 minutes ago"), and for machines."""

    client_id: int
    name: str
    number: str
    status_name: str
    status_colour: str
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
        return conversation_url(self.client_id)


def conversation_url(client_id: int) -> str:
    """Where a line of a list leads."""
    before, after = _conversation_url()
    return f"{before}{client_id}{after}"


@functools.cache
def _conversation_url() -> tuple[str, str]:
    """What stands before and after the id: to work out the address for each line took a tenth of the page's time."""
    before, _id, after = reverse("conversation", args=[0]).rpartition("0")
    return before, after


@dataclass(frozen=True)
class Caseload:
    """One page of a case manager's list, and figures of the whole list, whatever was searched for.

    failed_total: clients whose last text did not arrive. watched_total: those whose status asks for follow-ups.
    """

    page: Page[CaseloadRow]
    total_count: int
    unread_total: int
    held_total: int
    failed_total: int
    watched_total: int


_FIGURES = Statement(
    "caseload_figures",
    """
SELECT count(*), COALESCE(sum(unread_count), 0), COALESCE(sum(held_count), 0),
  count(*) FILTER (WHERE last_outgoing_failed),
  count(*) FILTER (WHERE status_id IN (SELECT id FROM clients_clientstatus WHERE follow_up_days IS NOT NULL))
FROM clients_caseassignment WHERE case_manager_id = %(case_manager)s AND ended_at IS NULL
""",
    case_manager="bigint",
)


def caseload(case_manager: User, wanted: Wanted | None = None) -> Caseload:
    """Unless asked otherwise: unread first, then by last contact, newest first."""
    wanted = wanted or Wanted()
    figures = _FIGURES.first(case_manager=case_manager.pk) or (0, 0, 0, 0, 0)
    if not wanted.is_plain or connection.vendor != "postgresql":
        page = _found(case_manager, wanted, figures[0])
    else:
        whole: Any = _Whole(case_manager.pk, figures[0])
        page = Paginator(whole, ROWS_PER_PAGE).get_page(wanted.page)
    now = timezone.now()
    page.object_list = [_row(values, now) for values in page.object_list]
    return Caseload(page, *figures)


def own(case_manager: User) -> QuerySet[CaseAssignment]:
    """The person's caseload."""
    return CaseAssignment.objects.filter(case_manager=case_manager, ended_at__isnull=True)


def _found(case_manager: User, wanted: Wanted, total: int) -> Page[Any]:
    """The page of those who match. Without a filter that is known to be all of them.

    With one, finding them is what takes long: all their ids are read at once, rather than counted and found again.
    """
    order = wanted.order()
    ids: Any = with_number(own(case_manager)).filter(wanted.condition()).order_by(*order).values_list("pk", flat=True)
    paginator = Paginator(list(ids) if wanted.is_filtered else ids, ROWS_PER_PAGE)
    if not wanted.is_filtered:
        paginator.count = total
    page = paginator.get_page(wanted.page)
    page.object_list = _shown(page.object_list, order)
    return page


# The whole list in its order, which nearly every look asks for: what the usual Wanted and _shown say, planned once.
_WHOLE = Statement(
    "caseload_page",
    f"""
WITH page AS (
  SELECT client_id, status_id, snippet, snippet_is_outgoing, unread_count, last_outgoing_failed, scheduled_count,
    last_contact_at, COALESCE(last_contact_at, started_at) AS at
  FROM clients_caseassignment WHERE case_manager_id = %(case_manager)s AND ended_at IS NULL
  ORDER BY unread_count = 0, at DESC, client_id LIMIT {ROWS_PER_PAGE} OFFSET %(offset)s)
SELECT p.client_id, p.last_contact_at, p.snippet, p.snippet_is_outgoing, p.unread_count, p.last_outgoing_failed,
  p.scheduled_count, c.first_name, c.last_name, s.name, s.colour, n.address, n.opted_out_at, n.wrong_at
FROM page p JOIN clients_client c ON c.id = p.client_id
  LEFT JOIN clients_clientstatus s ON s.id = p.status_id
  LEFT JOIN clients_phonenumber n ON n.client_id = p.client_id AND n.is_current
ORDER BY p.unread_count = 0, p.at DESC, p.client_id
""",  # noqa: S608  # our own number
    case_manager="bigint",
    offset="integer",
)


class _Whole:
    """All of the list, for a paginator: of its rows only those of the page asked for are read."""

    def __init__(self, case_manager_id: int, count: int) -> None:
        self._case_manager_id, self._count = case_manager_id, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, page: slice) -> list[dict[str, Any]]:
        rows = _WHOLE.all(case_manager=self._case_manager_id, offset=page.start)
        return [dict(zip(_NAMES, row, strict=True)) for row in rows]


_PLAIN = (
    *("client_id", "last_contact_at", "snippet", "snippet_is_outgoing", "unread_count", "last_outgoing_failed"),
    "scheduled_count",
)
_JOINED = {
    "first_name": F("client__first_name"),
    "last_name": F("client__last_name"),
    "status_name": F("status__name"),
    "status_colour": F("status__colour"),
    "address": F("number__address"),
    "opted_out_at": F("number__opted_out_at"),
    "wrong_at": F("number__wrong_at"),
}
_NAMES = (*_PLAIN, *_JOINED)


def _shown(ids: Any, order: tuple[Any, ...]) -> QuerySet[CaseAssignment, Any]:
    """What the lines of one page show. Only these are joined with all that is shown: a caseload can have thousands."""
    shown = with_number(CaseAssignment.objects.filter(pk__in=ids)).order_by(*order)
    return shown.values(*_PLAIN, **_JOINED)  # type: ignore[no-any-return]  # django-stubs can't follow the names


def shown_name(values: dict[str, Any], number: str) -> str:
    """Who has no name yet is called by the number."""
    return f"{values['first_name']} {values['last_name']}".strip() or number


def _row(values: dict[str, Any], now: datetime) -> CaseloadRow:
    number = phone_numbers.display(values["address"] or "")
    return CaseloadRow(
        client_id=values["client_id"],
        name=shown_name(values, number),
        number=number,
        status_name=values["status_name"] or "",
        status_colour=values["status_colour"] or "",
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
    latest = own(case_manager).filter(last_outgoing_failed=True).select_related("client").order_by(*by_contact())
    clients = [assignment.client for assignment in latest[: NAMED_AT_MOST + 1]]
    return NotDelivered(clients[:NAMED_AT_MOST], len(clients) > NAMED_AT_MOST)


_STATUSES = PlannedQuery(
    "statuses_of",
    lambda department_id: ClientStatus.objects.filter(department=department_id).order_by("position", "name", "pk"),
    department_id="bigint",
)


def statuses_of(department: Department) -> list[ClientStatus]:
    """In the department's order."""
    return list(_STATUSES.all(department_id=department.pk))


@dataclass(frozen=True)
class StatusUse:
    """current: clients who have it now. ever: with those whose assignments have ended."""

    status: ClientStatus
    current: int
    ever: int


def status_uses(department: Department) -> list[StatusUse]:
    """Each status of the department, in order, with how many have it: two queries."""
    counted = CaseAssignment.objects.filter(status__department=department).values("status").order_by()
    is_open = Q(ended_at__isnull=True, client__merged_into__isnull=True)
    rows = counted.annotate(current=Count("pk", filter=is_open), ever=Count("pk"))
    counts = {row["status"]: (row["current"], row["ever"]) for row in rows}
    return [StatusUse(status, *counts.get(status.pk, (0, 0))) for status in statuses_of(department)]
