"""Which of one's clients a list shows, and in which order: My clients, and the recipients of a mass message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    F,
    FilteredRelation,
    Func,
    IntegerField,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Collate
from django.utils.translation import gettext_lazy as _

from accounts import phone_numbers
from clients.models import CaseAssignment
from clients.names import fold

ROWS_PER_PAGE = 50


class Show(TextChoices):
    """Of whom the list is."""

    EVERYONE = "", _("All clients")
    UNREAD = "unread", _("Unread")
    NEEDS_REPLY = "needs-reply", _("Needs a reply")
    NOT_DELIVERED = "not-delivered", _("Not delivered")
    OPTED_OUT = "opted-out", _("Opted out")
    FORMER = "former", _("Former clients")


class Sort(TextChoices):
    """The orders in which My clients can stand; with a minus it is the column's less usual direction."""

    USUAL = "", _("Usual order")
    NEWEST = "contact", _("Last contact: newest first")
    OLDEST = "-contact", _("Last contact: oldest first")
    NAME = "name", _("Name: A to Z")
    NAME_BACK = "-name", _("Name: Z to A")
    STATUS = "status", _("Status: first to last")
    STATUS_BACK = "-status", _("Status: last to first")
    SCHEDULED = "scheduled", _("Scheduled: most first")
    SCHEDULED_BACK = "-scheduled", _("Scheduled: fewest first")


# Asked of assignments with_number. Who waits for an answer: the conversation's last text is the client's, and one may
# answer. (Texts for later don't count: the client knows nothing of them.)
_SHOWN: dict[str, Q] = {
    Show.EVERYONE: Q(),
    Show.UNREAD: Q(unread_count__gt=0),
    Show.NEEDS_REPLY: Q(snippet_is_outgoing=False, last_contact_at__isnull=False, number__opted_out_at__isnull=True),
    Show.NOT_DELIVERED: Q(last_outgoing_failed=True),
    Show.OPTED_OUT: Q(number__opted_out_at__isnull=False),
}


@dataclass(frozen=True)
class Wanted:
    """What of My clients is asked for, as its address says it. page: as typed."""

    search: str = ""
    show: str = Show.EVERYONE.value
    status_id: int | None = None
    sort: str = Sort.USUAL.value
    page: str = "1"

    @property
    def is_filtered(self) -> bool:
        """Whether some of the list may be left out."""
        return bool(self.search or self.show or self.status_id is not None)

    @property
    def is_plain(self) -> bool:
        """The whole list in its usual order."""
        return not (self.is_filtered or self.sort)

    def condition(self) -> Q:
        """Asked of assignments with_number; not of former clients."""
        found = matching_search(self.search) & _SHOWN[self.show]
        return found & Q(status=self.status_id) if self.status_id is not None else found

    def order(self) -> tuple[Any, ...]:
        """The same for any two looks: of equals the client who came first stands first."""
        if self.sort == Sort.USUAL:
            return (LAST_CONTACT.asc(), "client_id") if self.show == Show.NEEDS_REPLY else (_IS_READ, *by_contact())
        return _ORDERS[self.sort.removeprefix("-")](self.sort.startswith("-"))


def with_number(assignments: QuerySet[CaseAssignment]) -> QuerySet[CaseAssignment]:
    """Each with `number`, the client's current one."""
    return assignments.annotate(
        number=FilteredRelation("client__numbers", condition=Q(client__numbers__is_current=True))
    )


def matching_search(search: str) -> Q:
    """Every word is part of a name or of the ID number; or the whole is part of a number, in any writing."""
    named = Q()
    for word in search.split():
        named &= Q(client__search_key__contains=fold(word))
    digits = phone_numbers.search_digits(search)
    return named | Q(number__address__contains=digits) if digits else named


LAST_CONTACT = Coalesce("last_contact_at", "started_at")
_IS_READ = Case(When(unread_count__gt=0, then=Value(0)), default=Value(1), output_field=IntegerField())


def by_contact(is_back: bool = False) -> tuple[Any, ...]:
    """Newest first; who was never contacted stands by the day of the start."""
    return (LAST_CONTACT.asc() if is_back else LAST_CONTACT.desc(), "client_id")


def by_name(is_back: bool = False) -> tuple[Any, ...]:
    """As people look names up: by the last one, whatever its case and accents."""
    names = [_as_read("client__last_name"), _as_read("client__first_name")]
    return (*(name.desc() if is_back else name.asc() for name in names), "client_id")


def by_status(is_back: bool = False) -> tuple[Any, ...]:
    """In the department's order, who has none at the end; those of one status by name."""
    parts = [F("status__position"), F("status__name")]
    ordered = (it.desc(nulls_last=True) if is_back else it.asc(nulls_last=True) for it in parts)
    return (*ordered, *by_name())


def by_scheduled(is_back: bool = False) -> tuple[Any, ...]:
    """By how many texts wait; those of one number by last contact."""
    count = F("scheduled_count")
    return (count.asc() if is_back else count.desc(), *by_contact())


_ORDERS: dict[str, Callable[[bool], tuple[Any, ...]]] = {
    Sort.NEWEST: by_contact,
    Sort.NAME: by_name,
    Sort.STATUS: by_status,
    Sort.SCHEDULED: by_scheduled,
}


def _as_read(name: str) -> Any:
    """PostgreSQL brings the order of dictionaries with it; SQLite is told what we take for equal."""
    if connection.vendor == "postgresql":
        return Collate(name, "und-x-icu")
    connection.ensure_connection()
    connection.connection.create_function("as_read", 1, fold, deterministic=True)
    return Func(name, function="as_read", output_field=CharField())
