"""What is to become of each row of a file of clients, and why not. Nothing is changed here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import phone_numbers
from accounts.models import Department, User
from clients.models import CaseAssignment, ClientStatus, PhoneNumber
from messaging.client_imports import Verdict
from messaging.import_columns import Field

CHUNK = 1_000  # rows whose numbers are looked up by one query
LONGEST = {Field.FIRST_NAME: 100, Field.LAST_NAME: 100, Field.ID_NUMBER: 50, Field.LANGUAGE: 50, Field.NOTES: 10_000}
WHOLE_ROW = ""

_SHORTENED = re.compile(r"\d([.,]\d+)?e\+?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """What a row says of a client. values: by field, as they will be kept, the number in E.164; what can't be kept
    stands there as it was written. problems: why not, by field.
    """

    values: dict[str, str]
    status: ClientStatus | None
    problems: dict[str, str]

    @property
    def address(self) -> str:
        """The number, if it is one."""
        return "" if Field.PHONE_NUMBER in self.problems else self.values[Field.PHONE_NUMBER]


@dataclass(frozen=True)
class Judged:
    verdict: Verdict
    problems: dict[str, str]


@dataclass(frozen=True)
class Statuses:
    """A department's statuses by their names, in its own order."""

    department: Department
    in_order: list[ClientStatus]
    by_name: Mapping[str, ClientStatus] = field(default_factory=dict)

    @classmethod
    def of(cls, department: Department) -> "Statuses":
        in_order = list(ClientStatus.objects.filter(department=department).order_by("position", "pk"))
        return cls(department, in_order, {status.name.casefold(): status for status in reversed(in_order)})

    def named(self, name: str) -> ClientStatus | None:
        """The first for an empty name, None for an unknown one."""
        return self.by_name.get(name.casefold()) if name else next(iter(self.in_order), None)


def wanted(cells: Sequence[str], columns: Sequence[str], statuses: Statuses) -> Wanted:
    """What the cells say, where each column means what `columns` says."""
    read = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
    values = {str(name): _one_line(read.get(name, "")) for name in Field if name != Field.NAME}
    values[Field.NOTES] = read.get(Field.NOTES, "").strip()
    if Field.NAME in read:
        values[Field.FIRST_NAME], values[Field.LAST_NAME] = split_name(_one_line(read[Field.NAME]))
    status = statuses.named(values[Field.STATUS])
    problems = dict(_problems(values, statuses, status))
    if extra := sum(1 for cell in cells[len(columns) :] if cell.strip()):
        problems[WHOLE_ROW] = ngettext(
            "This row has %(count)s cell too many. A comma inside a cell needs quotation marks around it.",
            "This row has %(count)s cells too many. A comma inside a cell needs quotation marks around it.",
            extra,
        ) % {"count": extra}
    try:
        values[Field.PHONE_NUMBER] = _number(values[Field.PHONE_NUMBER], statuses.department)
    except phone_numbers.NotAPhoneNumber as error:
        problems[Field.PHONE_NUMBER] = str(error)
    return Wanted(values, status, problems)


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def split_name(name: str) -> tuple[str, str]:
    """First and last name of "Lopez, Maria" or "Maria Lopez"."""
    if "," in name:
        last, _comma, first = name.partition(",")
        return first.strip(), last.strip()
    first, _blank, last = name.rpartition(" ")
    return first, last


def _problems(values: Mapping[str, str], statuses: Statuses, status: ClientStatus | None) -> Iterator[tuple[str, str]]:
    if not values[Field.LAST_NAME]:
        yield Field.LAST_NAME, _("The last name is missing.")
    for name, most in LONGEST.items():
        if len(values[name]) > most:
            yield name, _("This is longer than %(most)s characters.") % {"most": f"{most:,}"}
    if status is None:
        names = ", ".join(known.name for known in statuses.in_order)
        yield Field.STATUS, _("There is no such status. Your department has: %(names)s.") % {"names": names}


