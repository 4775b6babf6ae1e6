"""The department's people with their counts, moving a person's clients, closing an account."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Department, OutgoingEmail, User
from clients import routing
from clients.models import CaseAssignment
from messaging.actions import bulk_moving
from messaging.tests.pages import field, source, text_box, words
from tests import builders

pytestmark = pytest.mark.django_db

PEOPLE = "/department/people/"


def move_url(person: User) -> str:
    return reverse("person-move", args=[person.pk])


@pytest.fixture
def as_admin(department: Department) -> Browser:
    browser = Browser()
    browser.force_login(builders.make_user(department, "Ann Admin", role=User.Role.ADMINISTRATOR))
    return browser


def count_of(person: User) -> int:
    return CaseAssignment.objects.filter(case_manager=person, ended_at__isnull=True).count()


def test_the_people_stand_there_with_counts_roles_and_closed_accounts(
    as_supervisor: Browser, alice: User, bob: User, charlie: User
) -> None:
    builders.make_caseload(alice, 3)
    routing.end(builders.make_client(alice), CaseAssignment.EndReason.DELETED, timezone.now())
    User.objects.filter(pk=bob.pk).update(is_active=False)
    page = words(as_supervisor.get(PEOPLE))
    assert "Alice Adams" in page
    assert "3 active clients" in page
    assert "0 active clients · account closed" in page
    assert "Supervisor" in page
    assert "Charlie" not in page
    assert "Close account" not in page
    assert page.count("Move clients") == 1


def test_the_departments_page_leads_there(as_supervisor: Browser) -> None:
    assert f'href="{PEOPLE}"' in source(as_supervisor.get("/department/"))


def test_the_list_is_paged_and_costs_the_same_with_many(
    as_supervisor: Browser, department: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    as_supervisor.get("/")
    with django_assert_num_queries(5):
        as_supervisor.get(PEOPLE)
    User.objects.bulk_create(
        User(email=f"many{number}@clientcomm.test", full_name=f"Many {number}", department=department)
        for number in range(60)
    )
    with django_assert_num_queries(5):
        assert "Page 1 of 2" in words(as_supervisor.get(PEOPLE))


def test_ticked_ones_are_moved_and_the_others_stay(as_supervisor: Browser, alice: User, bob: User) -> None:
    first, second, third = builders.make_caseload(alice, 3)
    typed = {"colleague": bob.pk, "note": "on leave", "clients": [first.client_id, third.client_id], "do": "ticked"}
    page = as_supervisor.post(move_url(alice), typed, follow=True)
    assert page.redirect_chain == [(move_url(alice), 302)]
    assert "2 clients are on the list of Bob Brown now." in source(page)
    assert CaseAssignment.objects.get(case_manager=alice, ended_at=None) == second
    assert OutgoingEmail.objects.get().to == bob.email


def test_all_are_moved_a_batch_at_a_time_until_none_is_left(
    as_supervisor: Browser, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_moving, "BATCH", 2)
    builders.make_caseload(alice, 5)
    typed = {"colleague": str(bob.pk), "note": "on leave", "do": "all"}
    page = as_supervisor.post(move_url(alice), typed)
    assert "2 clients are on the list of Bob Brown now. Still to come: 3." in words(page)
    for _ in range(2):
        hidden = {name: field(page, name) for name in ("colleague", "note", "after", "moved", "do")}
        page = as_supervisor.post(move_url(alice), hidden, follow=True)
    assert "5 clients are on the list of Bob Brown now." in source(page)
    assert "Alice Adams has no active clients" in words(page)
    assert (count_of(alice), count_of(bob), OutgoingEmail.objects.count()) == (0, 5, 1)


def test_a_slow_machine_takes_several_requests_and_says_how_far_it_came(
    as_supervisor: Browser, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_moving, "TIME_LIMIT", timedelta(0))
    ids = [it.client_id for it in builders.make_caseload(alice, 3)]
    page = as_supervisor.post(move_url(alice), {"colleague": bob.pk, "clients": ids, "do": "ticked"}, follow=True)
    assert "There was no time for the other 2: tick them again." in source(page)
    page = as_supervisor.post(move_url(alice), {"colleague": bob.pk, "do": "all"})
    assert "1 client is on the list of Bob Brown now. Still to come: 1." in words(page)
    hidden = {name: field(page, name) for name in ("colleague", "after", "moved", "do")}
    page = as_supervisor.post(move_url(alice), hidden, follow=True)
    assert "2 clients are on the list of Bob Brown now." in source(page)


def test_a_batch_asked_for_twice_moves_nobody_twice(
    as_supervisor: Browser, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_moving, "BATCH", 2)
    builders.make_caseload(alice, 5)
    for _ in range(3):
        as_supervisor.post(move_url(alice), {"colleague": bob.pk, "do": "all"})
    assert (count_of(alice), count_of(bob)) == (0, 5)


def test_who_left_the_list_meanwhile_is_named_with_the_reason(
    as_supervisor: Browser, alice: User, bob: User, supervisor: User
) -> None:
    stays = builders.make_client(alice, last_name="Stays")
    gone, deleted = builders.make_client(supervisor, last_name="Gone"), builders.make_client(alice, last_name="Deleted")
    routing.end(deleted, CaseAssignment.EndReason.DELETED, timezone.now())
    ids = [it.client_id for it in (stays, gone, deleted)]
    page = as_supervisor.post(move_url(alice), {"colleague": bob.pk, "clients": ids, "do": "ticked"}, follow=True)
    assert "1 client is on the list of Bob Brown now." in source(page)
    assert "Maria Gone was not moved: on the list of Sue Stone meanwhile." in source(page)
    assert "Maria Deleted was not moved: deleted meanwhile." in source(page)


def test_a_client_of_another_department_is_not_moved(
    as_supervisor: Browser, alice: User, bob: User, charlie: User
) -> None:
    theirs = builders.make_client(charlie)
    typed = {"colleague": bob.pk, "clients": [theirs.client_id], "do": "ticked"}
    page = as_supervisor.post(move_url(alice), typed, follow=True)
    assert "Maria" not in source(page)
    assert (count_of(charlie), OutgoingEmail.objects.count()) == (1, 0)


@pytest.mark.parametrize("typed", [{"do": "ticked"}, {}, {"do": "ticked", "clients": ["x", "-1", "9" * 40]}])
def test_nobody_ticked_moves_nobody_and_keeps_the_note(
    typed: dict[str, object], as_supervisor: Browser, alice: User, bob: User
) -> None:
    builders.make_caseload(alice, 2)
    page = as_supervisor.post(move_url(alice), {"colleague": bob.pk, "note": "on leave", **typed})
    assert "Tick who is to be moved, or choose to move all." in words(page)
    assert text_box(page, "note") == "on leave"
    assert count_of(alice) == 2


def test_a_refusal_keeps_the_ticks(as_supervisor: Browser, alice: User) -> None:
    first, _second = builders.make_caseload(alice, 2)
    page = source(as_supervisor.post(move_url(alice), {"clients": [first.client_id], "do": "ticked"}))
    assert page.count("checked") == 1


def test_all_on_a_page_can_be_ticked_without_a_script(as_supervisor: Browser, alice: User) -> None:
    builders.make_caseload(alice, 60)
    assert source(as_supervisor.get(f"{move_url(alice)}?tick=page")).count(" checked") == 50


def test_the_clients_are_paged_and_cost_the_same_with_many(
    as_supervisor: Browser, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    builders.make_caseload(alice, 2)
    as_supervisor.get("/")
    with django_assert_num_queries(7):
        as_supervisor.get(move_url(alice))
    builders.make_caseload(alice, 100)
    with django_assert_num_queries(7):
        assert "Page 1 of 3" in words(as_supervisor.get(move_url(alice)))


def test_an_administrator_closes_an_account_once_the_clients_are_moved(
    as_admin: Browser, alice: User, bob: User
) -> None:
    builders.make_caseload(alice, 2)
    close = reverse("person-close", args=[alice.pk])
    page = as_admin.post(close, follow=True)
    assert page.redirect_chain == [(move_url(alice), 302)]
    assert "Alice Adams still has 2 clients. Move them first, so that no text is lost." in source(page)
    page = as_admin.post(move_url(alice), {"colleague": bob.pk, "do": "all"}, follow=True)
    assert "Nothing is in the way of closing the account." in words(page)
    assert "The account of Alice Adams is closed." in source(as_admin.post(close, follow=True))
    alice.refresh_from_db()
    assert not alice.is_active


def test_nobody_closes_the_own_account(as_admin: Browser) -> None:
    admin = User.objects.get(full_name="Ann Admin")
    page = as_admin.post(reverse("person-close", args=[admin.pk]), follow=True)
    assert "This is your own account." in source(page)
    admin.refresh_from_db()
    assert admin.is_active
