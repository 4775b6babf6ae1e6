"""One's own caseload as a file: whole, guarded, without texts, and understood by the import."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from clients import routing
from clients.models import CaseAssignment, Client
from messaging import caseload_export, csv_files
from messaging.client_imports import ClientImportRow, Verdict
from messaging.import_columns import Field
from messaging.import_verdicts import Statuses, wanted
from messaging.tests.imports import make_import
from tests import builders

pytestmark = pytest.mark.django_db


def exported(browser: Browser) -> str:
    response: Any = browser.post("/clients/export/")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content).decode()


def test_ones_own_open_clients_are_in_it_and_nobody_elses(as_alice: Browser, alice: User, bob: User) -> None:
    mine = builders.make_client(alice, address="+18015550177", first_name="Zoë")
    Client.objects.filter(pk=mine.client_id).update(id_number="A-17", language="Spanish")
    CaseAssignment.objects.filter(pk=mine.pk).update(notes="likes\nmornings")
    builders.make_incoming(mine, "a secret text")
    builders.make_client(bob, last_name="Bobs")
    builders.make_client(None, department=alice.department, last_name="Unclaimed")
    former = builders.make_client(alice, last_name="Former")
    routing.end(former, CaseAssignment.EndReason.DELETED, builders.minutes_ago(5))
    text = exported(as_alice)
    assert text.startswith(csv_files.BOM)
    assert list(csv.reader(io.StringIO(text.removeprefix(csv_files.BOM)))) == [
        ["First name", "Last name", "Phone number", "ID number", "Status", "Language", "Notes"],
        ["Zoë", "Lopez", "(801) 555-0177", "A-17", "Active", "Spanish", "likes\nmornings"],
    ]


def test_it_is_logged_with_the_count(as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 3)
    exported(as_alice)
    entry = AuditEntry.objects.get(action="client.export")
    assert (entry.by, entry.department, entry.subject) == (alice, alice.department, f"user:{alice.pk}")
    assert entry.details == {"count": 3}


def test_a_link_does_not_export(as_alice: Browser) -> None:
    assert as_alice.get("/clients/export/").status_code == 405
    assert not AuditEntry.objects.exists()


def test_what_a_spreadsheet_would_run_is_guarded(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice, address="+442079460958", first_name="=1+1", last_name="@SUM(A1)")
    text = exported(as_alice)
    (row,) = list(csv.reader(io.StringIO(text)))[1:]
    assert row[:3] == ["'=1+1", "'@SUM(A1)", "'+44 20 7946 0958"]


def test_what_was_exported_changes_nothing_when_imported(as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 3)
    builders.make_client(alice, address="+442079460958", first_name="=1+1", last_name="O'Brien, “Bo”")
    CaseAssignment.objects.filter(case_manager=alice).update(status=None)
    made = make_import(alice, exported(as_alice))
    rows = ClientImportRow.objects.filter(client_import=made).order_by("number")
    assert list(rows.values_list("verdict", flat=True)) == [Verdict.HEADING, *[Verdict.UNCHANGED] * 4]


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(
    lambda text: " ".join(text.split())
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(first=NAMES, last=NAMES.filter(bool), id_number=NAMES, notes=st.text("=+-@\t'\r\n ab,;\"", max_size=20))
def test_whatever_a_client_is_called_the_file_gives_it_back(
    alice: User, first: str, last: str, id_number: str, notes: str
) -> None:
    CaseAssignment.objects.filter(case_manager=alice).update(ended_at=builders.minutes_ago(1), end_reason="deleted")
    mine = builders.make_client(alice, first_name=first, last_name=last)
    Client.objects.filter(pk=mine.client_id).update(id_number=id_number)
    CaseAssignment.objects.filter(pk=mine.pk).update(notes=notes)
    table = csv_files.read("".join(csv_files.write(caseload_export.rows(alice))).encode())
    assert alice.department is not None
    columns = ["first_name", "last_name", "phone_number", "id_number", "status", "language", "notes"]
    read = wanted(table.rows[1].cells, columns, Statuses.of(alice.department))
    assert read.problems == {}
    assert [read.values[name] for name in ("first_name", "last_name", "id_number")] == [first, last, id_number]
    assert read.values[Field.NOTES] == notes.strip()
    assert read.address == builders.number_of(mine).address


@pytest.mark.parametrize("count", [1, 50])
def test_the_file_costs_a_fixed_number_of_queries(alice: User, count: int) -> None:
    builders.make_caseload(alice, count)
    with CaptureQueriesContext(connection) as asked:
        assert len(list(caseload_export.rows(alice))) == count + 1
    assert len(asked) == 1
