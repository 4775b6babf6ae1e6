"""The caseload: its order, its search, its figures, its pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, PhoneNumber
from clients.names import fill_search_key
from messaging import queries
from messaging.caseload_list import Wanted
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


def found(user: User, search: str = "", **asked: Any) -> list[str]:
    return [row.name for row in queries.caseload(user, Wanted(search, **asked)).page.object_list]


def only_row(user: User) -> queries.CaseloadRow:
    (row,) = queries.caseload(user).page.object_list
    return row


def named(user: User, name: str, **fields: Any) -> CaseAssignment:
    first, _, last = name.rpartition(" ")
    return builders.make_client(user, first_name=first, last_name=last, **fields)


def test_a_row_shows_what_a_case_manager_needs(alice: User) -> None:
    assignment = named(alice, "Maria Lopez", address="+18015550177")
    message = builders.make_incoming(assignment, "I am here")
    row = only_row(alice)
    assert (row.client_id, row.name, row.number) == (assignment.client_id, "Maria Lopez", "(801) 555-0177")
    assert (row.status_name, row.unread_count, row.snippet, row.snippet_is_mine) == ("Active", 1, "I am here", False)
    assert row.last_contact_iso == message.placed_at.isoformat()
    assert (row.not_delivered, row.opted_out, row.wrong_number) == (False, False, False)
    assert row.url == f"/conversations/{assignment.client_id}/"


def test_a_row_warns_in_each_way(alice: User) -> None:
    assignment = builders.make_client(alice, opted_out_at=timezone.now(), opted_out_source="keyword")
    PhoneNumber.objects.update(wrong_at=timezone.now())
    builders.make_outgoing(assignment, "mine", state=State.FAILED)
    row = only_row(alice)
    assert (row.not_delivered, row.opted_out, row.wrong_number, row.snippet_is_mine) == (True, True, True, True)


def test_a_client_without_name_or_status_is_shown_by_the_number(alice: User) -> None:
    named(alice, " ", address="+18015550177")
    CaseAssignment.objects.update(status=None)
    row = only_row(alice)
    assert (row.name, row.status_name) == ("(801) 555-0177", "")


def test_the_current_number_counts_not_one_that_was_given_up(alice: User) -> None:
    assignment = builders.make_client(alice, address="+18015550177")
    PhoneNumber.objects.create(
        department=assignment.client.department,
        client=assignment.client,
        address="+18015550188",
        is_current=False,
        opted_out_at=timezone.now(),
        opted_out_source="keyword",
    )
    row = only_row(alice)
    assert (row.number, row.opted_out) == ("(801) 555-0177", False)


def test_a_client_without_a_current_number_stays_on_the_list(alice: User) -> None:
    named(alice, "Maria Lopez")
    PhoneNumber.objects.update(is_current=False)
    assert (only_row(alice).name, only_row(alice).number) == ("Maria Lopez", "")


def test_only_ones_own_active_clients_are_listed(alice: User, bob: User, charlie: User) -> None:
    named(alice, "Maria Lopez")
    for other in (bob, charlie):
        named(other, "Someone Else")
    builders.make_client(None, department=alice.department)
    routing.end(named(alice, "Former Client"), CaseAssignment.EndReason.DELETED, timezone.now())
    assert found(alice) == ["Maria Lopez"]


def test_unread_first_then_by_last_contact_newest_first(alice: User) -> None:
    old_unread, new_unread, old, new = (named(alice, name) for name in ("Old Unread", "New Unread", "Old", "New"))
    for assignment, minutes in ((old_unread, 500), (new_unread, 400), (old, 300), (new, 200)):
        message = builders.make_incoming(assignment, at=builders.minutes_ago(minutes))
        if assignment in (old, new):
            Message.objects.filter(pk=message.pk).update(read_at=timezone.now())
            CaseAssignment.objects.filter(pk=assignment.pk).update(unread_count=0)
    assert found(alice) == ["New Unread", "Old Unread", "New", "Old"]


def test_a_client_never_contacted_stands_by_the_start_of_the_assignment(alice: User) -> None:
    contacted, older, newer = (named(alice, name) for name in ("Contacted", "Older", "Newer"))
    builders.make_outgoing(contacted, state=State.DELIVERED, at=builders.minutes_ago(30))
    for assignment, minutes in ((older, 60), (newer, 10)):
        CaseAssignment.objects.filter(pk=assignment.pk).update(started_at=builders.minutes_ago(minutes))
    assert found(alice) == ["Newer", "Contacted", "Older"]


def test_of_equals_the_order_is_always_the_same(alice: User) -> None:
    at = builders.minutes_ago(5)
    for number in range(5):
        named(alice, f"Client {number}")
    CaseAssignment.objects.update(started_at=at)
    assert found(alice) == [f"Client {number}" for number in range(5)]


@pytest.fixture
def three(alice: User) -> None:
    """Of each something to find, and Bob's of the same name."""
    maria = named(alice, "Maria José Lopez", address="+18015550177")
    named(alice, "Ana Marin", address="+13852000042")
    named(alice, "O'Neil 100%_x", address="+442079460018")
    maria.client.id_number = "AB-1234"
    fill_search_key(maria.client).save()


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("maria", ["Maria José Lopez"]),
        ("MAR", ["Ana Marin", "Maria José Lopez"]),
        ("lopez maria", ["Maria José Lopez"]),
        ("jos lop", ["Maria José Lopez"]),
        ("JOSÉ", ["Maria José Lopez"]),
        ("jose 1234", ["Maria José Lopez"]),
        ("maria marin", []),
        ("  ana  ", ["Ana Marin"]),
        ("o'neil", ["O'Neil 100%_x"]),
        ("%", ["O'Neil 100%_x"]),
        ("_", ["O'Neil 100%_x"]),
        ("(801) 555-0177", ["Maria José Lopez"]),
        ("+1 801 555 0177", ["Maria José Lopez"]),
        ("1-801-555-0177", ["Maria José Lopez"]),
        ("801.555", ["Maria José Lopez"]),
        ("0042", ["Ana Marin"]),
        ("+44 20 7946 0018", ["O'Neil 100%_x"]),
        ("ab-1234", ["Maria José Lopez"]),
        ("1234", ["Maria José Lopez"]),
        ("", ["Ana Marin", "Maria José Lopez", "O'Neil 100%_x"]),
        ("nobody", []),
    ],
)
def test_search_finds_names_numbers_and_id_numbers(search: str, names: list[str], three: None, alice: User) -> None:
    assert sorted(found(alice, search)) == names


