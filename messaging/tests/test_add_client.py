"""Putting a client on one's list, whoever had the number before."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from time_machine import travel

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging.actions.caseload import AccountClosed, Added, ColleaguesClient, NewClient, add_client
from messaging.models import Message
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EndReason = CaseAssignment.EndReason
NUMBER = "+18015550177"


def add(by: User, **typed: Any) -> Added:
    """Alice's typing, unless told otherwise."""
    assert by.department is not None
    status = ClientStatus.objects.get(department=by.department, name="Active")
    usual: dict[str, Any] = {"first_name": "Maria", "last_name": "Lopez", "phone_number": NUMBER, "status": status}
    return add_client(new=NewClient(**usual | typed), by=by, department=by.department, now=timezone.now())


def unclaimed(department: Department, *bodies: str) -> CaseAssignment:
    """A client that nobody knows, who texted."""
    assignment = builders.make_client(None, department=department, address=NUMBER, first_name="", last_name="")
    for body in bodies:
        builders.make_incoming(assignment, body)
    return assignment


def deleted(assignment: CaseAssignment) -> CaseAssignment:
    routing.end(assignment, EndReason.DELETED, builders.minutes_ago(5))
    return assignment


def events() -> list[tuple[str, User | None]]:
    return [(event.kind, event.by) for event in ConversationEvent.objects.select_related("by").order_by("pk")]


def test_a_new_client_has_what_was_typed(alice: User, department: Department) -> None:
    added = add(alice, notes="likes mornings", id_number="A-17", language="Spanish")
    assignment = CaseAssignment.objects.get()
    client, number = assignment.client, PhoneNumber.objects.get()
    assert (client.full_name, client.id_number, client.language) == ("Maria Lopez", "A-17", "Spanish")
    assert (client.department, number.client, number.address, number.is_current) == (department, client, NUMBER, True)
    assert (assignment.case_manager, assignment.is_open, assignment.notes) == (alice, True, "likes mornings")
    assert assignment.status is not None
    assert assignment.status.name == "Active"
    assert events() == [("added", alice)]
    assert added == Added(assignment)


def test_a_client_whom_i_have_is_left_as_it_is(alice: User) -> None:
    mine = builders.make_client(alice, address=NUMBER)
    added = add(alice, last_name="Other", notes="other notes")
    mine.refresh_from_db()
    mine.client.refresh_from_db()
    assert added == Added(mine, was_mine=True)
    assert (mine.client.last_name, mine.notes, events()) == ("Lopez", "", [])


def test_a_colleagues_client_is_refused_with_the_colleagues_name(alice: User, bob: User) -> None:
    theirs = builders.make_client(bob, address=NUMBER)
    with pytest.raises(ColleaguesClient) as refusal:
        add(alice, last_name="Other")
    assert refusal.value.colleague == bob
    assert (CaseAssignment.objects.get(), Client.objects.get().last_name) == (theirs, "Lopez")
    assert events() == []


def test_the_same_number_in_another_department_is_another_client(alice: User, charlie: User) -> None:
    builders.make_client(charlie, address=NUMBER)
    assert add(alice).assignment.case_manager == alice
    assert (Client.objects.count(), PhoneNumber.objects.count()) == (2, 2)


def test_an_unclaimed_clients_texts_come_along_unread(alice: User, department: Department) -> None:
    stranger = unclaimed(department, "hello?", "it is Maria")
    added = add(alice)
    assert (added.was_unclaimed, added.was_restored, added.was_mine) == (True, False, False)
    mine = CaseAssignment.objects.get(case_manager=alice)
    assert (mine.client, mine.client.full_name) == (stranger.client, "Maria Lopez")
    assert set(Message.objects.values_list("assignment", flat=True)) == {mine.pk}
    assert (mine.unread_count, mine.snippet) == (2, "it is Maria")
    stranger.refresh_from_db()
    assert (stranger.is_open, stranger.end_reason, stranger.unread_count) == (False, "claimed", 0)
    assert stranger.snippet == ""


def test_a_client_whom_i_deleted_comes_back_with_the_conversation(alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NUMBER, first_name="Marie", last_name="Lopes"))
    builders.make_incoming(before, "from before")
    added = add(alice)
    before.refresh_from_db()
    assert (added.assignment, added.was_restored, added.was_unclaimed) == (before, True, False)
    assert (before.is_open, before.end_reason, before.unread_count) == (True, "", 1)
    assert events() == [("restored", alice)]


