"""What the columns of a file mean: guessed from their headings, in the words that offices use."""

import re
from collections.abc import Sequence

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Field(TextChoices):
    """What can be known of a client. NAME is split into first and last."""

    FIRST_NAME = "first_name", gettext_lazy("First name")
    LAST_NAME = "last_name", gettext_lazy("Last name")
    NAME = "name", gettext_lazy("Whole name")
    PHONE_NUMBER = "phone_number", gettext_lazy("Phone number")
    ID_NUMBER = "id_number", gettext_lazy("ID number")
    STATUS = "status", gettext_lazy("Status")
    LANGUAGE = "language", gettext_lazy("Language")
    NOTES = "notes", gettext_lazy("Notes")


LEFT_OUT = ""

_USUAL = {
    Field.FIRST_NAME: "first name, firstname, first, given name, forename, fname, client first name",
    Field.LAST_NAME: "last name, lastname, last, surname, family name, lname, client last name",
    Field.NAME: "name, full name, whole name, client, client name, name last first, last first, last name first name, "
    "participant, participant name, person",
    Field.PHONE_NUMBER: "phone number, phone, mobile, cell, mobile phone, cell phone, cellphone, mobile number, "
    "cell number, telephone, telephone number, tel, phone no, contact number, client phone",
    Field.ID_NUMBER: "id number, id, id no, case number, case no, case id, client id, case, docket, docket number, "
    "file number, offender number",
    Field.STATUS: "status, client status, case status",
    Field.LANGUAGE: "language, preferred language, lang",
    Field.NOTES: "notes, note, comments, comment, remarks",
}
_FIELD_OF = {words: field for field, listed in _USUAL.items() for words in listed.split(", ")}
# Only where no heading says it better: "Home phone", if there is no other.
_PARTS = [
    (Field.PHONE_NUMBER, re.compile(r"\b(mobile|cell)")),
    (Field.PHONE_NUMBER, re.compile(r"\b(tele)?phone\b")),
    (Field.FIRST_NAME, re.compile(r"\bfirst name\b")),
    (Field.LAST_NAME, re.compile(r"\blast name\b")),
    (Field.NOTES, re.compile(r"\b(notes|comments)\b")),
]
_NUMBER = re.compile(r"'?\+?[\d\s().\u00a0/-]{7,25}")
_MOST_OF_THEM = 0.6


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[^\w]+|_", " ", heading.casefold()).split())


def is_known(heading: str) -> bool:
    """Whether a heading says what its column is."""
    return _plain(heading) in _FIELD_OF


def looks_like_number(cell: str) -> bool:
    """Whether it is written as phone numbers are; not whether it can be one."""
    return _NUMBER.fullmatch(cell.strip()) is not None and len(re.sub(r"\D", "", cell)) >= 7


def has_headings(first_row: Sequence[str]) -> bool:
    """A row with a phone number is a client; any other first row says what the columns are."""
    return not any(looks_like_number(cell) for cell in first_row)


def guess(headings: Sequence[str]) -> list[str]:
    """The field of each column, LEFT_OUT where nothing is known. Each field at most once."""
    plain = [_plain(heading) for heading in headings]
    found: dict[Field, int] = {}
    for column, heading in enumerate(plain):
        if field := _FIELD_OF.get(heading):
            found.setdefault(field, column)
    for field, part in _PARTS:
        for column, heading in enumerate(plain):
            if field not in found and column not in found.values() and part.search(heading):
                found[field] = column
    if Field.LAST_NAME in found:
        found.pop(Field.NAME, None)
    return _by_column(found, len(headings))


def guess_by_cells(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The same without headings: numbers, and names with a comma, give themselves away."""
    found: dict[Field, int] = {}
    for column in range(width):
        cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
        enough = max(1, _MOST_OF_THEM * len(cells))
        if sum(map(looks_like_number, cells)) >= enough:
            found.setdefault(Field.PHONE_NUMBER, column)
        elif sum(re.fullmatch(r"[^\d,]+,[^\d,]+", cell) is not None for cell in cells) >= enough:
            found.setdefault(Field.NAME, column)
    return _by_column(found, width)


def _by_column(found: dict[Field, int], width: int) -> list[str]:
    fields = {column: field for field, column in found.items()}
    return [str(fields.get(column, LEFT_OUT)) for column in range(width)]


def problem(columns: Sequence[str]) -> str:
    """What is wrong with the choice, in a sentence; empty if nothing is."""
    for field in Field:
        if columns.count(field) > 1:
            return _("Two columns are marked “%(field)s”. Choose one of them.") % {"field": field.label}
    if Field.PHONE_NUMBER not in columns:
        return _("Choose the column with the phone numbers.")
    if Field.NAME in columns and (Field.LAST_NAME in columns or Field.FIRST_NAME in columns):
        return _("Choose either the whole name, or first and last name.")
    if Field.NAME not in columns and Field.LAST_NAME not in columns:
        return _("Choose the column with the last names, or the one with whole names.")
    return ""