def test_search_finds_nobody_elses_clients(alice: User, bob: User) -> None:
    named(bob, "Maria Lopez", address="+18015550177")
    for search in ("maria", "(801) 555-0177"):
        assert found(alice, search) == []


def test_the_figures_are_those_of_the_whole_list(alice: User) -> None:
    for name in ("Maria Lopez", "Ana Marin"):
        assignment = named(alice, name)
        builders.make_incoming(assignment)
        builders.make_incoming(assignment)
    shown = queries.caseload(alice, Wanted("ana"))
    assert (shown.total_count, shown.unread_total, shown.page.paginator.count) == (2, 4, 1)


def test_an_empty_list_has_figures_too(alice: User) -> None:
    shown = queries.caseload(alice)
    assert (shown.total_count, shown.unread_total, list(shown.page.object_list)) == (0, 0, [])


@pytest.mark.parametrize(
    ("asked", "number", "rows"),
    [("1", 1, 50), ("3", 3, 20), ("99", 3, 20), ("0", 3, 20), ("-1", 3, 20), ("x", 1, 50), ("", 1, 50)],
)
def test_fifty_clients_are_a_page_and_any_number_shows_one(asked: str, number: int, rows: int, alice: User) -> None:
    builders.make_caseload(alice, 120)
    page = queries.caseload(alice, Wanted(page=asked)).page
    assert (page.number, len(page.object_list), page.paginator.num_pages) == (number, rows, 3)


def test_pages_together_hold_each_client_once(alice: User) -> None:
    builders.make_caseload(alice, 120)
    rows = [
        row.client_id
        for number in ("1", "2", "3")
        for row in queries.caseload(alice, Wanted(page=number)).page.object_list
    ]
    assert len(set(rows)) == 120


@pytest.mark.parametrize("clients", [10, 1000])
@pytest.mark.parametrize(("search", "count"), [("", 2), ("client 7", 3)])
def test_the_list_takes_as_many_queries_however_long_it_is(
    clients: int, search: str, count: int, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    builders.make_caseload(alice, clients)
    with django_assert_num_queries(count):
        shown = queries.caseload(alice, Wanted(search))
    assert shown.page.object_list


@pytest.mark.postgresql
@pytest.mark.parametrize("page", ["1", "2", "3"])
def test_the_planned_look_gives_what_a_search_that_all_match_gives(alice: User, page: str) -> None:
    for number, assignment in enumerate(builders.make_caseload(alice, 120)):
        at = timezone.now() - timedelta(hours=number * 7 % 120)
        CaseAssignment.objects.filter(pk=assignment.pk).update(
            unread_count=number % 3, last_contact_at=at if number % 5 else None, started_at=at
        )
    planned, found = (queries.caseload(alice, Wanted(search, page=page)) for search in ("", "many"))
    assert list(planned.page.object_list) == list(found.page.object_list)
    assert planned.page.paginator.num_pages == found.page.paginator.num_pages == 3
