"""The page of a transfer, and what is left of a conversation for who had the client."""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment
from messaging.actions.merging import Choice, merge_clients
from messaging.actions.moving import Move, transfer_client
from messaging.models import Message
from messaging.tests.pages import has_box, message_texts, source, text_box, words
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def url(assignment: CaseAssignment, name: str = "client-transfer") -> str:
    return reverse(name, args=[assignment.client_id])


def post(browser: Browser, assignment: CaseAssignment, to: User, **typed: Any) -> HttpResponse:
    data = {"colleague": to.pk, "former": assignment.case_manager_id, **typed}
    response: Any = browser.post(url(assignment), data, follow=True)
    assert isinstance(response, HttpResponse)
    return response


def holder(assignment: CaseAssignment) -> User | None:
    return CaseAssignment.objects.get(client=assignment.client, ended_at=None).case_manager


def move(assignment: CaseAssignment, to: User, now: datetime | None = None) -> CaseAssignment:
    former = assignment.case_manager
    assert former is not None
    return transfer_client(client_id=assignment.client_id, move=Move(former, to), by=former, now=now or timezone.now())


def test_the_page_says_first_what_is_unread_and_what_goes_along(
    as_alice: Browser, maria: CaseAssignment, bob: User
) -> None:
    for _ in range(2):
        builders.make_incoming(maria)
    builders.make_scheduled(maria)
    page = words(as_alice.get(url(maria)))
    assert "2 unread texts go along, still unread." in page
    assert "1 scheduled message goes along and still goes out." in page
    assert page.index("unread texts") < page.index("Transfer client")
    assert "Bob Brown" in page
    assert "Alice Adams" not in page


def test_it_leads_to_the_old_conversation_which_says_who_has_the_client(
    as_alice: Browser, maria: CaseAssignment, bob: User
) -> None:
    page = post(as_alice, maria, bob, note="Please call her")
    assert "Maria Lopez is on the list of Bob Brown now." in source(page)
    today = f"{timezone.localtime(timezone.now(), maria.client.department.zone):%B} "
    assert f"Transferred to Bob Brown on {today}" in words(page)
    assert "Please call her" in words(page)
    assert not has_box(page)
    assert holder(maria) == bob


def test_a_supervisor_transfers_a_colleagues_client(
    as_supervisor: Browser, maria: CaseAssignment, bob: User, alice: User
) -> None:
    maria.notes = "private"
    maria.save()
    page = as_supervisor.get(url(maria))
    assert "Now on the list of Alice Adams." in words(page)
    assert "Take my notes along" not in words(page)
    assert f'href="{url(maria)}"' in source(as_supervisor.get(url(maria, "conversation")))
    post(as_supervisor, maria, bob)
    assert holder(maria) == bob
    bobs = CaseAssignment.objects.get(client=maria.client, case_manager=bob)
    back = {"colleague": alice.pk, "former": bob.pk}
    as_supervisor.post(url(bobs), back)
    assert holder(maria) == alice


def test_notes_go_along_only_if_that_is_ticked(as_alice: Browser, maria: CaseAssignment, bob: User) -> None:
    maria.notes = "sister's number"
    maria.save()
    assert "Take my notes along" in words(as_alice.get(url(maria)))
    post(as_alice, maria, bob, takes_notes="on")
    assert CaseAssignment.objects.get(client=maria.client, case_manager=bob).notes == "sister's number"


@pytest.mark.parametrize("gone", ["closed", "elsewhere", "same", "nobody"])
def test_whom_one_cannot_choose_is_refused_and_the_note_stays(
    gone: str, as_alice: Browser, maria: CaseAssignment, alice: User, bob: User, charlie: User
) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    to = {"closed": bob.pk, "elsewhere": charlie.pk, "same": alice.pk, "nobody": ""}[gone]
    page = as_alice.post(url(maria), {"colleague": to, "former": alice.pk, "note": "a long note"})
    assert text_box(page, "note") == "a long note"
    assert "This needs another look" in words(page)
    assert holder(maria) == alice


def test_a_client_who_went_to_another_meanwhile_is_refused_and_the_note_stays(
    as_alice: Browser, as_supervisor: Browser, maria: CaseAssignment, bob: User, supervisor: User
) -> None:
    move(maria, bob)
    for browser in (as_alice, as_supervisor):
        page = browser.post(
            url(maria), {"colleague": supervisor.pk, "former": maria.case_manager_id, "note": "a long note"}
        )
        assert "This client is on the list of Bob Brown meanwhile. Nothing was changed." in words(page)
        assert text_box(page, "note") == "a long note"
    assert holder(maria) == bob


def test_a_client_deleted_meanwhile_is_refused(as_alice: Browser, maria: CaseAssignment, bob: User) -> None:
    routing.end(maria, CaseAssignment.EndReason.DELETED, timezone.now())
    assert "This client was deleted meanwhile. Nothing was changed." in words(post(as_alice, maria, bob))


def test_an_unclaimed_client_is_claimed_and_not_transferred(as_supervisor: Browser, alice: User) -> None:
    nobodys = builders.make_client(None, department=alice.department)
    assert as_supervisor.get(url(nobodys)).status_code == 404
    assert "Transfer to a colleague" not in words(as_supervisor.get(url(nobodys, "conversation")))


def test_of_two_with_one_name_the_address_is_shown(as_alice: Browser, maria: CaseAssignment, bob: User) -> None:
    other = builders.make_user(bob.department, "Bob Brown")
    page = words(as_alice.get(url(maria)))
    assert f"Bob Brown ({bob.email})" in page
    assert f"Bob Brown ({other.email})" in page


