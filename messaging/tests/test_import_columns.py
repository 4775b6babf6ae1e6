"""What columns mean, guessed from usual words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import import_columns
from messaging.import_columns import Field


@pytest.mark.parametrize(
    ("headings", "fields"),
    [
        (["First Name", "LAST_NAME", "Phone Number"], ["first_name", "last_name", "phone_number"]),
        (["Client Name", "Cell", "Case #", "Case number"], ["name", "phone_number", "id_number", ""]),
        (["Name (Last, First)", "Tel.", "Language"], ["name", "phone_number", "language"]),
        (["Surname", "Given name", "Mobile", "Status", "Comments"],
         ["last_name", "first_name", "phone_number", "status", "notes"]),
        (["Last name", "Home phone", "Cell phone (text)"], ["last_name", "", "phone_number"]),
        (["Last name", "Home phone"], ["last_name", "phone_number"]),
        (["Phone", "Phone", "Last"], ["phone_number", "", "last_name"]),
        (["Client", "First name", "Last name"], ["", "first_name", "last_name"]),
        (["", "Reason", "Whatever"], ["", "", ""]),
    ],
)  # fmt: skip
def test_usual_headings_are_understood(headings: list[str], fields: list[str]) -> None:
    assert import_columns.guess(headings) == fields


@given(st.lists(st.text(), max_size=12))
def test_no_field_is_guessed_twice(headings: list[str]) -> None:
    found = [field for field in import_columns.guess(headings) if field]
    assert len(found) == len(set(found))
    assert len(import_columns.guess(headings)) == len(headings)


def test_a_first_row_with_a_number_is_a_client() -> None:
    assert not import_columns.has_headings(["Lopez", "(801) 555-0142"])
    assert not import_columns.has_headings(["Lopez", "+1 801 555 0142"])
    assert import_columns.has_headings(["Last name", "Phone 2026"])


def test_without_headings_numbers_and_whole_names_give_themselves_away() -> None:
    rows = [["A-1", "Lopez, Maria", "801-555-0142"], ["A-2", "Kim, Bo", "no phone"], ["A-3", "Ray, Ann", "8015550143"]]
    assert import_columns.guess_by_cells(rows, 4) == ["", "name", "phone_number", ""]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["last_name", ""], "column with the phone numbers"),
        (["phone_number", "first_name"], "column with the last names"),
        (["phone_number", "phone_number", "last_name"], "Two columns are marked “Phone number”"),
        (["phone_number", "name", "last_name"], "either the whole name"),
        (["phone_number", "last_name"], ""),
        (["phone_number", "name", ""], ""),
    ],
)
def test_a_choice_that_is_not_whole_is_explained(columns: list[str], said: str) -> None:
    assert said in import_columns.problem(columns)
    assert bool(import_columns.problem(columns)) == bool(said)


def test_every_field_is_one_of_a_new_client() -> None:
    assert {*Field} - {Field.NAME} == {
        "first_name", "last_name", "phone_number", "id_number", "status", "language", "notes",
    }  # fmt: skip
