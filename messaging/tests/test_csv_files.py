"""Files as spreadsheets make them, and files that are something else."""

import contextlib
import csv
import io
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from messaging import csv_files
from messaging.csv_files import NotATable, guarded, read, unguarded, write

HEADINGS = ["First name", "Last name", "Phone number"]
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff") | st.sampled_from("\r\n\t")
)
IN_CP1252 = st.text(st.sampled_from([chr(c) for c in range(32, 127)] + list("äöüéñ€“”\r\n\t;,")))


def written(rows: list[list[str]], *, separator: str = ",", end: str = "\r\n", quoting: Any = csv.QUOTE_MINIMAL) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return file.getvalue()


def cells(content: bytes) -> list[list[str]]:
    return [row.cells for row in read(content).rows]


def tables(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    rows = st.lists(st.lists(text, min_size=3, max_size=3), max_size=8)
    return rows.map(lambda found: [HEADINGS, *(row for row in found if any(cell.strip() for cell in row))])


DIALECTS = st.fixed_dictionaries(
    {
        "separator": st.sampled_from(csv_files.SEPARATORS),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    }
)


@given(tables(ANY_TEXT), DIALECTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]))
def test_whatever_is_written_is_read_back(table: list[list[str]], dialect: dict[str, Any], encoding: str) -> None:
    content = written(table, **dialect).encode(encoding)
    assert cells(content) == [[unguarded(cell) for cell in row] for row in table]


@given(tables(IN_CP1252), DIALECTS)
def test_whatever_is_written_on_an_old_windows_is_read_back(table: list[list[str]], dialect: dict[str, Any]) -> None:
    content = written(table, **dialect).encode("cp1252")
    with contextlib.suppress(UnicodeDecodeError):
        assume(content.decode() == content.decode("cp1252"))  # else nobody can tell
    assert cells(content) == [[unguarded(cell) for cell in row] for row in table]


@given(tables(ANY_TEXT.map(lambda text: text.replace("\0", ""))))
def test_whatever_we_write_we_read_back_as_it_was(table: list[list[str]]) -> None:
    assert cells("".join(write(table)).encode()) == table


@given(ANY_TEXT)
def test_a_guard_is_taken_off_again_whatever_stood_there(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in list("=+-@\t\r\n")


@given(st.binary(max_size=400))
def test_no_file_breaks_it(content: bytes) -> None:
    with contextlib.suppress(NotATable):
        assert read(content).rows


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_line_ends_and_empty_lines(separator: str, end: str) -> None:
    content = written([HEADINGS, [], ["", " ", ""], ["Maria", "Lopez", "(801) 555-0142"]], separator=separator, end=end)
    rows = read(content.encode()).rows
    assert [(row.number, row.cells[1]) for row in rows] == [(1, "Last name"), (4, "Lopez")]


def test_a_comma_in_each_name_is_no_separator() -> None:
    content = "Name (Last, First);Phone\r\nLopez, Maria;8015550142\r\n"
    assert cells(content.encode()) == [["Name (Last, First)", "Phone"], ["Lopez, Maria", "8015550142"]]
    assert cells(b"Lopez, Maria\t8015550142\n") == [["Lopez, Maria", "8015550142"]]


def test_excels_own_word_on_the_separator_counts() -> None:
    assert cells(b"sep=;\r\nLopez, Maria;8015550142\r\n") == [["Lopez, Maria", "8015550142"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty"),
        (b"\r\n ,,\r\n", "This file is empty"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "an Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\xff\xd8\xff\xe0", "a picture"),
        (b"\x1f\x8b\x08", "a compressed file"),
        (b"<!DOCTYPE html><table>", "a web page"),
        (b"\x01\x02\x03,\x04", "not a CSV file"),
        (b"\x81\x8d\xff", "not a CSV file"),
        (b'Name,Phone\n"Lopez,8015550142\nKim,8015550143\n', "opens in line 2 is never closed"),
        (b"a" * 200_000, "too long"),
        (b"," * 60 + b"a", "61 columns"),
        (b"a,b\n" * 20_001, "20,001 rows"),
        (b"a" * (csv_files.MAX_BYTES + 1), "larger than 10 MB"),
    ],
)
def test_what_is_no_table_is_refused_in_plain_words(content: bytes, said: str) -> None:
    with pytest.raises(NotATable) as refusal:
        read(content)
    assert said in str(refusal.value)


def test_a_quotation_mark_within_a_cell_is_part_of_it() -> None:
    assert cells(b'Name,Phone\nAnn "Annie" Ray,8015550142\n"Bo" Li,8015550143\n') == [
        ["Name", "Phone"],
        ['Ann "Annie" Ray', "8015550142"],
        ["Bo Li", "8015550143"],
    ]


def test_an_odd_character_here_and_there_costs_nobody_the_whole_file() -> None:
    content = "Name,Notes\n" + "Lopez,likes mornings\n" * 20 + "Kim,one\x0btwo\n"
    assert cells(content.encode())[-1] == ["Kim", "one two"]


def test_the_width_is_that_of_most_rows() -> None:
    assert read(b"Client list\na,b,c\nd,e,f\ng,h,i,j\n").width == 3