def test_it_costs_the_same_with_many_colleagues(
    as_alice: Browser, maria: CaseAssignment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    as_alice.get("/")  # writes down that the session is used
    queries = 7  # the session, the person, the client, the case manager, the number, the colleagues twice
    with django_assert_num_queries(queries):
        as_alice.get(url(maria))
    for number in range(20):
        builders.make_user(maria.client.department, f"Colleague {number}")
    with django_assert_num_queries(queries):
        as_alice.get(url(maria))


# --- The former case manager's page ----------------------------------------------------------------------------------


@pytest.fixture
def moved(maria: CaseAssignment, bob: User) -> CaseAssignment:
    """Alice's old conversation: a failed text of hers, and what has come since at Bob's."""
    maria.notes = "what Alice knows"
    maria.save()
    builders.make_outgoing(maria, "from Alice", state=Message.State.FAILED, failure_reason="phone_off")
    bobs = move(maria, bob)
    builders.make_incoming(bobs, "secret since then")
    builders.make_scheduled(bobs, "secret plan")
    builders.make_outgoing(bobs, "secret answer", state=Message.State.SENT)
    return maria


def test_the_former_one_reads_the_old_time_and_can_do_nothing(as_alice: Browser, moved: CaseAssignment) -> None:
    page = as_alice.get(url(moved, "conversation"))
    assert message_texts(page) == ["from Alice"]
    shown = words(page)
    assert "You can read what was written until then." in shown
    for button in ("Mark as read", "Try again", "Opt-out or wrong number", "Send later", "Transfer to a", "Merge"):
        assert button not in shown, button
    assert "secret" not in source(page)
    assert "what Alice knows" in shown


def test_the_new_one_reads_it_above_the_line(as_bob: Browser, moved: CaseAssignment) -> None:
    page = as_bob.get(url(moved, "conversation"))
    assert message_texts(page) == ["from Alice", "secret since then", "secret answer"]
    shown = words(page)
    assert shown.index("from Alice") < shown.index("Transferred from Alice Adams to Bob Brown")
    assert shown.index("Transferred from") < shown.index("secret since then")
    assert "what Alice knows" not in shown


def test_the_new_one_does_not_if_the_department_has_switched_that_off(as_bob: Browser, moved: CaseAssignment) -> None:
    department = moved.client.department
    department.shows_earlier_history = False
    department.save()
    assert message_texts(as_bob.get(url(moved, "conversation"))) == ["secret since then", "secret answer"]


def test_the_former_ones_list_of_scheduled_ones_is_gone(as_alice: Browser, moved: CaseAssignment) -> None:
    page = as_alice.get(url(moved, "conversation-scheduled"), follow=True)
    assert page.redirect_chain == [(url(moved, "conversation"), 302)]
    assert "secret" not in source(page)


def test_it_names_who_has_the_client_after_a_second_transfer(
    as_alice: Browser, moved: CaseAssignment, bob: User, supervisor: User
) -> None:
    move(CaseAssignment.objects.get(client=moved.client, case_manager=bob), supervisor)
    shown = words(as_alice.get(url(moved, "conversation")))
    assert "Transferred to Bob Brown on" in shown
    assert "Sue Stone works with this client now." in shown


def test_after_a_deletion_it_says_that(as_alice: Browser, as_supervisor: Browser, maria: CaseAssignment) -> None:
    routing.end(maria, CaseAssignment.EndReason.DELETED, datetime.fromisoformat("2024-05-03T18:00:00+00:00"))
    for browser in (as_alice, as_supervisor):
        assert "Deleted on May 3, 2024. You can read" in words(browser.get(url(maria, "conversation")))


TYPED = {"body": "Are you there?", "submission_key": "4a0f4a0e-7d4c-4d55-a2bb-6f1f0e6a1a11", "seen_up_to": "999999"}


@pytest.mark.parametrize("later", [{}, {"later": "schedule", "date": "2030-01-01", "time": "9:00"}])
def test_what_was_typed_to_a_client_who_has_left_is_not_lost(
    later: dict[str, str], as_alice: Browser, moved: CaseAssignment
) -> None:
    before = Message.objects.count()
    page = as_alice.post(url(moved, "conversation"), TYPED | later)
    assert "This client is no longer on your list. Nothing was sent." in words(page)
    assert "Are you there?" in words(page)
    assert Message.objects.count() == before


def test_what_was_typed_to_a_client_who_was_merged_comes_back_in_the_survivors_box(
    as_alice: Browser, alice: User, maria: CaseAssignment
) -> None:
    double = builders.make_client(alice)
    unread = builders.make_incoming(maria)
    merge(maria, double, alice)
    page = as_alice.post(url(double, "conversation"), TYPED)
    assert "Two clients were merged meanwhile. Nothing was sent." in words(page)
    assert text_box(page) == "Are you there?"
    assert f'action="{url(maria, "conversation")}"' in source(page)
    unread.refresh_from_db()
    assert unread.read_at is None
    assert Message.objects.filter(direction="out").count() == 0


def test_a_form_that_was_taken_before_a_merge_is_not_said_to_be_unsent(
    as_alice: Browser, alice: User, maria: CaseAssignment
) -> None:
    double = builders.make_client(alice)
    form = {"body": "Hello", "submission_key": str(uuid.uuid4())}
    as_alice.post(url(double, "conversation"), form)
    merge(maria, double, alice)
    assert as_alice.post(url(double, "conversation"), form).headers["Location"] == url(maria, "conversation")
    assert Message.objects.filter(direction="out").count() == 1


def merge(kept: CaseAssignment, given_up: CaseAssignment, by: User) -> None:
    choice = Choice(kept.client_id, kept.client_id)
    ids = {"kept_id": kept.client_id, "given_up_id": given_up.client_id}
    merge_clients(**ids, choice=choice, by=by, now=timezone.now())
