"""Import from a file, as a browser gets it."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import Department, User
from clients.models import CaseAssignment, Client
from conftest import signed_in
from messaging import tasks
from messaging.client_imports import ClientImport, ClientImportRow
from messaging.tests.imports import make_import
from messaging.tests.pages import source, words
from tests import builders

pytestmark = pytest.mark.django_db

FILE = """Last name,First name,Phone,Notes
Lopez,Maria,(801) 555-0177,likes mornings
Kim,Bo,801-555-0178,
,Nobody,801-555-0179,
Ray,Ann,8.01556E+09,
"""


@pytest.fixture
def administrator(department: Department) -> User:
    return builders.make_user(department, "Ada Admin", role=User.Role.ADMINISTRATOR)


def upload(browser: Browser, content: str | bytes = FILE, **typed: Any) -> HttpResponse:
    raw = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("clients.csv", raw, content_type="text/csv")
    response: Any = browser.post("/clients/import/", {"table": file, **typed})
    assert isinstance(response, HttpResponse)
    return response


def checked(browser: Browser, content: str | bytes = FILE, **typed: Any) -> str:
    """The address of the check page of this file."""
    return upload(browser, content, **typed).headers["Location"]


def press(browser: Browser, address: str, button: str, columns: list[str] | None = None, **typed: Any) -> Any:
    """A button under the columns, which stand as the page showed them unless told otherwise."""
    found = ClientImport.objects.get(pk=address.rstrip("/").rpartition("/")[2])
    columns = found.columns if columns is None else columns
    form = {f"column-{number}": column for number, column in enumerate(columns)}
    headings = {"has_headings": "on"} if found.has_headings else {}
    return browser.post(address, {"button": button, **form, **headings, **typed}, follow=True)


def test_from_the_file_to_the_clients(as_alice: Browser, alice: User) -> None:
    address = checked(as_alice)
    page = as_alice.get(address)
    for said in ("4 rows", "Will be added 2", "Not taken 2", "The last name is missing", "shortened this number"):
        assert said in words(page)
    assert "Add 2 clients" in words(page)
    assert not Client.objects.exists()
    page = press(as_alice, address, "apply")
    assert "0 of 4 rows done" in words(page) or "2 of 4 rows done" in words(page)
    assert "data-live" in source(page)
    assert '<noscript><meta http-equiv="refresh"' in source(page)
    tasks.take_imported_clients()
    page = as_alice.get(address)
    assert "2 clients added" in words(page)
    assert "Download the 2 rows that were not taken" in words(page)
    assert "data-live" not in source(page)
    assert CaseAssignment.objects.filter(case_manager=alice).count() == 2


def test_the_rows_that_were_not_taken_come_back_with_their_reasons(as_alice: Browser) -> None:
    address = checked(as_alice, FILE + "'=cmd|calc,Eve,1,+1\n")
    response: Any = as_alice.get(f"{address}not-taken.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="not-taken.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Reason", "Last name", "First name", "Phone", "Notes"]
    assert rows[1][0].startswith("The last name is missing.")
    assert rows[2][1:] == ["Ray", "Ann", "8.01556E+09", ""]
    assert rows[3][1:] == ["'=cmd|calc", "Eve", "1", "'+1"]
    again = checked(as_alice, text)
    assert ClientImport.objects.get(pk=again.split("/")[-2]).columns[1:] == [
        "last_name", "first_name", "phone_number", "notes",
    ]  # fmt: skip


def test_columns_can_be_chosen_and_nothing_is_added_before_they_were_looked_at(as_alice: Browser) -> None:
    address = checked(as_alice, "Foo,Bar\nLopez,8015550177\n")
    page = as_alice.get(address)
    assert "Choose the column with the last names" in words(page)
    assert "Add 1 client" not in words(page)
    page = press(as_alice, address, "apply", ["last_name", "phone_number"])
    assert "Look at the rows again" in source(page)
    assert "Add 1 client" in words(page)
    assert ClientImport.objects.get().confirmed_at is None
    press(as_alice, address, "apply")
    assert ClientImport.objects.get().confirmed_at is not None


def test_check_again_sees_what_has_changed(as_alice: Browser, bob: User) -> None:
    address = checked(as_alice)
    builders.make_client(bob, address="+18015550177")
    assert "Add 2 clients" in words(as_alice.get(address))
    page = press(as_alice, address, "check")
    assert "Add 1 client" in words(page)
    assert "Bob Brown works with the client of this number" in words(page)


def test_a_file_without_headings_says_so(as_alice: Browser) -> None:
    page = as_alice.get(checked(as_alice, '"Lopez, Maria",8015550177\n"Kim, Bo",8015550178\n'))
    assert "This file has no headings" in words(page)
    assert "Add 2 clients" in words(page)
    assert "Column A" in words(page)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04...", "This is an Excel workbook or another office file, not a CSV file"),
        (b"\x89PNG", "This is a picture"),
        (b"", "This file is empty"),
        (b'a,"b\n', "never closed"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_in_plain_words(content: bytes, said: str, as_alice: Browser) -> None:
    page = upload(as_alice, content)
    assert page.status_code == 200
    assert said in words(page)
    assert not ClientImport.objects.exists()


def test_no_file_is_no_import(as_alice: Browser) -> None:
    assert "Choose a file." in words(as_alice.post("/clients/import/", {}))


def test_names_in_any_letters_are_shown_as_they_are(as_alice: Browser) -> None:
    text = "Last name,First name,Phone\n<b>Lopez</b>,😀,8015550177\nشريف,ليلى,8015550178\n"
    page = source(as_alice.get(checked(as_alice, text)))
    assert "&lt;b&gt;Lopez&lt;/b&gt;" in page
    assert "<bdi>شريف</bdi>" in page.replace("<bdi >", "<bdi>")


# --- Who -------------------------------------------------------------------------------------------------------------


def test_an_administrator_chooses_for_whom(administrator: User, bob: User, charlie: User) -> None:
    browser = signed_in(administrator)
    page = browser.get("/clients/import/")
    assert "Bob Brown" in words(page)
    assert "Charlie Clark" not in words(page)
    assert "Choose whose clients these are." in words(upload(browser))
    assert "not one of the available choices" in words(upload(browser, for_whom=charlie.pk))
    address = checked(browser, for_whom=bob.pk)
    assert "The clients come on the list of Bob Brown" in words(browser.get(address))
    press(browser, address, "apply")
    tasks.take_imported_clients()
    assert CaseAssignment.objects.filter(case_manager=bob).count() == 2


def test_nobody_else_chooses_for_whom(as_alice: Browser, as_supervisor: Browser, alice: User, bob: User) -> None:
    for browser in (as_alice, as_supervisor):
        assert "For whom" not in words(browser.get("/clients/import/"))
    checked(as_alice, for_whom=bob.pk)
    assert ClientImport.objects.get().for_whom == alice


def test_who_does_not_administer_any_more_finishes_nothing_for_others(administrator: User, bob: User) -> None:
    browser = signed_in(administrator)
    address = checked(browser, for_whom=bob.pk)
    User.objects.filter(pk=administrator.pk).update(role=User.Role.SUPERVISOR)
    assert browser.get(address).status_code == 404
    assert browser.post(address, {"button": "apply"}).status_code == 404


def test_a_file_is_private_to_who_uploaded_it(
    as_alice: Browser, as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, administrator: User, bob: User
) -> None:
    address = checked(as_alice)
    for browser in (as_bob, as_charlie, as_supervisor, signed_in(administrator)):
        assert browser.get(address).status_code == 404
        assert browser.get(f"{address}not-taken.csv").status_code == 404
        assert browser.post(address, {"button": "apply"}).status_code == 404
        assert "clients.csv" not in source(browser.get("/clients/import/"))
    for_bob = checked(signed_in(administrator), for_whom=bob.pk)
    assert as_bob.get(for_bob).status_code == 404
    assert ClientImport.objects.filter(confirmed_at__isnull=False).count() == 0


def test_the_operator_has_no_clients_to_import() -> None:
    browser = signed_in(builders.make_user(None, "Olga Operator", is_superuser=True))
    assert browser.get("/clients/import/").status_code == 404
    assert browser.post("/clients/export/").status_code == 404


def test_who_made_it_can_erase_it(as_alice: Browser) -> None:
    address = checked(as_alice)
    assert "The file is erased" in source(press(as_alice, address, "discard"))
    assert not ClientImportRow.objects.exists()
    assert as_alice.get(address).status_code == 404


def test_an_unknown_button_does_nothing(as_alice: Browser) -> None:
    address = checked(as_alice)
    press(as_alice, address, "whatever", ["", "", "", ""])
    assert ClientImport.objects.get().columns[0] == "last_name"


def test_a_second_click_confirms_nothing_twice(as_alice: Browser, alice: User) -> None:
    address = checked(as_alice)
    press(as_alice, address, "apply")
    tasks.take_imported_clients()
    assert "2 clients added" in words(press(as_alice, address, "apply"))
    assert CaseAssignment.objects.filter(case_manager=alice).count() == 2


# --- Pages and queries -----------------------------------------------------------------------------------------------


def rows(count: int) -> str:
    return "Last name,Phone\n" + "".join(f"Last {n},801-555-{n:04d}\n" for n in range(count))


def test_the_rows_are_paged_and_shown_by_verdict(as_alice: Browser) -> None:
    address = checked(as_alice, rows(60) + "Bad,1\n")
    numbers = re.findall(r"Row (\d+)", words(as_alice.get(address)))
    assert (len(numbers), numbers[0]) == (50, "2")
    assert "Row 62" in words(as_alice.get(f"{address}?page=2"))
    page = words(as_alice.get(f"{address}?show=not-taken"))
    assert re.findall(r"Row (\d+)", page) == ["62"]
    assert as_alice.get(f"{address}?show=whatever&page=x").status_code == 200


@pytest.mark.parametrize("path", ["", "?page=2", "?show=not-taken"])
def test_a_page_costs_the_same_queries_however_long_the_file_is(as_alice: Browser, alice: User, path: str) -> None:
    counts = []
    as_alice.get("/clients/import/")  # what a session's first page asks once
    for count in (3, 300):
        made = make_import(alice, rows(count) + "Bad,1\n")
        with CaptureQueriesContext(connection) as asked:
            assert as_alice.get(f"/clients/import/{made.pk}/{path}").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 9
