"""One's own caseload as the rows of a file, which the import understands. Never texts."""

from collections.abc import Iterator
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from accounts import phone_numbers
from accounts.models import User
from clients.models import CaseAssignment
from messaging.import_columns import Field

_COLUMNS = {
    Field.FIRST_NAME: "client__first_name",
    Field.LAST_NAME: "client__last_name",
    Field.PHONE_NUMBER: "current__address",
    Field.ID_NUMBER: "client__id_number",
    Field.STATUS: "status__name",
    Field.LANGUAGE: "client__language",
    Field.NOTES: "notes",
}


def caseload(case_manager: User) -> QuerySet[CaseAssignment, Any]:
    """The open assignments, by name."""
    mine = CaseAssignment.objects.filter(case_manager=case_manager, ended_at__isnull=True)
    current = FilteredRelation("client__numbers", condition=Q(client__numbers__is_current=True))
    by_name = mine.alias(current=current).order_by("client__last_name", "client__first_name", "client_id")
    return by_name.values_list(*_COLUMNS.values())


def rows(case_manager: User) -> Iterator[list[str]]:
    """The headings, then a row for each client."""
    yield [str(field.label) for field in _COLUMNS]
    for values in caseload(case_manager).iterator(chunk_size=2_000):
        cells = dict(zip(_COLUMNS, (value or "" for value in values), strict=True))
        # As people write it: a spreadsheet keeps that as it is.
        yield list((cells | {Field.PHONE_NUMBER: phone_numbers.display(cells[Field.PHONE_NUMBER])}).values())
