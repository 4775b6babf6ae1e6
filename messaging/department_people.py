"""The people of a department with how many clients each has, and one person's clients to be moved."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet

from accounts import phone_numbers
from accounts.models import Department, User
from clients.models import Client
from messaging import mass_choice

ROWS_PER_PAGE = 50
CLIENTS_PER_PAGE = 50


@dataclass(frozen=True)
class PersonRow:
    """A line of the list. client_count: active clients."""

    person_id: int
    name: str
    email: str
    role: str
    is_open: bool
    client_count: int


@dataclass(frozen=True)
class ClientRow:
    """A client of the person whose clients are moved: name and number, and nothing of what was written."""

    client_id: int
    name: str
    number: str
    status_name: str


def people(department: Department, *, page_number: str | int = 1) -> tuple[list[PersonRow], Page[User]]:
    """Open accounts first, then by name."""
    everybody = User.objects.filter(department=department).order_by("-is_active", "full_name", "pk")
    page: Page[User] = Paginator(everybody, ROWS_PER_PAGE).get_page(page_number)
    shown = list(page.object_list)
    counts = _active_counts(shown)
    rows = [
        PersonRow(it.pk, str(it), it.email, str(it.get_role_display()), it.is_active, counts[it.pk]) for it in shown
    ]
    return rows, page


def _active_counts(shown: Iterable[User]) -> Counter[int]:
    active = User.objects.filter(pk__in=[it.pk for it in shown], assignments__ended_at__isnull=True)
    return Counter(dict(active.annotate(count=Count("assignments")).order_by().values_list("pk", "count")))


def clients_of(person: User, *, page_number: str | int = 1) -> tuple[list[ClientRow], Page[Any]]:
    """The person's active clients, by name."""
    theirs = mass_choice.own(person).order_by("client__last_name", "client__first_name", "client_id")
    columns = ("client_id", "client__first_name", "client__last_name", "number__address", "status__name")
    page: Page[Any] = Paginator(theirs.values_list(*columns), CLIENTS_PER_PAGE).get_page(page_number)
    return [_client_row(*values) for values in page.object_list], page


def _client_row(client_id: int, first: str, last: str, address: str | None, status: str | None) -> ClientRow:
    number = phone_numbers.display(address or "")
    return ClientRow(client_id, f"{first} {last}".strip() or number, number, status or "")


def colleagues(department: Department, *, besides: User | None) -> QuerySet[User]:
    """Whom a client can go to: open accounts of the department, by name."""
    others = User.objects.filter(department=department, is_active=True)
    return (others.exclude(pk=besides.pk) if besides else others).order_by("full_name", "pk")


def names_of(client_ids: Iterable[int], department: Department) -> dict[int, str]:
    """For telling who was not moved."""
    return {client.pk: str(client) for client in Client.objects.filter(pk__in=client_ids, department=department)}
