"""The filter "Former clients": who was on one's list, and why they are not any more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import phone_numbers
from accounts.models import User
from clients.models import CaseAssignment, ConversationEvent
from messaging import queries
from messaging.caseload_list import ROWS_PER_PAGE, matching_search, with_number

Reason = CaseAssignment.EndReason

# Whose conversation one keeps. (Merged ones go on in another client; claimed and dismissed ones were nobody's.)
_KEPT = (Reason.DELETED, Reason.TRANSFERRED, Reason.LEFT)


@dataclass(frozen=True)
class FormerRow:
    """A client who was on the list. how: "Deleted May 3". now_with: the colleague who has the client now, if so.

    can_restore: deleted, and on nobody's list.
    """

    client_id: int
    name: str
    number: str
    how: str
    ended_at: datetime
    now_with: str
    can_restore: bool

    @property
    def url(self) -> str:
        return queries.conversation_url(self.client_id)


def former_clients(case_manager: User, *, search: str = "", page: str = "1") -> Page[FormerRow]:
    """A page of them, who left the list last first: two queries, however many there are."""
    ids: Any = _matching(case_manager, search).order_by(*_LATEST_FIRST).values("pk")
    shown: Page[Any] = Paginator(ids, ROWS_PER_PAGE).get_page(page)
    now = timezone.now()
    shown.object_list = [_row(values, case_manager, now) for values in _shown(shown.object_list)]
    return shown


def count_former(case_manager: User, search: str = "") -> int:
    return _matching(case_manager, search).count()


def _matching(case_manager: User, search: str) -> QuerySet[CaseAssignment]:
    ended = CaseAssignment.objects.filter(case_manager=case_manager, ended_at__isnull=False, end_reason__in=_KEPT)
    return with_number(ended.filter(client__merged_into__isnull=True)).filter(matching_search(search))


_NAMES = {
    "first_name": F("client__first_name"),
    "last_name": F("client__last_name"),
    "address": F("number__address"),
    "now_with": F("current__case_manager__full_name"),
}


_LATEST_FIRST = ("-ended_at", "-pk")


def _shown(ids: Any) -> QuerySet[CaseAssignment, Any]:
    """What the lines of one page show. Only these are joined with who has them now, and whom they were given to."""
    is_open = Q(client__assignments__ended_at__isnull=True)
    transfers = ConversationEvent.objects.filter(
        client=OuterRef("client"), kind=ConversationEvent.Kind.TRANSFERRED, from_person=OuterRef("case_manager")
    )
    given_to = transfers.order_by("-at", "-pk").values("to_person__full_name")[:1]
    rows = with_number(CaseAssignment.objects.filter(pk__in=ids)).annotate(
        current=FilteredRelation("client__assignments", condition=is_open)
    )
    ordered = rows.annotate(given_to=Subquery(given_to)).order_by(*_LATEST_FIRST)
    return ordered.values("client_id", "ended_at", "end_reason", "given_to", **_NAMES)


def _row(values: dict[str, Any], case_manager: User, now: datetime) -> FormerRow:
    number = phone_numbers.display(values["address"] or "")
    now_with, given_to = values["now_with"] or "", values["given_to"] or ""
    return FormerRow(
        client_id=values["client_id"],
        name=queries.shown_name(values, number),
        number=number,
        how=_how(values["end_reason"], given_to, _day(values["ended_at"], case_manager, now)),
        ended_at=values["ended_at"],
        now_with="" if now_with == given_to else now_with,
        can_restore=values["end_reason"] == Reason.DELETED and not now_with,
    )


def _how(reason: str, given_to: str, day: str) -> str:
    if reason == Reason.DELETED:
        return _("Deleted %(day)s") % {"day": day}
    if reason == Reason.TRANSFERRED and given_to:
        return _("Transferred to %(name)s, %(day)s") % {"name": given_to, "day": day}
    if reason == Reason.TRANSFERRED:
        return _("Transferred %(day)s") % {"day": day}
    return _("Left your list %(day)s") % {"day": day}


def _day(at: datetime, case_manager: User, now: datetime) -> str:
    """On the department's calendar: May 3, with the year if it is another one."""
    assert case_manager.department is not None
    day, today = (moment.astimezone(case_manager.department.zone) for moment in (at, now))
    return date_format(day, "M j" if day.year == today.year else "M j, Y")
