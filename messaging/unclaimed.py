"""The department's clients whom nobody works with: the list, how many there are, and whose client it may be.

Each list in a fixed number of queries however many rows there are.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, FilteredRelation, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Substr
from django.utils.translation import gettext as _

from accounts import phone_numbers
from accounts.models import Department, User
from accounts.statements import Statement
from clients.models import CaseAssignment
from clients.names import fold
from messaging.caseload_list import matching_search
from messaging.models import Message
from messaging.relative_times import relative_time

ROWS_PER_PAGE = 50
WORDS_SHOWN = 120  # characters of the last text
SUGGESTED_AT_MOST = 5
TEXTS_READ = 10  # the latest ones, for names
SHOWN_AT_MOST = 3

EndReason = CaseAssignment.EndReason


@dataclass(frozen=True)
class UnclaimedRow:
    """A line of the list. since: how long it waits, or when it was dismissed; answered_by: who wrote there last."""

    client_id: int
    name: str
    number: str
    words: str
    unread_count: int
    since: str
    since_at: datetime
    answered_by: str


@dataclass(frozen=True)
class Waiting:
    """How many clients are unclaimed, and how many texts of theirs nobody has read."""

    clients: int
    texts: int


_WAITING = Statement(
    "unclaimed_waiting",
    """
SELECT count(*), COALESCE(sum(a.unread_count), 0) FROM clients_caseassignment a
  JOIN clients_client c ON c.id = a.client_id
WHERE a.case_manager_id IS NULL AND a.ended_at IS NULL AND c.department_id = %(department)s
""",
    department="bigint",
)


def waiting_in(department: Department) -> Waiting:
    """For the banner and the department's page."""
    return Waiting(*(_WAITING.first(department=department.pk) or (0, 0)))


def waiting_list(department: Department, *, now: datetime, page_number: str | int = 1) -> "Page[UnclaimedRow]":
    """Who waits longest stands first."""
    ids = _of(department).filter(ended_at__isnull=True).order_by("started_at", "pk")
    return _page(ids, F("started_at"), now, page_number)


def dismissed_list(department: Department, *, now: datetime, page_number: str | int = 1) -> "Page[UnclaimedRow]":
    """Who was dismissed, the latest first."""
    dismissed = _of(department).filter(ended_at__isnull=False, end_reason=EndReason.DISMISSED)
    return _page(dismissed.order_by("-ended_at", "-pk"), F("ended_at"), now, page_number)


def _of(department: Department) -> QuerySet[CaseAssignment]:
    return CaseAssignment.objects.filter(case_manager__isnull=True, client__department=department)


def _page(ordered: QuerySet[CaseAssignment], since: F, now: datetime, page_number: str | int) -> "Page[UnclaimedRow]":
    """First whose lines they are, then what they show: a department may have thousands."""
    page: Page[Any] = Paginator(ordered.values_list("pk", flat=True), ROWS_PER_PAGE).get_page(page_number)
    ids = list(page.object_list)
    rows = {values["pk"]: values for values in _shown(ids, since)}
    page.object_list = [_row(rows[pk], now) for pk in ids if pk in rows]
    return page


def _shown(ids: list[int], since: F) -> QuerySet[CaseAssignment, Any]:
    of_client = Message.objects.filter(client=OuterRef("client"), assignment=OuterRef("pk"))
    latest = of_client.order_by("-placed_at", "-pk")
    incoming = latest.filter(direction=Message.Direction.INCOMING).annotate(words=Substr("body", 1, WORDS_SHOWN))
    answers = latest.filter(author__isnull=False).exclude(state=Message.State.CANCELLED)
    return _with_number(CaseAssignment.objects.filter(pk__in=ids)).values(
        "pk",
        "client_id",
        "unread_count",
        first_name=F("client__first_name"),
        last_name=F("client__last_name"),
        address=F("number__address"),
        since=since,
        words=Subquery(incoming.values("words")[:1]),
        answered_by=Subquery(answers.values("author__full_name")[:1]),
    )


def _with_number(assignments: QuerySet[CaseAssignment]) -> QuerySet[CaseAssignment]:
    current = Q(client__numbers__is_current=True)
    return assignments.annotate(number=FilteredRelation("client__numbers", condition=current))


