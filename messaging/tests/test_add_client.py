"""Putting a client on one's list, whoever had the number before."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from time_machine import travel

from accounts.models import AuditEntry, Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging.actions.caseload import AccountClosed, Added, ColleaguesClient, NewClient, add_client
from messaging.known_numbers import SAME_PERSON, Answer, Choice, MustAsk, Whose
from messaging.models import Message
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EndReason = CaseAssignment.EndReason
NUMBER = "+18015550177"


def add(by: User, answer: Answer | None = None, **typed: Any) -> Added:
    """Alice's typing, unless told otherwise."""
    assert by.department is not None
    status = ClientStatus.objects.get(department=by.department, name="Active")
    usual: dict[str, Any] = {"first_name": "Maria", "last_name": "Lopez", "phone_number": NUMBER, "status": status}
    new = NewClient(**usual | typed)
    return add_client(new=new, by=by, department=by.department, now=timezone.now(), answer=answer)


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
    added = add(alice, SAME_PERSON)
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
    added = add(alice, SAME_PERSON)
    before.refresh_from_db()
    assert (added.assignment, added.was_restored, added.was_unclaimed) == (before, True, True)
    assert (before.is_open, before.unread_count, before.snippet) == (True, 2, "from since")
    assert set(Message.objects.values_list("assignment", flat=True)) == {before.pk}


def test_a_colleagues_former_client_becomes_mine(alice: User, bob: User) -> None:
    theirs = deleted(builders.make_client(bob, address=NUMBER))
    builders.make_incoming(theirs, "to Bob")
    added = add(alice, SAME_PERSON)
    assert (added.was_restored, added.was_unclaimed) == (False, False)
    assert (added.assignment.client, added.assignment.case_manager) == (theirs.client, alice)
    theirs.refresh_from_db()
    assert not theirs.is_open
    assert Message.objects.get().assignment == theirs  # the earlier conversation stays where it is


# --- What is asked first ---


def asked(by: User, answer: Answer | None = None, **typed: Any) -> MustAsk:
    """Nothing is written before the answer."""
    before = everything()
    with pytest.raises(MustAsk) as question:
        add(by, answer, **typed)
    assert everything() == before
    return question.value


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Client, PhoneNumber, CaseAssignment, ConversationEvent, AuditEntry)
    ]


def test_strangers_texts_are_shown_first(alice: User, department: Department) -> None:
    stranger = unclaimed(department, "hello?")
    question = asked(alice)
    assert (question.known.whose, question.known.client) == (Whose.STRANGERS, stranger.client)
    assert question.choices == (Choice.SAME,)
    assert asked(alice, Answer(Choice.OTHER, stranger.client_id)).choices == (Choice.SAME,)
    assert add(alice, Answer(Choice.SAME, stranger.client_id)).was_unclaimed


def test_an_answer_about_another_client_is_none(alice: User, department: Department) -> None:
    stranger = unclaimed(department, "hello?")
    asked(alice, Answer(Choice.SAME, stranger.client_id + 1))


@pytest.mark.parametrize("reason", [EndReason.DELETED, EndReason.TRANSFERRED, EndReason.LEFT])
def test_who_is_nobodys_now_and_never_was_mine_is_asked_about(alice: User, bob: User, reason: EndReason) -> None:
    theirs = builders.make_client(bob, address=NUMBER)
    routing.end(theirs, reason, builders.minutes_ago(5))
    question = asked(alice)
    assert (question.known.whose, question.known.person) == (Whose.FORMER, bob)
    assert question.choices == (Choice.SAME, Choice.OTHER)


def test_who_went_to_a_colleague_and_was_deleted_there_is_asked_about(alice: User, bob: User) -> None:
    mine = builders.make_client(alice, address=NUMBER)
    routing.end(mine, EndReason.TRANSFERRED, builders.minutes_ago(9))
    CaseAssignment.objects.create(
        client=mine.client, case_manager=bob, ended_at=timezone.now(), end_reason=EndReason.DELETED
    )
    assert asked(alice).known.person == bob
    assert add(alice, SAME_PERSON).assignment == mine


def test_a_dismissed_number_is_asked_about_and_comes_with_its_texts(alice: User, department: Department) -> None:
    stranger = unclaimed(department, "win a prize")
    routing.end(stranger, EndReason.DISMISSED, builders.minutes_ago(5))
    assert asked(alice).known.whose is Whose.STRANGERS
    added = add(alice, SAME_PERSON)
    assert Message.objects.get().assignment == added.assignment
    assert added.assignment.unread_count == 1


