"""A file of clients: taken in, checked, confirmed, and erased after a while. Its rows are taken by import_rows."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts import doorbell
from accounts.models import Department, User
from messaging import import_columns
from messaging.client_imports import ClientImport, ClientImportRow, Verdict
from messaging.csv_files import Table
from messaging.import_columns import Field
from messaging.import_verdicts import Judged, judge

KEPT_FOR = timedelta(days=7)
BATCH = 1_000
LOOKED_AT = 50  # rows, to tell what a column is


class AlreadyConfirmed(Exception):
    """Its rows are being taken, or were."""


class NotChecked(Exception):
    """What its columns mean was not chosen yet, or has been changed since the page was drawn."""


def begin_import(
    *, table: Table, file_name: str, by: User, for_whom: User, department: Department, now: datetime
) -> ClientImport:
    """Takes the file in, with a guess of what its columns mean, and judges its rows."""
    made = ClientImport(department=department, made_by=by, for_whom=for_whom, file_name=file_name[:200], created_at=now)
    made.has_headings = import_columns.has_headings(table.rows[0].cells)
    made.columns = guessed_columns([row.cells for row in table.rows], table.width, has_headings=made.has_headings)
    rows = [ClientImportRow(number=row.number, cells=row.cells) for row in table.rows]
    _judge(made, rows)
    with transaction.atomic():
        made.save()
        for row in rows:
            row.client_import = made
        ClientImportRow.objects.bulk_create(rows, batch_size=BATCH)
    return made


def guessed_columns(rows: Sequence[Sequence[str]], width: int, *, has_headings: bool) -> list[str]:
    """What the columns mean as far as the file tells."""
    if not has_headings:
        return import_columns.guess_by_cells(rows[:LOOKED_AT], width)
    columns = import_columns.guess([*rows[0], *[""] * width][:width])
    if Field.PHONE_NUMBER in columns:
        return columns
    by_cells = import_columns.guess_by_cells(rows[1:LOOKED_AT], width)
    number = by_cells.index(Field.PHONE_NUMBER) if Field.PHONE_NUMBER in by_cells else width
    return [*columns[:number], *by_cells[number : number + 1], *columns[number + 1 :]]


def choose_columns(*, client_import: ClientImport, columns: Sequence[str], has_headings: bool) -> ClientImport:
    """Writes down what the columns mean, and judges the rows anew. Raises AlreadyConfirmed."""
    rows = list(ClientImportRow.objects.filter(client_import=client_import).order_by("number"))
    client_import.columns, client_import.has_headings = list(columns), has_headings
    _judge(client_import, rows)
    with transaction.atomic():
        open_ones = ClientImport.objects.select_for_update(no_key=True).filter(confirmed_at__isnull=True)
        if not open_ones.filter(pk=client_import.pk):
            raise AlreadyConfirmed
        client_import.save(update_fields=["columns", "has_headings"])
        for start in range(0, len(rows), BATCH):
            ClientImportRow.objects.bulk_create(
                rows[start : start + BATCH],
                update_conflicts=True,
                unique_fields=["client_import", "number"],
                update_fields=["verdict", "problems"],
            )
    return client_import


def _judge(client_import: ClientImport, rows: Sequence[ClientImportRow]) -> None:
    """Writes the verdicts into the rows. Without a whole choice of columns there are none."""
    heading, clients = (rows[:1], rows[1:]) if client_import.has_headings else ([], rows)
    for row in heading:
        row.verdict, row.problems = Verdict.HEADING, {}
    for row, judged in zip(clients, _verdicts(client_import, clients), strict=True):
        row.verdict, row.problems = (judged.verdict, judged.problems) if judged else ("", {})


def _verdicts(client_import: ClientImport, rows: Sequence[ClientImportRow]) -> Iterable[Judged | None]:
    if import_columns.problem(client_import.columns):
        return iter([None] * len(rows))
    numbered: Iterator[tuple[int, list[str]]] = ((row.number, row.cells) for row in rows)
    return judge(numbered, client_import.columns, client_import.for_whom, client_import.department)


@transaction.atomic
def confirm(*, client_import: ClientImport, now: datetime) -> None:
    """Its rows are taken from now on, as they were judged. Twice is once. Raises NotChecked."""
    locked = ClientImport.objects.select_for_update(no_key=True).get(pk=client_import.pk)
    if locked.confirmed_at is not None:
        return
    if locked.columns != client_import.columns or import_columns.problem(locked.columns):
        raise NotChecked
    ClientImport.objects.filter(pk=locked.pk).update(confirmed_at=now)
    doorbell.ring("messaging.take_imported_clients")


@transaction.atomic
def discard(*, client_import: ClientImport) -> None:
    """Erases one that was not confirmed, or is done. Raises AlreadyConfirmed while its rows are being taken."""
    settled = Q(confirmed_at__isnull=True) | Q(finished_at__isnull=False)
    locked = ClientImport.objects.select_for_update().filter(settled, pk=client_import.pk).first()
    if locked is None:
        raise AlreadyConfirmed
    locked.delete()


def erase_old(*, now: datetime) -> int:
    """Names and numbers of people are not kept longer than who imported them needs to look at the refused ones."""
    limit = now - KEPT_FOR
    old = ClientImport.objects.filter(Q(finished_at__lt=limit) | Q(confirmed_at__isnull=True, created_at__lt=limit))
    erased = list(old.values_list("pk", flat=True))
    for pk in erased:
        with transaction.atomic():
            old.filter(pk=pk).delete()
    return len(erased)