def _number(written: str, department: Department) -> str:
    """In E.164. Raises NotAPhoneNumber."""
    if not written:
        raise phone_numbers.NotAPhoneNumber(_("The phone number is missing."))
    if _SHORTENED.fullmatch(written):
        raise phone_numbers.NotAPhoneNumber(
            _(
                "A spreadsheet has shortened this number and lost its last digits. "
                "Show the column as numbers without decimals, and save the file again."
            )
        )
    number = phone_numbers.parse(re.sub(r"(?<=\d{7})\.0+$", "", written))
    if number == department.phone_number:
        raise phone_numbers.NotAPhoneNumber(_("This is your department's own number."))
    return number


def judge(
    rows: Iterable[tuple[int, Sequence[str]]], columns: Sequence[str], for_whom: User, department: Department
) -> Iterator[Judged]:
    """A verdict for each row, in their order. rows: their numbers and cells. Two queries for each thousand."""
    statuses, firsts = Statuses.of(department), dict[str, int]()
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        read = [(number, wanted(cells, columns, statuses)) for number, cells in chunk]
        known = standings({it.address for _number, it in read if it.address}, for_whom, department)
        for number, it in read:
            yield _judged(number, it, known.get(it.address), firsts)


def _judged(number: int, row: Wanted, standing: Judged | None, firsts: dict[str, int]) -> Judged:
    if not row.problems and row.address in firsts:
        again = _("The same number stands in row %(number)s already.") % {"number": firsts[row.address]}
        return Judged(Verdict.REFUSED, {Field.PHONE_NUMBER: again})
    if standing is not None and standing.verdict == Verdict.REFUSED:
        return Judged(Verdict.REFUSED, row.problems | standing.problems)
    if row.problems:
        return Judged(Verdict.REFUSED, row.problems)
    firsts[row.address] = number
    return standing or Judged(Verdict.ADD, {})


def standings(addresses: Iterable[str], for_whom: User, department: Department) -> dict[str, Judged]:
    """What the numbers that the department knows mean for who wants to add them. Two queries."""
    known = PhoneNumber.objects.filter(department=department, address__in=addresses).order_by()
    numbers = list(known.values_list("address", "client_id", "is_current"))
    told = _assignments(client for _address, client, _current in numbers)
    return {
        address: _standing(told.get(client, []), for_whom, was_given_up=not is_current)
        for address, client, is_current in numbers
    }


def _assignments(client_ids: Iterable[int]) -> dict[int, list[CaseAssignment]]:
    """The open one first, then the latest; those that were never anybody's only while they are open."""
    rows = CaseAssignment.objects.filter(Q(ended_at__isnull=True) | Q(case_manager__isnull=False))
    by_client: dict[int, list[CaseAssignment]] = {}
    for row in rows.filter(client__in=set(client_ids)).select_related("case_manager").order_by("client_id", "pk"):
        by_client.setdefault(row.client_id, []).append(row)
    for listed in by_client.values():
        listed.sort(key=_latest_first, reverse=True)
    return by_client


def _latest_first(assignment: CaseAssignment) -> tuple[Any, ...]:
    return (assignment.is_open, assignment.ended_at.timestamp() if assignment.ended_at else 0, assignment.pk)


def _standing(assignments: Sequence[CaseAssignment], for_whom: User, *, was_given_up: bool) -> Judged:
    latest = assignments[0] if assignments else None
    colleague = latest.case_manager if latest is not None and latest.is_open else None
    if colleague is not None:
        if colleague == for_whom:
            return Judged(Verdict.UNCHANGED, {})
        return Judged(Verdict.REFUSED, {Field.PHONE_NUMBER: colleagues(colleague)})
    if latest is None or was_given_up:
        return Judged(Verdict.REFUSED, {Field.PHONE_NUMBER: by_hand()})
    if latest.is_open:
        return Judged(Verdict.CLAIM, {})
    if latest.case_manager == for_whom and latest.end_reason == CaseAssignment.EndReason.DELETED:
        return Judged(Verdict.RESTORE, {})
    return Judged(Verdict.REFUSED, {Field.PHONE_NUMBER: by_hand()})


def colleagues(colleague: User) -> str:
    return _("%(name)s works with the client of this number. A supervisor can transfer them.") % {
        "name": colleague.full_name
    }


def by_hand() -> str:
    return _("This number is known from before. Add this client by hand with “New client”.")