def test_a_number_that_is_somebody_elses_by_now_makes_a_new_client(alice: User, bob: User) -> None:
    theirs = deleted(builders.make_client(bob, address=NUMBER))
    builders.make_incoming(theirs, "to Bob")
    added = add(alice, Answer(Choice.OTHER, theirs.client_id), first_name="Olga", last_name="Other")
    assert (added.assignment.client.full_name, added.was_restored) == ("Olga Other", False)
    assert builders.number_of(added.assignment).address == NUMBER
    assert not PhoneNumber.objects.filter(client=theirs.client).exists()
    assert Client.objects.get(pk=theirs.client_id).full_name == "Maria Lopez"
    assert Message.objects.get().assignment == theirs
    taken = ConversationEvent.objects.get(client=theirs.client)
    assert (taken.kind, taken.old_address, taken.new_address, taken.by) == ("number_changed", NUMBER, "", alice)


# --- A number that its client has given up ---


def with_a_new_number(assignment: CaseAssignment) -> CaseAssignment:
    """NUMBER is the one they had before."""
    PhoneNumber.objects.filter(client=assignment.client).update(is_current=False)
    PhoneNumber.objects.create(
        department=assignment.client.department, client=assignment.client, address="+18015550188"
    )
    return assignment


def test_a_number_that_a_colleagues_client_gave_up_is_not_taken_away(alice: User, bob: User) -> None:
    with_a_new_number(builders.make_client(bob, address=NUMBER))
    with pytest.raises(ColleaguesClient) as refusal:
        add(alice, Answer(Choice.OTHER))
    assert (refusal.value.colleague, refusal.value.was_given_up) == (bob, True)


def test_a_number_that_my_client_gave_up_is_the_same_person_or_another(alice: User) -> None:
    mine = with_a_new_number(builders.make_client(alice, address=NUMBER))
    question = asked(alice)
    assert (question.known.whose, question.choices) == (Whose.MINE, (Choice.SAME, Choice.OTHER))
    assert add(alice, Answer(Choice.SAME, mine.client_id)) == Added(mine, was_mine=True)
    other = add(alice, Answer(Choice.OTHER, mine.client_id), last_name="Other").assignment
    assert other.client != mine.client
    assert (builders.number_of(other).address, builders.number_of(mine).address) == (NUMBER, "+18015550188")


def test_a_number_that_a_client_whom_i_deleted_gave_up_is_current_again(alice: User) -> None:
    mine = with_a_new_number(deleted(builders.make_client(alice, address=NUMBER)))
    assert asked(alice).known.whose is Whose.MINE_DELETED
    assert add(alice, SAME_PERSON).was_restored
    assert builders.number_of(mine).address == NUMBER
    assert [kind for kind, _by in events()] == ["restored", "number_changed"]


def test_the_log_says_who_was_added_and_what_stood_there_before(alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NUMBER, first_name="Marie"))
    CaseAssignment.objects.update(notes="a secret")
    inactive = ClientStatus.objects.get(name="Inactive")
    add(alice, notes="another secret", status=inactive)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.by) == ("client.added", f"client:{before.client_id}", alice)
    assert entry.details["before"] == {"first_name": "Marie", "status": "Active"}
    assert "secret" not in str(entry.details)


def test_a_person_whose_account_was_closed_adds_nobody(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(AccountClosed):
        add(alice)
    assert not Client.objects.exists()


def test_an_opt_out_stays_with_the_number(alice: User, department: Department) -> None:
    unclaimed(department)
    PhoneNumber.objects.update(opted_out_at=timezone.now(), opted_out_source="keyword")
    assert builders.number_of(add(alice, SAME_PERSON).assignment).is_opted_out


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_one_client_added_twice_at_once_is_there_once(alice: User) -> None:
    added = at_once(lambda: add(alice), times=6)
    assert sorted(result.was_mine for result in added) == [False] + [True] * 5
    assert Client.objects.count() == CaseAssignment.objects.count() == PhoneNumber.objects.count() == 1


@pytest.mark.postgresql
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
            add(bob, SAME_PERSON)
            late = start(refused)
            wait_for_locks(1)
        assert late.result() == bob
