"""What is to become of each row of a file, and why not."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, ClientStatus, PhoneNumber
from messaging.client_imports import Verdict
from messaging.import_verdicts import Statuses, judge, split_name, wanted
from tests import builders

pytestmark = pytest.mark.django_db

EndReason = CaseAssignment.EndReason
COLUMNS = ["last_name", "first_name", "phone_number", "id_number", "status", "language", "notes"]
NUMBER = "+18015550177"


def row(number: str = "(801) 555-0177", **fields: str) -> list[str]:
    usual = {"last_name": "Lopez", "first_name": "Maria", "phone_number": number} | fields
    return [usual.get(column, "") for column in COLUMNS]


def verdicts(rows: list[list[str]], alice: User, department: Department) -> list[tuple[str, dict[str, str]]]:
    numbered = list(enumerate(rows, start=2))
    return [(judged.verdict, judged.problems) for judged in judge(numbered, COLUMNS, alice, department)]


def verdict(alice: User, department: Department, **fields: str) -> tuple[str, dict[str, str]]:
    (only,) = verdicts([row(**fields)], alice, department)
    return only


def ended(assignment: CaseAssignment, reason: EndReason, minutes: float = 5) -> CaseAssignment:
    routing.end(assignment, reason, builders.minutes_ago(minutes))
    return assignment


def test_a_number_that_nobody_knows_is_new(alice: User, department: Department) -> None:
    assert verdict(alice, department) == (Verdict.ADD, {})


def test_ones_own_client_stays_as_it_is(alice: User, department: Department) -> None:
    builders.make_client(alice, address=NUMBER)
    assert verdict(alice, department) == (Verdict.UNCHANGED, {})


def test_a_colleagues_client_is_refused_naming_the_colleague(alice: User, bob: User, department: Department) -> None:
    builders.make_client(bob, address=NUMBER)
    judged, problems = verdict(alice, department)
    assert judged == Verdict.REFUSED
    assert "Bob Brown works with the client of this number" in problems["phone_number"]


def test_another_departments_client_is_nobody_here(alice: User, charlie: User, department: Department) -> None:
    builders.make_client(charlie, address=NUMBER)
    assert verdict(alice, department) == (Verdict.ADD, {})


def test_an_unclaimed_client_comes_along(alice: User, department: Department) -> None:
    builders.make_client(None, department=department, address=NUMBER)
    assert verdict(alice, department) == (Verdict.CLAIM, {})


def test_a_client_whom_one_deleted_comes_back(alice: User, department: Department) -> None:
    ended(builders.make_client(alice, address=NUMBER), EndReason.DELETED)
    assert verdict(alice, department) == (Verdict.RESTORE, {})


def by_bob(alice: User, bob: User) -> None:
    ended(builders.make_client(bob, address=NUMBER), EndReason.DELETED)


def by_alice_then_bob(alice: User, bob: User) -> None:
    mine = ended(builders.make_client(alice, address=NUMBER), EndReason.DELETED, 50)
    ended(CaseAssignment.objects.create(client=mine.client, case_manager=bob), EndReason.DELETED, 5)


def moved_to_bob_and_deleted(alice: User, bob: User) -> None:
    mine = ended(builders.make_client(alice, address=NUMBER), EndReason.TRANSFERRED, 50)
    ended(CaseAssignment.objects.create(client=mine.client, case_manager=bob), EndReason.DELETED, 5)


def dismissed(alice: User, bob: User) -> None:
    ended(builders.make_client(None, department=alice.department, address=NUMBER), EndReason.DISMISSED)


def deleted_with_another_number(alice: User, bob: User) -> None:
    mine = ended(builders.make_client(alice, address=NUMBER), EndReason.DELETED)
    PhoneNumber.objects.filter(client=mine.client_id).update(is_current=False)


KNOWN_FROM_BEFORE = [by_bob, by_alice_then_bob, moved_to_bob_and_deleted, dismissed, deleted_with_another_number]


@pytest.mark.parametrize("happened", KNOWN_FROM_BEFORE)
def test_a_number_known_from_before_is_left_to_a_person(
    happened: Any, alice: User, bob: User, department: Department
) -> None:
    happened(alice, bob)
    judged, problems = verdict(alice, department)
    assert judged == Verdict.REFUSED
    assert "Add this client by hand" in problems["phone_number"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("", "is missing"),
        ("8.01556E+09", "has shortened this number"),
        ("8,01556e9", "has shortened this number"),
        ("555-0177", "only 7 digits"),
        ("call her mother", "not a phone number"),
        ("801-555-0177 ext. 4", "extension"),
        ("(801) 555-0100", "your department's own number"),
    ],
)
def test_a_number_that_can_not_be_is_refused_with_the_reason(
    number: str, said: str, alice: User, department: Department
) -> None:
    judged, problems = verdict(alice, department, number=number)
    assert judged == Verdict.REFUSED
    assert said in problems["phone_number"]


@pytest.mark.parametrize(
    "number", ["8015550177", "8015550177.0", "1-801-555-0177", "+1 (801) 555.0177", " 801 5550177 "]
)
def test_a_number_in_any_usual_writing_is_taken(number: str, alice: User, department: Department) -> None:
    builders.make_client(alice, address=NUMBER)
    assert verdict(alice, department, number=number) == (Verdict.UNCHANGED, {})


@pytest.mark.parametrize(
    ("fields", "column", "said"),
    [
        ({"last_name": " "}, "last_name", "missing"),
        ({"last_name": "x" * 101}, "last_name", "longer than 100"),
        ({"id_number": "x" * 51}, "id_number", "longer than 50"),
        ({"notes": "x" * 10_001}, "notes", "longer than 10,000"),
        ({"status": "Gone"}, "status", "Your department has: Active, Inactive."),
    ],
)
def test_what_can_not_be_kept_is_refused_with_the_reason(
    fields: dict[str, str], column: str, said: str, alice: User, department: Department
) -> None:
    judged, problems = verdict(alice, department, **fields)
    assert judged == Verdict.REFUSED
    assert list(problems) == [column]
    assert said in problems[column]


def test_every_reason_of_a_row_is_named(alice: User, bob: User, department: Department) -> None:
    builders.make_client(bob, address=NUMBER)
    _refused, problems = verdict(alice, department, last_name="", status="Gone")
    assert set(problems) == {"last_name", "status", "phone_number"}


def test_a_status_is_known_by_its_name_in_any_case(alice: User, department: Department) -> None:
    statuses = Statuses.of(department)
    inactive = ClientStatus.objects.get(department=department, name="Inactive")
    assert wanted(row(status=" inACTIVE "), COLUMNS, statuses).status == inactive
    first = wanted(row(status=""), COLUMNS, statuses).status
    assert first is not None
    assert first.name == "Active"


def test_the_same_number_twice_is_refused_naming_the_first_row(alice: User, department: Department) -> None:
    rows = [row(), row("801-555-0178"), row("801.555.0177", first_name="Mary")]
    first, second, third = verdicts(rows, alice, department)
    assert (first[0], second[0], third[0]) == (Verdict.ADD, Verdict.ADD, Verdict.REFUSED)
    assert "row 2 already" in third[1]["phone_number"]


def test_a_row_that_is_refused_keeps_no_number_from_the_next(alice: User, department: Department) -> None:
    first, second = verdicts([row(last_name=""), row()], alice, department)
    assert (first[0], second[0]) == (Verdict.REFUSED, Verdict.ADD)


def test_a_row_with_too_many_cells_is_refused_and_one_with_too_few_is_not(alice: User, department: Department) -> None:
    many, few, empty = verdicts([[*row(), "more"], row("8015550178")[:3], [*row(), "", " "]], alice, department)
    assert "1 cell too many" in many[1][""]
    assert (few[0], empty[0]) == (Verdict.ADD, Verdict.ADD)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Lopez, Maria", ("Maria", "Lopez")),
        ("de la Cruz, Ana María", ("Ana María", "de la Cruz")),
        ("Maria Lopez", ("Maria", "Lopez")),
        ("Lopez", ("", "Lopez")),
        (", Maria", ("Maria", "")),
        ("", ("", "")),
    ],
)
def test_a_whole_name_is_split(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_line_breaks_and_blanks_in_a_name_become_one_blank(alice: User, department: Department) -> None:
    read = wanted(row(first_name=" Ana\r\n  María "), COLUMNS, Statuses.of(department))
    assert read.values["first_name"] == "Ana María"


@pytest.mark.parametrize("count", [1, 900])
def test_the_verdicts_of_a_thousand_rows_cost_a_fixed_number_of_queries(
    count: int, alice: User, bob: User, department: Department
) -> None:
    builders.make_caseload(bob, 5)
    rows = [row(f"435-200-{number:04d}") for number in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        verdicts(rows, alice, department)
    assert len(asked) <= 3
