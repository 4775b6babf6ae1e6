"""A file of clients from its confirmation to its end: whole rows, each once, whatever happens meanwhile."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, Department, OutgoingEmail, User
from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber
from messaging import tasks
from messaging.actions import import_rows, importing
from messaging.actions.caseload import NewClient, add_client
from messaging.actions.importing import AlreadyConfirmed, NotChecked
from messaging.client_imports import ClientImport, ClientImportRow, Verdict
from messaging.import_verdicts import Statuses
from messaging.known_numbers import SAME_PERSON
from messaging.models import Message
from messaging.tests.imports import make_import
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

HEADINGS = ["Last name", "First name", "Phone", "ID number", "Notes"]


def people(count: int) -> list[list[str]]:
    return [[f"Last {n}", f"First {n}", f"801-555-{n:04d}", f"A-{n}", ""] for n in range(1, count + 1)]


def checked(by: User, rows: list[list[str]], *, for_whom: User | None = None) -> ClientImport:
    file = io.StringIO()
    csv.writer(file).writerows([HEADINGS, *rows])
    return make_import(by, file.getvalue(), for_whom=for_whom)


def confirmed(by: User, rows: list[list[str]], *, for_whom: User | None = None) -> ClientImport:
    made = checked(by, rows, for_whom=for_whom)
    importing.confirm(client_import=made, now=timezone.now())
    return made


def taken(by: User, rows: list[list[str]], *, for_whom: User | None = None) -> ClientImport:
    made = confirmed(by, rows, for_whom=for_whom)
    tasks.take_imported_clients()
    made.refresh_from_db()
    return made


def verdicts(of: ClientImport) -> list[str]:
    rows = ClientImportRow.objects.filter(client_import=of).exclude(verdict=Verdict.HEADING)
    return list(rows.order_by("number").values_list("verdict", flat=True))


def caseload(of: User) -> list[str]:
    mine = CaseAssignment.objects.filter(case_manager=of, ended_at__isnull=True).order_by("client_id")
    return [str(assignment.client) for assignment in mine.select_related("client")]


def test_numbers_give_their_column_away_where_no_heading_does(alice: User) -> None:
    assert make_import(alice, "Last,Whatever,Foo\nLopez,A-1,8015550177\n").columns == ["last_name", "", "phone_number"]
    assert make_import(alice, "Last,Whatever\nLopez,A-1\n").columns == ["last_name", ""]


def test_nothing_is_added_before_it_is_confirmed(alice: User) -> None:
    made = checked(alice, people(2))
    tasks.take_imported_clients()
    assert verdicts(made) == [Verdict.ADD] * 2
    assert not Client.objects.exists()


def test_good_rows_become_clients_with_all_that_stands_there(alice: User, department: Department) -> None:
    rows = people(2)
    rows[0][4] = "likes mornings\nand evenings"
    made = taken(alice, rows)
    assert made.finished_at is not None
    assert verdicts(made) == [Verdict.ADD] * 2
    assert caseload(alice) == ["First 1 Last 1", "First 2 Last 2"]
    first = CaseAssignment.objects.select_related("client", "status").order_by("pk")[0]
    assert (first.client.id_number, first.notes) == ("A-1", "likes mornings\nand evenings")
    assert first.status is not None
    assert first.status.name == "Active"
    assert first.client.search_key == "first 1 last 1 a-1"
    assert builders.number_of(first).address == "+18015550001"
    assert list(ConversationEvent.objects.values_list("kind", "by")) == [("added", alice.pk)] * 2


def test_a_bad_row_stops_no_other(alice: User, bob: User) -> None:
    builders.make_client(bob, address="+18015550002")
    rows = [*people(3), ["No Number", "", "", "", ""]]
    assert verdicts(taken(alice, rows)) == [Verdict.ADD, Verdict.REFUSED, Verdict.ADD, Verdict.REFUSED]
    assert caseload(alice) == ["First 1 Last 1", "First 3 Last 3"]


def test_a_row_that_the_database_refuses_stops_no_other(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    really = add_client

    def add(**named: Any) -> Any:
        if named["new"].last_name == "Last 2":
            raise DataError("it holds a name: Last 2")
        return really(**named)

    monkeypatch.setattr(import_rows, "add_client", add)
    made = taken(alice, people(3))
    assert verdicts(made) == [Verdict.ADD, Verdict.REFUSED, Verdict.ADD]
    assert "could not be stored" in ClientImportRow.objects.get(verdict=Verdict.REFUSED).problems[""]


def test_the_same_file_twice_changes_nothing(alice: User) -> None:
    taken(alice, people(3))
    Client.objects.filter(last_name="Last 2").update(first_name="Corrected", language="Spanish")
    before = list(Client.objects.order_by("pk").values()), list(CaseAssignment.objects.order_by("pk").values())
    again = taken(alice, people(3))
    assert verdicts(again) == [Verdict.UNCHANGED] * 3
    assert (
        list(Client.objects.order_by("pk").values()),
        list(CaseAssignment.objects.order_by("pk").values()),
    ) == before
    assert ConversationEvent.objects.count() == 3


def test_deleted_ones_come_back_and_unclaimed_ones_bring_their_texts(alice: User, department: Department) -> None:
    mine = builders.make_client(alice, address="+18015550001")
    routing.end(mine, CaseAssignment.EndReason.DELETED, builders.minutes_ago(5))
    stranger = builders.make_client(None, department=department, address="+18015550002", first_name="", last_name="")
    builders.make_incoming(stranger, "hello?")
    assert verdicts(taken(alice, people(2))) == [Verdict.RESTORE, Verdict.CLAIM]
    mine.refresh_from_db()
    assert mine.is_open
    claimed = CaseAssignment.objects.get(client=stranger.client, case_manager=alice)
    assert (Message.objects.get().assignment, claimed.unread_count) == (claimed, 1)
    assert claimed.client.full_name == "First 2 Last 2"


def test_what_has_changed_since_the_check_is_looked_at_again(alice: User, bob: User) -> None:
    made = confirmed(alice, people(3))
    builders.make_client(bob, address="+18015550001")
    builders.make_client(alice, address="+18015550002")
    gone = builders.make_client(bob, address="+18015550003")
    routing.end(gone, CaseAssignment.EndReason.DELETED, timezone.now())
    tasks.take_imported_clients()
    assert verdicts(made) == [Verdict.REFUSED, Verdict.UNCHANGED, Verdict.REFUSED]
    first, _second, third = ClientImportRow.objects.filter(client_import=made, done_at__isnull=False).order_by("number")
    assert "Bob Brown" in first.problems["phone_number"]
    assert "by hand" in third.problems["phone_number"]
    assert CaseAssignment.objects.filter(case_manager=alice).count() == 1


def test_a_status_deleted_since_the_check_is_said(alice: User) -> None:
    made = confirmed(alice, people(1))
    ClientImport.objects.filter(pk=made.pk).update(columns=["last_name", "first_name", "phone_number", "status", ""])
    tasks.take_imported_clients()
    assert "no such status" in ClientImportRow.objects.get(client_import=made, verdict="refused").problems["status"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"department": None, "is_superuser": True}])
def test_nobody_who_is_not_there_any_more_gets_clients(change: dict[str, Any], alice: User, bob: User) -> None:
    made = confirmed(alice, people(2), for_whom=bob)
    User.objects.filter(pk=bob.pk).update(**change)
    tasks.take_imported_clients()
    assert verdicts(made) == [Verdict.REFUSED] * 2
    assert not Client.objects.exists()


def test_a_kill_in_the_middle_doubles_and_loses_nothing(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    really, calls = add_client, iter(range(10))

    def add(**named: Any) -> Any:
        added = really(**named)
        if next(calls) == 1:
            raise OperationalError("the connection is gone, after the second was written and before it was marked")
        return added

    monkeypatch.setattr(import_rows, "add_client", add)
    made = taken(alice, people(3))
    assert (made.finished_at, caseload(alice)) == (None, ["First 1 Last 1"])
    tasks.take_imported_clients()
    assert caseload(alice) == ["First 1 Last 1", "First 2 Last 2", "First 3 Last 3"]
    assert verdicts(made) == [Verdict.ADD] * 3
    assert verdicts(taken(alice, people(3))) == [Verdict.UNCHANGED] * 3


def test_one_that_breaks_off_stops_no_other(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    really = add_client

    def add(**named: Any) -> Any:
        if named["by"] == alice:
            raise OperationalError
        return really(**named)

    monkeypatch.setattr(import_rows, "add_client", add)
    confirmed(alice, people(1))
    other = people(2)[1:]
    assert verdicts(taken(bob, other)) == [Verdict.ADD]
    assert caseload(bob) == ["First 2 Last 2"]


def test_a_long_one_goes_on_at_the_next_look(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_rows, "TIME_LIMIT", timedelta(0))
    assert taken(alice, people(2)).finished_at is None
    monkeypatch.setattr(import_rows, "TIME_LIMIT", timedelta(seconds=15))
    tasks.take_imported_clients()
    assert len(caseload(alice)) == 2


def test_only_what_was_checked_is_confirmed(alice: User) -> None:
    made = checked(alice, people(1))
    seen = ClientImport.objects.get(pk=made.pk)
    importing.choose_columns(client_import=made, columns=["first_name", "last_name", "phone_number", "", ""],
                             has_headings=True)  # fmt: skip
    with pytest.raises(NotChecked):
        importing.confirm(client_import=seen, now=timezone.now())
    importing.confirm(client_import=made, now=timezone.now())
    importing.confirm(client_import=made, now=timezone.now())
    with pytest.raises(AlreadyConfirmed):
        importing.choose_columns(client_import=made, columns=["", "", "", "", ""], has_headings=True)
    with pytest.raises(AlreadyConfirmed):
        importing.discard(client_import=made)
    tasks.take_imported_clients()
    assert caseload(alice) == ["Last 1 First 1"]


def test_without_a_whole_choice_of_columns_nothing_is_confirmed(alice: User) -> None:
    made = checked(alice, people(1))
    importing.choose_columns(client_import=made, columns=["", "", "phone_number", "", ""], has_headings=True)
    assert verdicts(made) == [""]
    with pytest.raises(NotChecked):
        importing.confirm(client_import=made, now=timezone.now())


def test_the_first_row_can_be_a_client(alice: User) -> None:
    made = checked(alice, people(1))
    importing.choose_columns(client_import=made, columns=made.columns, has_headings=False)
    assert verdicts(made) == [Verdict.REFUSED, Verdict.ADD]


def test_it_is_logged_once_with_its_figures(alice: User, bob: User) -> None:
    builders.make_client(bob, address="+18015550002")
    made = taken(alice, people(3), for_whom=bob)
    tasks.take_imported_clients()
    entry = AuditEntry.objects.get(action="client.import")
    assert (entry.by, entry.department, entry.subject) == (alice, alice.department, f"import:{made.pk}")
    assert entry.details == {"for_whom": bob.pk, "add": 2, "unchanged": 1}


def test_one_mail_tells_for_whom_it_was_done_and_none_who_did_it_themselves(alice: User, bob: User) -> None:
    taken(alice, people(2))
    assert not OutgoingEmail.objects.exists()
    taken(alice, [["Kim", "Bo", "8015550177", "", ""]], for_whom=bob)
    mail = OutgoingEmail.objects.get()
    assert (mail.to, mail.subject) == (bob.email, "1 client was put on your list")
    assert "Alice Adams imported 1 client for you" in mail.text_body
    assert "Kim" not in mail.text_body + mail.html_body


def test_files_are_erased_some_days_after_their_use(alice: User) -> None:
    done, left, running = taken(alice, people(1)), checked(alice, people(1)), confirmed(alice, people(1))
    later = timezone.now() + importing.KEPT_FOR + timedelta(minutes=1)
    importing.erase_old(now=later - timedelta(minutes=10))
    assert ClientImport.objects.count() == 3
    assert importing.erase_old(now=later) == 2
    assert list(ClientImport.objects.values_list("pk", flat=True)) == [running.pk]
    assert not ClientImportRow.objects.filter(client_import__in=[done.pk, left.pk]).exists()
    assert caseload(alice) == ["First 1 Last 1"]


# --- At the same moment ----------------------------------------------------------------------------------------------


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_many_looks_at_once_add_each_client_once(alice: User) -> None:
    made = confirmed(alice, people(20))
    at_once(tasks.take_imported_clients, times=4)
    tasks.take_imported_clients()
    assert verdicts(made) == [Verdict.ADD] * 20
    assert len(caseload(alice)) == Client.objects.count() == PhoneNumber.objects.count() == 20
    assert AuditEntry.objects.filter(action="client.import").count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("backwards", [False, True])
def test_of_two_who_import_one_file_at_once_each_number_ends_with_one_of_them(
    alice: User, bob: User, *, backwards: bool
) -> None:
    rows = people(15)
    files = [confirmed(alice, rows), confirmed(bob, rows[::-1] if backwards else rows)]
    waiting = [it.pk for it in files]

    def take() -> None:
        """Each thread another file, so that they meet."""
        pk = waiting.pop()
        made = ClientImport.objects.select_related("department").get(pk=pk)
        for row_pk in import_rows._open_rows(pk):
            import_rows._take(pk, row_pk, Statuses.of(made.department), timezone.now())

    at_once(take, times=2)
    tasks.take_imported_clients()
    assert len(caseload(alice)) + len(caseload(bob)) == Client.objects.count() == PhoneNumber.objects.count() == 15
    for made, colleague in zip(files, ["Bob Brown", "Alice Adams"], strict=True):
        own = verdicts(made)
        assert own.count(Verdict.ADD) == len(caseload(made.for_whom))
        refused = ClientImportRow.objects.filter(client_import=made, verdict=Verdict.REFUSED)
        assert own.count(Verdict.REFUSED) == refused.count() == 15 - own.count(Verdict.ADD)
        assert all(f"{colleague} works with" in row.problems["phone_number"] for row in refused)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_client_typed_in_the_very_moment_is_not_doubled(alice: User, bob: User, department: Department) -> None:
    made = confirmed(alice, people(1))
    with in_background() as start:
        with transaction.atomic():
            builders.make_client(bob, address="+18015550001")
            late = start(tasks.take_imported_clients)
            wait_for_locks(1)
        late.result()
    assert verdicts(made) == [Verdict.REFUSED]
    assert CaseAssignment.objects.get().case_manager == bob


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_new_client_and_an_import_for_the_same_person_never_wait_in_a_circle(
    alice: User, department: Department
) -> None:
    """Both take the person before the client."""
    stranger = builders.make_client(None, department=department, address="+18015550001", first_name="", last_name="")
    made = confirmed(alice, people(1))
    status = Statuses.of(department).in_order[0]
    new = NewClient("Maria", "Lopez", "+18015550001", status)
    steps: list[Any] = [
        lambda: add_client(new=new, by=alice, department=department, now=timezone.now(), answer=SAME_PERSON),
        tasks.take_imported_clients,
    ]
    at_once(lambda: steps.pop()(), times=2)
    tasks.take_imported_clients()
    made.refresh_from_db()
    assert made.finished_at is not None
    assert CaseAssignment.objects.get(ended_at__isnull=True).client == stranger.client
