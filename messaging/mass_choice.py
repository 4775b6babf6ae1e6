"""Whom a mass message goes to: the caseload with its ticks, and who can't be texted and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    CharField,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import phone_numbers
from accounts.models import User
from clients.models import CaseAssignment
from messaging import queries
from messaging.caseload_list import ROWS_PER_PAGE, by_contact, by_name, by_status, matching_search, with_number
from messaging.failures import HoldReason
from messaging.models import MassMessage, MassMessageRecipient
from messaging.relative_times import relative_time

ASK_BEFORE = timedelta(days=5)  # a follow-up is due that long before its deadline


class LeftOut(TextChoices):
    """Why a mass message doesn't go to somebody."""

    OPTED_OUT = HoldReason.OPTED_OUT.value, _("opted out")
    WRONG_NUMBER = HoldReason.WRONG_NUMBER.value, _("the number is marked as wrong")
    NOT_TEXTABLE = HoldReason.NOT_TEXTABLE.value, _("texts can't be sent to this kind of number")
    NO_NUMBER = HoldReason.NO_CLIENT.value, _("has no phone number")
    NOT_YOURS = "not_yours", _("no longer on your list")
    DROPPED = "dropped", _("you dropped this one")
    MERGED = "merged", _("the same person as another recipient")


class Sort(TextChoices):
    """The orders in which the list of recipients can stand."""

    LAST_CONTACT = "contact", _("Last contact")
    NAME = "name", _("Name")
    STATUS = "status", _("Status")


_ORDERS = {Sort.LAST_CONTACT.value: by_contact, Sort.NAME.value: by_name, Sort.STATUS.value: by_status}

# Asked of rows that have `number`, the client's current one. (Whether an address is a phone number at all is seen
# once more, and more closely, by messaging.gate when the text is made and when it goes out.)
_REASON = Case(
    When(number__isnull=True, then=Value(LeftOut.NO_NUMBER.value)),
    When(~Q(number__address__startswith="+"), then=Value(LeftOut.NOT_TEXTABLE.value)),
    When(number__opted_out_at__isnull=False, then=Value(LeftOut.OPTED_OUT.value)),
    When(number__wrong_at__isnull=False, then=Value(LeftOut.WRONG_NUMBER.value)),
    default=Value(""),
    output_field=CharField(),
)


def own(case_manager: User) -> QuerySet[CaseAssignment]:
    """The person's caseload, each with `number` and with `reason`, empty where a text can go."""
    return with_number(queries.own(case_manager)).annotate(reason=_REASON)


def chosen(mass: MassMessage) -> QuerySet[Any]:
    """The recipients of a draft, each with `reason`, empty where a text can go, as things stand now.

    (Any: django-stubs would not know the columns that are added here.)
    """
    mine = Q(client__assignments__case_manager=mass.author_id, client__assignments__ended_at__isnull=True)
    return MassMessageRecipient.objects.filter(mass_message=mass).annotate(
        mine=FilteredRelation("client__assignments", condition=mine),
        number=FilteredRelation("client__numbers", condition=Q(client__numbers__is_current=True)),
        reason=Case(
            When(mine__isnull=True, then=Value(LeftOut.NOT_YOURS.value)), default=_REASON, output_field=CharField()
        ),
    )


@dataclass(frozen=True)
class Listed:
    """What of the caseload is listed, and how."""

    search: str = ""
    status_id: int | None = None
    sort: str = Sort.LAST_CONTACT
    page: str = "1"

    def matching(self) -> Q:
        """Those whom search and status leave, on all pages."""
        found = matching_search(self.search)
        return found & Q(status=self.status_id) if self.status_id is not None else found


@dataclass(frozen=True)
class ChoiceRow:
    """A client to be ticked; reason: why not, if so."""

    client_id: int
    name: str
    number: str
    status_name: str
    last_contact: str
    is_ticked: bool
    reason: str


