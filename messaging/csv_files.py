"""Files of comma separated values, as spreadsheets make them and take them.

Reading finds out the encoding and the separator; a file that is something else is refused with a sentence that says
what to do. Writing guards against cells that a spreadsheet would run as a formula (OWASP, "CSV Injection").
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging import import_columns

MAX_BYTES = 10_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 50
SEPARATORS = ",;\t"
BOM = "\ufeff"  # Excel takes a file for UTF-8 only with it

_LOOKED_AT = 20  # rows, to tell which separator it is
_FORMULA = frozenset("=+-@\t\r\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)  # Excel's own mark, which it doesn't show


class NotATable(ValueError):
    """Says in plain words why the file can't be read, and what to do."""


@dataclass(frozen=True)
class Row:
    """number: as a spreadsheet counts it. cells: as they stand in the file, without a guard before a formula."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """Its rows without the empty ones. width: how many columns it has, as nearly all its rows say."""

    rows: list[Row]
    width: int


def read(content: bytes) -> Table:
    """What stands in the file. Raises NotATable."""
    if len(content) > MAX_BYTES:
        raise NotATable(_("This file is larger than 10 MB. Split it, and import one part after the other."))
    rows = [row for row in _records(_decoded(content)) if any(cell.strip() for cell in row.cells)]
    if not rows:
        raise NotATable(_("This file is empty."))
    if len(rows) > MAX_ROWS:
        raise NotATable(
            _("This file has %(count)s rows. Up to %(most)s can be imported at once: split it.")
            % {"count": f"{len(rows):,}", "most": f"{MAX_ROWS:,}"}
        )
    usual, _times = Counter(len(row.cells) for row in rows).most_common(1)[0]
    width = max(len(rows[0].cells), usual)
    if width > MAX_COLUMNS:
        raise NotATable(_("This file has %(count)s columns. Keep those of the clients only.") % {"count": width})
    return Table(rows, width)


def write(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Line by line, for Excel: with the mark of UTF-8 at the beginning, and no cell that would be run."""
    yield BOM
    line = io.StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def guarded(cell: str) -> str:
    """With an apostrophe before what a spreadsheet would run. Taken off again by unguarded, whatever stood there."""
    return f"'{cell}" if cell.lstrip("'")[:1] in _FORMULA else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and guarded(cell[1:]) == cell else cell


def _decoded(content: bytes) -> str:
    _refuse_other_kinds(content)
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _text(content, encoding)
    if b"\0" in content:
        return _text(content, "utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return _text(content, "cp1252")


_MARKS = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotATable(_("This is not a CSV file: it holds no text. %(how)s") % {"how": _how()}) from error


def _refuse_other_kinds(content: bytes) -> None:
    for starts, kind in _OTHER_KINDS:
        if content.startswith(starts):
            raise NotATable(_("This is %(kind)s, not a CSV file. %(how)s") % {"kind": _(kind), "how": _how()})
    if content[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype", b"<html", b"<table", b"<?xml")):
        raise NotATable(_("This is a web page, not a CSV file. %(how)s") % {"how": _how()})


_OTHER_KINDS = [
    ((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), "an Excel workbook or another office file"),
    ((b"%PDF",), "a PDF"),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"), "a picture"),
    ((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!"), "a compressed file"),
]


def _how() -> str:
    return _("In Excel choose “Save as” and “CSV UTF-8”, then choose that file here.")


def _records(text: str) -> Iterator[Row]:
    text, odd = _CONTROL.subn(" ", text.removeprefix(BOM))  # some programs leave one here and there
    if odd * 100 > len(text):
        raise NotATable(_("This is not a CSV file: it holds more than text. %(how)s") % {"how": _how()})
    mark = _SEPARATOR_LINE.match(text)
    separator = mark[1] if mark else _separator(text)
    text = text[mark.end() :] if mark else text
    try:
        for number, cells in enumerate(_parsed(text, separator, strict=_is_strict(text, separator)), start=1):
            yield Row(number, [unguarded(cell) for cell in cells])
    except csv.Error as error:
        raise NotATable(_("A cell of this file is too long: more than 131,000 characters.")) from error


def _parsed(text: str, separator: str, *, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)


def _is_strict(text: str, separator: str) -> bool:
    """Whether its quotation marks are all as they should be. One that is never closed would swallow the rest."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for _cells in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise NotATable(
                _("A quotation mark that opens in line %(line)s is never closed.") % {"line": line}
            ) from error
        return False
    return True


def _separator(text: str) -> str:
    """The one that makes the most sense of the first rows: of known headings, of numbers, of several cells."""
    return max(SEPARATORS, key=lambda separator: _sense(text, separator))


def _sense(text: str, separator: str) -> tuple[int, int, int]:
    rows: list[list[str]] = []
    try:
        for cells in _parsed(text, separator):
            rows += [cells] if any(cells) else []
            if len(rows) == _LOOKED_AT:
                break
    except csv.Error:
        return (0, 0, 0)
    headings = sum(import_columns.is_known(cell) for cell in rows[0]) if rows else 0
    numbers = sum(import_columns.looks_like_number(cell) for cells in rows for cell in cells)
    return (headings, numbers, len(rows[0]) if rows else 0)
