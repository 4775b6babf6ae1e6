"""What the pages of an import show: its figures, its columns, its rows by verdict, and those that were not taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.client_imports import TAKEN, WORKED_OFF, ClientImport, ClientImportRow, Verdict
from messaging.import_columns import LEFT_OUT, Field

ROWS_PER_PAGE = 50
EXAMPLES = 3
LONGEST_SHOWN = 120  # characters of a cell; notes can be long


class Show(TextChoices):
    """Which rows are asked for."""

    ALL = "", gettext_lazy("All")
    TAKEN = "added", gettext_lazy("Added")
    UNCHANGED = "unchanged", gettext_lazy("On the list already")
    REFUSED = "not-taken", gettext_lazy("Not taken")


_VERDICTS = {Show.TAKEN: TAKEN, Show.UNCHANGED: (Verdict.UNCHANGED,), Show.REFUSED: (Verdict.REFUSED,)}


@dataclass(frozen=True)
class Figures:
    """How many rows there are by verdict, and how many of them still have to be taken."""

    by_verdict: dict[str, int]
    waiting: int

    def of(self, show: Show) -> int:
        return sum(self.by_verdict.get(verdict, 0) for verdict in _VERDICTS.get(show, Verdict.values))

    @property
    def total(self) -> int:
        return sum(self.by_verdict.values())

    @property
    def done(self) -> int:
        """With those that are not to be taken."""
        return self.total - self.waiting


def read_figures(client_import: ClientImport) -> Figures:
    """One query."""
    waiting = Count("pk", filter=Q(done_at__isnull=True, verdict__in=WORKED_OFF))
    grouped = _clients(client_import).values("verdict").order_by("verdict").annotate(count=Count("pk"), waiting=waiting)
    groups = list(grouped)
    counts = {group["verdict"]: group["count"] for group in groups}
    return Figures(counts, sum(group["waiting"] for group in groups))


def _clients(client_import: ClientImport) -> QuerySet[ClientImportRow]:
    """Without the headings."""
    return ClientImportRow.objects.filter(client_import=client_import).exclude(verdict=Verdict.HEADING)


@dataclass(frozen=True)
class Column:
    """One of the file's. key: the name of its field on the page. examples: what stands in its first rows."""

    key: str
    heading: str
    examples: list[str]
    chosen: str


def read_columns(client_import: ClientImport) -> list[Column]:
    """The columns with a choice of what they mean. One query."""
    rows = ClientImportRow.objects.filter(client_import=client_import).order_by("number")
    first = [row.cells for row in rows[: EXAMPLES + 1]]
    heading = first.pop(0) if client_import.has_headings else []
    return [
        Column(
            f"column-{column}",
            _at(heading, column).strip() or _("Column %(letter)s") % {"letter": letter(column)},
            [shown for cells in first[:EXAMPLES] if (shown := shortened(_at(cells, column).strip()))],
            chosen,
        )
        for column, chosen in enumerate(client_import.columns)
    ]


def _at(cells: list[str], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def letter(column: int) -> str:
    """As a spreadsheet calls it: A, B … Z, AA."""
    return (letter(column // 26 - 1) if column >= 26 else "") + chr(ord("A") + column % 26)


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


@dataclass(frozen=True)
class Cell:
    """label: what its column means. problem: why it can't be taken."""

    label: str
    text: str
    problem: str
    is_number: bool


@dataclass(frozen=True)
class Line:
    """One row of the file as the page shows it."""

    number: int
    cells: list[Cell]
    verdict: str
    words: str
    problem: str
    is_done: bool


def read_lines(client_import: ClientImport, show: Show, page_number: str) -> Page[Line]:
    """One page of the rows. Two queries."""
    rows = _clients(client_import).order_by("number")
    rows = rows.filter(verdict__in=_VERDICTS[show]) if show in _VERDICTS else rows
    page = Paginator(rows, ROWS_PER_PAGE).get_page(page_number)
    lines: Any = page
    lines.object_list = [_line(row, client_import.columns) for row in page.object_list]
    return cast(Page[Line], lines)


def _line(row: ClientImportRow, columns: list[str]) -> Line:
    problems = dict(row.problems)
    cells = [_cell(Field(field), _at(row.cells, column), problems) for column, field in enumerate(columns) if field]
    if not row.verdict:  # nobody chose yet what the columns mean
        cells = [Cell(letter(column), shortened(cell), "", False) for column, cell in enumerate(row.cells)]
    words = Verdict(row.verdict).label if row.verdict else ""
    return Line(row.number, cells, row.verdict, str(words), " ".join(problems.values()), row.done_at is not None)


def _cell(field: Field, written: str, problems: dict[str, str]) -> Cell:
    """Takes its problem out of `problems`; what is left there belongs to the whole row."""
    text, problem = shortened(written.strip()), problems.pop(field, "")
    if field == Field.NAME:
        problem = " ".join(filter(None, (problems.pop(name, "") for name in (Field.FIRST_NAME, Field.LAST_NAME))))
    return Cell(str(field.label), text, problem, field == Field.PHONE_NUMBER)


def not_taken(client_import: ClientImport) -> Iterator[list[str]]:
    """The refused rows as they stood in the file, the reason before them, under the file's own headings."""
    rows = ClientImportRow.objects.filter(client_import=client_import).order_by("number")
    heading = rows.first() if client_import.has_headings else None
    names = heading.cells if heading else [_label(field, column) for column, field in enumerate(client_import.columns)]
    yield [_("Reason"), *names]
    for row in rows.filter(verdict=Verdict.REFUSED).iterator(chunk_size=1_000):
        yield [" ".join(dict.fromkeys(row.problems.values())), *row.cells]


def _label(field: str, column: int) -> str:
    return str(Field(field).label) if field != LEFT_OUT else letter(column)