@dataclass(frozen=True)
class Choice:
    """One page of the list, and the figures around it. is_all: everyone who matches, and can be, is ticked."""

    page: Page[ChoiceRow]
    total: int
    chosen: int
    matching: int
    is_all: bool


def ticked_in(mass: MassMessage) -> Q:
    """A condition on the caseload: ticked in this draft."""
    return Q(Exists(MassMessageRecipient.objects.filter(mass_message=mass, client=OuterRef("client"))))


def ticked_among(client_ids: Iterable[int]) -> Q:
    return Q(client__in=list(client_ids))


def due_for_follow_up(now: datetime) -> Q:
    """Not heard of for nearly as long as their status allows; never contacted ones count from the start."""
    return Q(Exists(_due(CaseAssignment.objects.filter(pk=OuterRef("pk")), now)))


def _due(assignments: QuerySet[CaseAssignment], now: datetime) -> QuerySet[Any]:
    watched = assignments.filter(status__follow_up_days__isnull=False)
    days = Cast("status__follow_up_days", IntegerField()) * Value(timedelta(days=1))
    dated = watched.annotate(
        last=Coalesce("last_contact_at", "started_at"), days=ExpressionWrapper(days, output_field=DurationField())
    )
    return dated.filter(last__lte=now + ASK_BEFORE - F("days"))


def read_choice(case_manager: User, listed: Listed, ticked: Q, now: datetime) -> Choice:
    """The list as asked for, with its ticks: two queries, however long it is."""
    clients = own(case_manager).annotate(is_ticked=Case(When(ticked, then=Value(True)), default=Value(False)))
    matching, possible = listed.matching(), Q(reason="")
    figures = clients.aggregate(
        total=Count("pk"),
        chosen=Count("pk", filter=possible & Q(is_ticked=True)),
        matching=Count("pk", filter=matching),
        possible=Count("pk", filter=matching & possible),
        ticked=Count("pk", filter=matching & possible & Q(is_ticked=True)),
    )
    rows = clients.filter(matching).order_by(*_ORDERS[listed.sort]()).values(*_SHOWN, **_NAMED)
    page = _Counted(rows, ROWS_PER_PAGE, known_count=figures["matching"]).get_page(listed.page)
    page.object_list = [_row(values, now) for values in page.object_list]
    is_all = 0 < figures["possible"] == figures["ticked"]
    return Choice(page, figures["total"], figures["chosen"], figures["matching"], is_all)


_SHOWN = ("client_id", "last_contact_at", "reason", "is_ticked")
_NAMED = {
    "first_name": F("client__first_name"),
    "last_name": F("client__last_name"),
    "status_name": F("status__name"),
    "address": F("number__address"),
}


class _Counted(Paginator):  # type: ignore[type-arg]  # generic in its stubs only
    """A paginator whose count came with the other figures."""

    def __init__(self, *args: Any, known_count: int) -> None:
        super().__init__(*args)
        self._known_count = known_count

    @cached_property
    def count(self) -> int:
        return self._known_count


def _row(values: dict[str, Any], now: datetime) -> ChoiceRow:
    number = phone_numbers.display(values["address"] or "")
    return ChoiceRow(
        client_id=values["client_id"],
        name=queries.shown_name(values, number),
        number=number,
        status_name=values["status_name"] or "",
        last_contact=relative_time(values["last_contact_at"], now),
        is_ticked=values["is_ticked"],
        reason=str(LeftOut(values["reason"]).label) if values["reason"] else "",
    )


@dataclass(frozen=True)
class FollowUp:
    """So many clients of a status who are to be asked how they are."""

    status_id: int
    status_name: str
    count: int


def follow_ups(case_manager: User, now: datetime) -> list[FollowUp]:
    """For the banner on My clients: one query for all statuses."""
    due = _due(queries.own(case_manager), now)
    found = due.values("status_id", "status__name").annotate(count=Count("pk"))
    rows = found.order_by("status__position", "status_id").values_list("status_id", "status__name", "count")
    return [FollowUp(status_id, name, count) for status_id, name, count in rows]