def test_filled_fields_win_and_empty_ones_change_nothing(alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NUMBER, first_name="Marie", last_name="Lopes"))
    Client.objects.update(id_number="A-17", language="Spanish")
    inactive = ClientStatus.objects.get(name="Inactive")
    add(alice, first_name="", id_number="B-18", status=inactive)
    before.refresh_from_db()
    client = before.client
    assert (client.first_name, client.last_name) == ("Marie", "Lopez")
    assert (client.id_number, client.language) == ("B-18", "Spanish")
    assert before.status == inactive


@pytest.mark.parametrize(
    ("old", "new", "joined"),
    [
        ("old", "new", "old\n\n2026-03-02:\nnew"),  # evening in Denver, the next day in London
        ("old", "", "old"),
        ("", "new", "new"),
        ("", "", ""),
    ],
)
def test_notes_are_joined_under_a_date_line(old: str, new: str, joined: str, alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NUMBER))
    CaseAssignment.objects.update(notes=old)
    with travel(datetime(2026, 3, 3, 3, tzinfo=UTC), tick=False):
        add(alice, notes=new)
    before.refresh_from_db()
    assert before.notes == joined


def test_a_client_whom_i_deleted_and_who_became_unclaimed_comes_back_with_all_texts(
    alice: User, department: Department
) -> None:
    before = deleted(builders.make_client(alice, address=NUMBER))
    builders.make_incoming(before, "from before", at=builders.minutes_ago(50))
    stranger = CaseAssignment.objects.create(client=before.client)
    builders.make_incoming(stranger, "from since")
    added = add(alice)
    before.refresh_from_db()
    assert (added.assignment, added.was_restored, added.was_unclaimed) == (before, True, True)
    assert (before.is_open, before.unread_count, before.snippet) == (True, 2, "from since")
    assert set(Message.objects.values_list("assignment", flat=True)) == {before.pk}


def test_a_colleagues_former_client_becomes_mine(alice: User, bob: User) -> None:
    theirs = deleted(builders.make_client(bob, address=NUMBER))
    builders.make_incoming(theirs, "to Bob")
    added = add(alice)
    assert (added.was_restored, added.was_unclaimed) == (False, False)
    assert (added.assignment.client, added.assignment.case_manager) == (theirs.client, alice)
    theirs.refresh_from_db()
    assert not theirs.is_open
    assert Message.objects.get().assignment == theirs  # the earlier conversation stays where it is


def test_a_person_whose_account_was_closed_adds_nobody(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(AccountClosed):
        add(alice)
    assert not Client.objects.exists()


def test_an_opt_out_stays_with_the_number(alice: User, department: Department) -> None:
    unclaimed(department)
    PhoneNumber.objects.update(opted_out_at=timezone.now(), opted_out_source="keyword")
    assert builders.number_of(add(alice).assignment).is_opted_out


@pytest.mark.django_db(transaction=True)
def test_one_client_added_twice_at_once_is_there_once(alice: User) -> None:
    added = at_once(lambda: add(alice), times=6)
    assert sorted(result.was_mine for result in added) == [False] + [True] * 5
    assert Client.objects.count() == CaseAssignment.objects.count() == PhoneNumber.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_add_one_client_at_once_one_has_it(alice: User, bob: User) -> None:
    people = [alice, bob]

    def add_or_refused() -> Added | ColleaguesClient:
        try:
            return add(people.pop())
        except ColleaguesClient as refusal:
            return refusal

    outcomes = at_once(add_or_refused, times=2)
    (added,) = (outcome for outcome in outcomes if isinstance(outcome, Added))
    (refused,) = (outcome for outcome in outcomes if isinstance(outcome, ColleaguesClient))
    assert refused.colleague == added.assignment.case_manager
    assert CaseAssignment.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_claim_one_stranger_at_once_the_second_is_refused(
    alice: User, bob: User, department: Department
) -> None:
    unclaimed(department, "hello?")

    def refused() -> User:
        with pytest.raises(ColleaguesClient) as refusal:
            add(alice)
        return refusal.value.colleague

    with in_background() as start:
        with transaction.atomic():
            add(bob)
            late = start(refused)
            wait_for_locks(1)
        assert late.result() == bob