def _row(values: dict[str, Any], now: datetime) -> UnclaimedRow:
    number = phone_numbers.display(values["address"] or "")
    return UnclaimedRow(
        client_id=values["client_id"],
        name=f"{values['first_name']} {values['last_name']}".strip() or number,
        number=number,
        words=" ".join((values["words"] or "").split()),
        unread_count=values["unread_count"],
        since=relative_time(values["since"], now),
        since_at=values["since"],
        answered_by=values["answered_by"] or "",
    )


@dataclass(frozen=True)
class OwnClient:
    """One of a person's clients, who may be the one that texts from an unknown number; why: what speaks for it."""

    client_id: int
    name: str
    number: str
    why: str = ""


def own_clients(person: User, *, search: str, page_number: str | int = 1) -> "Page[OwnClient]":
    """All of a person's clients that match, by name."""
    ordered = _own(person).filter(matching_search(search)).order_by("client__search_key", "client_id")
    page: Page[Any] = Paginator(ordered.values(*_OWN, address=F("number__address")), ROWS_PER_PAGE).get_page(
        page_number
    )
    page.object_list = [_own_client(values) for values in page.object_list]
    return page


def suggestions(person: User, unclaimed: CaseAssignment) -> list[OwnClient]:
    """Whose client it may be: those named in the texts, then those whom texts no longer reach, the latest first."""
    named = _named_in(_words_of(unclaimed), person)
    not_reached = Q(last_outgoing_failed=True) | Q(number__wrong_at__isnull=False)
    latest = _own(person).filter(Q(client__in=named) | not_reached)
    latest = latest.order_by(Coalesce("last_contact_at", "started_at").desc(), "client_id")
    found = list(latest.values(*_OWN, address=F("number__address"), wrong_at=F("number__wrong_at"))[:_LOOKED_AT])
    by_name = sorted((it for it in found if it["client_id"] in named), key=lambda it: named.index(it["client_id"]))
    lost = [it for it in found if it["client_id"] not in named]
    first = [_own_client(it, _("named in a text")) for it in by_name[:SUGGESTED_AT_MOST]]
    return first + [_own_client(it, _why_lost(it)) for it in lost[:SUGGESTED_AT_MOST]]


_OWN = ("client_id", "client__first_name", "client__last_name")
_LOOKED_AT = 50


def _own(person: User) -> QuerySet[CaseAssignment]:
    return _with_number(CaseAssignment.objects.filter(case_manager=person, ended_at__isnull=True))


def _own_client(values: dict[str, Any], why: str = "") -> OwnClient:
    number = phone_numbers.display(values["address"] or "")
    name = f"{values['client__first_name']} {values['client__last_name']}".strip()
    return OwnClient(values["client_id"], name or number, number, why)


def _why_lost(values: dict[str, Any]) -> str:
    return _("marked as a wrong number") if values["wrong_at"] else _("the last text was not delivered")


def _words_of(unclaimed: CaseAssignment) -> set[str]:
    """The words of the latest texts, as a search compares them."""
    return {word for body in _latest(unclaimed, TEXTS_READ) for word in re.findall(r"\w{2,}", fold(body))}


def _named_in(texts: set[str], person: User) -> list[int]:
    """The clients of whose names and ID number most words stand in the texts."""
    if not texts:
        return []
    keys = CaseAssignment.objects.filter(case_manager=person, ended_at__isnull=True).order_by("client_id")
    scores = [
        (sum(word in texts for word in re.findall(r"\w{2,}", key)), client_id)
        for client_id, key in keys.values_list("client_id", "client__search_key")
    ]
    best = sorted((it for it in scores if it[0]), key=lambda it: (-it[0], it[1]))
    return [client_id for _score, client_id in best[:SUGGESTED_AT_MOST]]


def newest_incoming(unclaimed: CaseAssignment) -> int:
    """The id of the newest text that came; 0 if none did."""
    incoming = Message.objects.filter(
        client=unclaimed.client_id, assignment=unclaimed, direction=Message.Direction.INCOMING
    )
    return incoming.aggregate(newest=Max("pk"))["newest"] or 0


def latest_words(unclaimed: CaseAssignment) -> list[str]:
    """The latest texts, oldest first: so that one sees of whom a page speaks."""
    return _latest(unclaimed, SHOWN_AT_MOST)[::-1]


def _latest(unclaimed: CaseAssignment, count: int) -> list[str]:
    incoming = Message.objects.filter(
        client=unclaimed.client_id, assignment=unclaimed, direction=Message.Direction.INCOMING
    )
    return list(incoming.order_by("-placed_at", "-pk").values_list("body", flat=True)[:count])
