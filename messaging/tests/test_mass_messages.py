"""A mass message is sent once, to those it was ticked for; it can be undone, stopped, resumed, and taken apart."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment
from messaging import mass_filling, states
from messaging.actions import mass_drafts, mass_messages
from messaging.actions.mass_drafts import Ticks
from messaging.actions.mass_messages import ChangedMeanwhile, NotReady
from messaging.actions.settling import TooLate
from messaging.mass_outlook import left_out, nameless, read_outlook
from messaging.models import MassMessage, MassMessageRecipient, Message
from messaging.schedule import WallClock
from messaging.tests.mass import chosen, confirm, left_out_of, make_draft, make_mass, texts_of
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


@pytest.fixture
def clients(alice: User) -> list[CaseAssignment]:
    return [builders.make_client(alice, first_name=name) for name in ("Maria", "", "José")]


def move(text: Message, to: Message.State, **fields: Any) -> None:
    numbers = {"our_number": "+18015550100", "their_number": "+13852000000", "claimed_at": timezone.now()}
    assert states.move(text.pk, to=to, from_states=frozenset(State), now=timezone.now(), **numbers, **fields)


def scheduled(alice: User, clients: list[CaseAssignment]) -> MassMessage:
    assert alice.department is not None
    tomorrow = (timezone.now() + timedelta(days=1)).astimezone(alice.department.zone)
    when = WallClock(tomorrow.date(), tomorrow.time().replace(second=0, microsecond=0), alice.department.zone)
    mass = confirm(make_draft(alice, clients, when=when))
    mass_filling.fill(now=timezone.now())
    mass.refresh_from_db()
    return mass


# --- The check -------------------------------------------------------------------------------------------------------


def test_the_check_counts_people_and_texts_and_shows_one_of_each_kind(
    alice: User, clients: list[CaseAssignment]
) -> None:
    outlook = read_outlook(make_draft(alice, clients, "Hi {first name}, " + "x" * 152))
    assert (outlook.people, outlook.texts) == (3, 5)
    shown = [(it.name, it.text[:10], it.segments, it.people) for it in outlook.examples]
    assert shown == [("Maria Lopez", "Hi Maria, ", 2, 2), ("Lopez", "Hi, xxxxxx", 1, 1)]


@pytest.mark.parametrize("many", [3, 300])
def test_the_check_takes_the_same_queries_for_few_and_many(
    many: int, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    draft = make_draft(alice, builders.make_caseload(alice, many), "Hi {first name} {last name}")
    with django_assert_num_queries(2):
        assert read_outlook(draft).people == many
    with django_assert_num_queries(3):
        assert (left_out(draft), nameless(draft)) == ([], None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (" \n", "Write a text first."),
        ("Hi {nickname}", "“{nickname}”"),
        ("x" * 1595 + "{first name}", "For Maria Lopez this is"),
    ],
)
def test_what_cannot_be_sent_is_named(body: str, problem: str, alice: User, clients: list[CaseAssignment]) -> None:
    draft = make_draft(alice, clients[:2], "x" * 1596 + "{first name}" if body.startswith("x") else body)
    (found,) = read_outlook(draft).problems
    assert problem.replace("this is", "the text is 1 character too long") in found
    with pytest.raises(NotReady):
        confirm(draft)
    assert not Message.objects.exists()
    draft.refresh_from_db()
    assert draft.is_draft


def test_sixteen_hundred_characters_with_the_name_can_be_sent(alice: User, clients: list[CaseAssignment]) -> None:
    assert read_outlook(make_draft(alice, clients[:1], "x" * 1595 + "{first name}")).problems == []


def test_nobody_to_send_to_is_a_problem(alice: User) -> None:
    out = builders.make_client(alice, opted_out_at=timezone.now(), opted_out_source="keyword")
    draft = make_draft(alice, [out])
    assert read_outlook(draft).problems == ["Choose at least one client who can be texted."]
    assert [(it.label, it.count, it.names) for it in left_out(draft)] == [("opted out", 1, ["Maria Lopez"])]


def test_who_has_no_first_name_is_told_if_the_text_uses_it(alice: User, clients: list[CaseAssignment]) -> None:
    found = nameless(make_draft(alice, clients, "Hi {first name}"))
    assert found is not None
    assert (found.count, found.names) == (1, ["Lopez"])
    assert nameless(make_draft(alice, clients, "Hi {last name}")) is None


# --- Sending ---------------------------------------------------------------------------------------------------------


def test_each_recipient_gets_one_text_in_their_own_conversation(alice: User, clients: list[CaseAssignment]) -> None:
    now = timezone.now()
    mass = make_mass(alice, clients, "Hi {first name}, it is {my name} of {department}", now=now)
    texts = texts_of(mass)
    assert alice.department is not None
    office = alice.department.name
    assert [it.body for it in texts] == [
        f"Hi Maria, it is Alice Adams of {office}",
        f"Hi, it is Alice Adams of {office}",
        f"Hi José, it is Alice Adams of {office}",
    ]
    assert [it.assignment_id for it in texts] == [it.pk for it in clients]
    assert {(it.priority, it.due_at, it.finish_by, it.author) for it in texts} == {
        (Message.Priority.MASS, now + timedelta(seconds=10), mass.finish_by, alice)
    }
    assert mass.filled_at is not None


def test_confirming_twice_sends_once(alice: User, clients: list[CaseAssignment]) -> None:
    draft = make_draft(alice, clients)
    first = confirm(draft)
    mass_filling.fill(now=timezone.now())
    assert confirm(draft) == first
    mass_filling.fill(now=timezone.now())
    assert len(texts_of(draft)) == 3


def test_only_what_the_check_page_showed_is_sent(alice: User, clients: list[CaseAssignment]) -> None:
    draft = make_draft(alice, clients)
    mass_drafts.save_draft(draft=draft, body="changed in another window", ticks=Ticks(), when=None)
    with pytest.raises(ChangedMeanwhile):
        confirm(draft)


def test_who_can_not_be_texted_is_left_out_with_the_reason(alice: User, bob: User) -> None:
    out = builders.make_client(alice, opted_out_at=timezone.now(), opted_out_source="keyword")
    fine, gone = builders.make_client(alice), builders.make_client(alice)
    draft = make_draft(alice, [out, fine, gone])
    CaseAssignment.objects.filter(pk=gone.pk).update(case_manager=bob)
    confirm(draft)
    mass_filling.fill(now=timezone.now())
    assert [it.client_id for it in texts_of(draft)] == [fine.client_id]
    assert left_out_of(draft) == {out.client_id: "opted_out", gone.client_id: "not_yours"}


def test_who_opts_out_before_the_texts_are_made_is_left_out(alice: User, clients: list[CaseAssignment]) -> None:
    draft = make_draft(alice, clients)
    confirm(draft)
    number = builders.number_of(clients[0])
    number.opted_out_at, number.opted_out_source = timezone.now(), "keyword"
    number.save()
    routing.end(clients[1], CaseAssignment.EndReason.DELETED, timezone.now())
    mass_filling.fill(now=timezone.now())
    assert [it.client_id for it in texts_of(draft)] == [clients[2].client_id]
    assert left_out_of(draft) == {clients[0].client_id: "opted_out", clients[1].client_id: "not_yours"}


def test_texts_are_made_in_batches_that_go_on_where_one_stopped(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mass_filling, "BATCH", 7)
    draft = make_draft(alice, builders.make_caseload(alice, 20))
    confirm(draft)
    assert mass_filling._fill_batch(draft.pk, timezone.now()) == 7
    assert mass_filling.fill(now=timezone.now()) == 13
    assert len({it.client_id for it in texts_of(draft)}) == 20
    assert not MassMessageRecipient.objects.filter(message__isnull=True).exists()


def test_a_batch_that_breaks_off_leaves_nothing(
    alice: User, clients: list[CaseAssignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = make_draft(alice, clients)
    confirm(draft)
    with monkeypatch.context() as broken:
        broken.setattr("messaging.summaries.recompute_all", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mass_filling.fill(now=timezone.now())
    assert texts_of(draft) == []
    mass_filling.fill(now=timezone.now())
    assert len(texts_of(draft)) == 3


@pytest.mark.parametrize("many", [10, 400])
def test_a_batch_takes_the_same_queries_for_few_and_many(
    many: int, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    draft = make_draft(alice, builders.make_caseload(alice, many))
    confirm(draft)
    with django_assert_max_num_queries(16 if connection.vendor == "postgresql" else 40):  # SQLite: rows by tens
        assert mass_filling._fill_batch(draft.pk, timezone.now()) == many


@pytest.mark.parametrize("many", [10, 400])
def test_confirming_takes_the_same_queries_for_few_and_many(
    many: int, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    draft = make_draft(alice, builders.make_caseload(alice, many), "Hi {first name} {last name}")
    with django_assert_num_queries(9):
        confirm(draft)


# --- Undo, stop, resume ----------------------------------------------------------------------------------------------


def test_undo_within_ten_seconds_sends_nothing(alice: User, clients: list[CaseAssignment]) -> None:
    mass = make_mass(alice, clients)
    mass_messages.withdraw(mass=mass, now=timezone.now())
    mass_filling.fill(now=timezone.now())
    mass.refresh_from_db()
    assert mass.cancelled_at is not None
    assert mass.recount_after is None
    assert {it.state for it in texts_of(mass)} == {State.CANCELLED}
    assert set(CaseAssignment.objects.values_list("scheduled_count", flat=True)) == {0}


def test_undo_before_the_texts_are_made_makes_none(alice: User, clients: list[CaseAssignment]) -> None:
    mass = confirm(make_draft(alice, clients))
    mass_messages.withdraw(mass=mass, now=timezone.now())
    mass_filling.fill(now=timezone.now())
    assert texts_of(mass) == []


def test_undo_comes_too_late_after_ten_seconds(alice: User, clients: list[CaseAssignment]) -> None:
    mass = make_mass(alice, clients)
    with pytest.raises(TooLate):
        mass_messages.withdraw(mass=mass, now=timezone.now() + timedelta(seconds=11))
    assert {it.state for it in texts_of(mass)} == {State.WAITING}


def test_stop_leaves_alone_what_was_taken_up(alice: User, clients: list[CaseAssignment]) -> None:
    mass = make_mass(alice, clients)
    first, *_rest = texts_of(mass)
    move(first, State.SENDING)
    assert mass_messages.stop(mass=mass, now=timezone.now()) == 2
    assert mass_messages.stop(mass=mass, now=timezone.now()) == 0
    assert [it.state for it in texts_of(mass)] == [State.SENDING, State.CANCELLED, State.CANCELLED]


def test_resume_lets_go_out_what_was_stopped_and_nothing_else(alice: User, clients: list[CaseAssignment]) -> None:
    mass = make_mass(alice, clients)
    mass_messages.drop(mass=mass, client_id=clients[0].client_id, now=timezone.now())
    mass_messages.stop(mass=mass, now=timezone.now())
    now = timezone.now() + timedelta(hours=3)
    mass_messages.resume(mass=mass, now=now)
    assert [it.state for it in texts_of(mass)] == [State.CANCELLED, State.WAITING, State.WAITING]
    assert [it.due_at for it in texts_of(mass)][1:] == [now, now]


def test_resume_leaves_out_who_is_no_longer_ones_own(alice: User, clients: list[CaseAssignment]) -> None:
    mass = make_mass(alice, clients)
    mass_messages.stop(mass=mass, now=timezone.now())
    routing.end(clients[0], CaseAssignment.EndReason.DELETED, timezone.now())
    assert mass_messages.resume(mass=mass, now=timezone.now()) == 2


def test_a_stop_half_way_through_the_making_makes_the_rest_at_the_resume(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mass_filling, "BATCH", 5)
    draft = make_draft(alice, builders.make_caseload(alice, 12))
    mass = confirm(draft)
    mass_filling._fill_batch(draft.pk, timezone.now())
    mass_messages.stop(mass=mass, now=timezone.now())
    assert mass_filling.fill(now=timezone.now()) == 0
    mass_messages.resume(mass=mass, now=timezone.now())
    assert mass_filling.fill(now=timezone.now()) == 7
    assert [it.state for it in texts_of(mass)] == [State.WAITING] * 12


def test_one_recipient_can_be_dropped(alice: User, clients: list[CaseAssignment]) -> None:
    mass = scheduled(alice, clients)
    mass_messages.drop(mass=mass, client_id=clients[1].client_id, now=timezone.now())
    assert left_out_of(mass) == {clients[1].client_id: "dropped"}
    assert [it.state for it in texts_of(mass)] == [State.WAITING, State.CANCELLED, State.WAITING]
    clients[1].refresh_from_db()
    assert clients[1].scheduled_count == 0


def test_one_whose_text_went_out_can_not_be_dropped(alice: User, clients: list[CaseAssignment]) -> None:
    mass = make_mass(alice, clients)
    move(texts_of(mass)[0], State.SENDING)
    with pytest.raises(TooLate):
        mass_messages.drop(mass=mass, client_id=clients[0].client_id, now=timezone.now())
    assert left_out_of(mass) == {}


# --- Scheduled -------------------------------------------------------------------------------------------------------


def test_a_scheduled_one_waits_in_each_conversation(alice: User, clients: list[CaseAssignment]) -> None:
    mass = scheduled(alice, clients)
    assert {(it.due_at, it.scheduled_date) for it in texts_of(mass)} == {(mass.due_at, mass.scheduled_date)}
    clients[0].refresh_from_db()
    assert (clients[0].scheduled_count, clients[0].next_scheduled_at) == (1, mass.due_at)


def test_a_time_that_has_passed_is_not_confirmed(alice: User, clients: list[CaseAssignment]) -> None:
    assert alice.department is not None
    past = WallClock(date(2020, 1, 2), datetime(2020, 1, 2, 9).time(), alice.department.zone)  # noqa: DTZ001
    with pytest.raises(NotReady):
        confirm(make_draft(alice, clients, when=past))


def change_of(mass: MassMessage, alice: User) -> MassMessage:
    everyone = MassMessageRecipient.objects.filter(mass_message=mass)
    draft = mass_drafts.copy_as_draft(
        source=mass,
        by=alice,
        submission_key=None,
        now=timezone.now(),
        recipients=everyone,
        body="new words",
        replaces=True,
    )
    return MassMessage.objects.select_related("author", "department").get(pk=draft.pk)


def test_a_change_takes_the_place_of_the_old_one_when_it_is_confirmed(
    alice: User, clients: list[CaseAssignment]
) -> None:
    mass = scheduled(alice, clients)
    draft = change_of(mass, alice)
    assert chosen(draft) == chosen(mass)
    assert {it.state for it in texts_of(mass)} == {State.WAITING}
    confirm(draft)
    mass_filling.fill(now=timezone.now())
    assert {it.state for it in texts_of(mass)} == {State.CANCELLED}
    assert {(it.state, it.body, it.due_at) for it in texts_of(draft)} == {(State.WAITING, "new words", mass.due_at)}


def test_a_change_that_comes_too_late_changes_nothing(alice: User, clients: list[CaseAssignment]) -> None:
    mass = scheduled(alice, clients)
    draft = change_of(mass, alice)
    move(texts_of(mass)[0], State.SENDING)
    with pytest.raises(TooLate):
        confirm(draft)
    assert [it.state for it in texts_of(mass)] == [State.SENDING, State.WAITING, State.WAITING]
    assert texts_of(draft) == []


def test_deleting_a_scheduled_one_of_which_a_text_went_early_stops_the_rest(
    alice: User, clients: list[CaseAssignment]
) -> None:
    mass = scheduled(alice, clients)
    move(texts_of(mass)[0], State.ACCEPTED)
    mass_messages.withdraw(mass=mass, now=timezone.now())
    mass.refresh_from_db()
    assert (mass.cancelled_at, mass.stopped_at is not None) == (None, True)
