"""Two of one's clients side by side, before they become one; and among whom the other is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, F, Value, When
from django.utils.translation import gettext as _

from accounts import phone_numbers
from accounts.models import User
from clients.models import Client
from messaging import mass_choice
from messaging.caseload_list import matching_search
from messaging.relative_times import relative_time

ROWS_PER_PAGE = 25


@dataclass(frozen=True)
class Side:
    """One of the two, as the page shows it. number_words: the number, and what stands against it."""

    client_id: int
    name: str
    number: str
    number_words: str
    id_number: str
    language: str
    status_name: str
    last_contact: str
    unread_count: int
    scheduled_count: int
    held_count: int
    has_notes: bool


def others(
    user: User, client: Client, *, search: str, page_number: str | int
) -> tuple[list[dict[str, str]], Page[Any]]:
    """The rest of the person's clients who match: those of the same last name first, then by name."""
    namesake = Case(
        When(client__last_name__iexact=client.last_name, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rest = mass_choice.own(user).exclude(client=client).filter(matching_search(search))
    ordered = rest.alias(namesake=namesake).order_by(
        "-namesake", "client__last_name", "client__first_name", "client_id"
    )
    columns = ("client_id", "client__first_name", "client__last_name", "number__address", "status__name")
    page: Page[Any] = Paginator(ordered.values_list(*columns), ROWS_PER_PAGE).get_page(page_number)
    return [_row(*values) for values in page.object_list], page


def _row(client_id: int, first: str, last: str, address: str | None, status: str | None) -> dict[str, str]:
    number = phone_numbers.display(address or "")
    return {
        "client_id": str(client_id),
        "name": f"{first} {last}".strip() or number,
        "number": number,
        "status_name": status or "",
    }


def sides(user: User, client_ids: Sequence[int], now: datetime) -> list[Side]:
    """In that order; fewer if one of them is not on the person's list."""
    mine = mass_choice.own(user).filter(client__in=client_ids).select_related("client", "status")
    found = {assignment.client_id: assignment for assignment in mine.annotate(**_NUMBER)}
    return [_side(found[client_id], now) for client_id in client_ids if client_id in found]


_NUMBER: dict[str, Any] = {
    "address": F("number__address"),
    "opted_out_at": F("number__opted_out_at"),
    "wrong_at": F("number__wrong_at"),
}


def _side(assignment: Any, now: datetime) -> Side:
    client = assignment.client
    number = phone_numbers.display(assignment.address or "")
    return Side(
        client_id=client.pk,
        name=client.full_name or number,
        number=number,
        number_words=_number_words(number, assignment),
        id_number=client.id_number,
        language=client.language,
        status_name=assignment.status.name if assignment.status else "",
        last_contact=relative_time(assignment.last_contact_at, now),
        unread_count=assignment.unread_count,
        scheduled_count=assignment.scheduled_count,
        held_count=assignment.held_count,
        has_notes=bool(assignment.notes),
    )


def _number_words(number: str, assignment: Any) -> str:
    if assignment.opted_out_at is not None:
        return _("%(number)s (opted out)") % {"number": number}
    if assignment.wrong_at is not None:
        return _("%(number)s (marked as wrong)") % {"number": number}
    return number
