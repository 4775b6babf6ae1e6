"""Deleting and restoring, as a browser gets it."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, ConversationEvent
from messaging.models import Message
from messaging.tests.pages import client_names, field, source, words
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def page_of(assignment: CaseAssignment, what: str = "delete") -> str:
    return f"/clients/{assignment.client_id}/{what}/"


def delete(browser: Browser, assignment: CaseAssignment) -> HttpResponse:
    """As the page asks for it."""
    seen = field(browser.get(page_of(assignment)), "seen_up_to")
    response: Any = browser.post(page_of(assignment), {"seen_up_to": seen}, follow=True)
    assert isinstance(response, HttpResponse)
    return response


def test_the_page_says_what_will_happen(as_alice: Browser, maria: CaseAssignment) -> None:
    builders.make_incoming(maria, "please call me")
    builders.make_scheduled(maria, "court on Tuesday")
    builders.make_outgoing(maria, "held back", state=Message.State.HELD, hold_reason="too_late")
    page = words(as_alice.get(page_of(maria)))
    assert "Delete Maria Lopez?" in page
    assert "1 text that you have not read" in page
    assert page.index("please call me") < page.index("What will happen")
    assert "2 messages that have not gone out are cancelled" in page
    assert "court on Tuesday" in page
    assert "held back" in page


def test_looking_deletes_nothing(as_alice: Browser, maria: CaseAssignment) -> None:
    as_alice.get(page_of(maria))
    as_alice.post(page_of(maria))  # without what was seen
    maria.refresh_from_db()
    assert maria.is_open


def test_after_it_my_clients_has_a_notice_with_the_way_back(as_alice: Browser, maria: CaseAssignment) -> None:
    page = delete(as_alice, maria)
    assert client_names(page) == []
    assert "Maria Lopez is no longer on your list. The messages are kept." in source(page)
    assert f'action="{page_of(maria, "restore")}"' in source(page)
    back: Any = as_alice.post(page_of(maria, "restore"), follow=True)
    assert "Maria Lopez is back on your list, with the whole conversation." in source(back)
    assert client_names(as_alice.get("/")) == ["Maria Lopez"]


def test_a_text_that_came_since_is_shown_first(as_alice: Browser, maria: CaseAssignment) -> None:
    seen = field(as_alice.get(page_of(maria)), "seen_up_to")
    builders.make_incoming(maria, "wait, one more thing")
    page: Any = as_alice.post(page_of(maria), {"seen_up_to": seen})
    assert "A new text came meanwhile. Nothing was deleted." in source(page)
    assert "wait, one more thing" in words(page)
    maria.refresh_from_db()
    assert maria.is_open
    as_alice.post(page_of(maria), {"seen_up_to": field(page, "seen_up_to")})
    maria.refresh_from_db()
    assert not maria.is_open


def test_the_button_pressed_twice_deletes_once_and_says_the_same(as_alice: Browser, maria: CaseAssignment) -> None:
    for _press in range(2):
        page: Any = as_alice.post(page_of(maria), {"seen_up_to": "0"}, follow=True)
        assert page_of(maria, "restore") in source(page)
    assert ConversationEvent.objects.count() == 1


def test_the_old_conversation_has_the_way_back(as_alice: Browser, maria: CaseAssignment) -> None:
    delete(as_alice, maria)
    page = as_alice.get(f"/conversations/{maria.client_id}/")
    assert page_of(maria, "restore") in source(page)
    assert "Deleted by Alice Adams" in words(page)


def test_a_client_who_was_transferred_has_no_way_back(as_alice: Browser, maria: CaseAssignment) -> None:
    routing.end(maria, CaseAssignment.EndReason.TRANSFERRED, builders.minutes_ago(1))
    assert page_of(maria, "restore") not in source(as_alice.get(f"/conversations/{maria.client_id}/"))
    assert as_alice.post(page_of(maria, "restore")).status_code == 404
    assert as_alice.get(page_of(maria)).status_code == 404


def test_a_colleague_who_has_the_client_now_is_named(as_alice: Browser, bob: User, maria: CaseAssignment) -> None:
    delete(as_alice, maria)
    CaseAssignment.objects.create(client=maria.client, case_manager=bob)
    page: Any = as_alice.post(page_of(maria, "restore"), follow=True)
    assert "Bob Brown works with Maria Lopez now. A supervisor can transfer them to you." in source(page)


def test_an_unclaimed_client_comes_back_with_what_came_meanwhile(as_alice: Browser, maria: CaseAssignment) -> None:
    delete(as_alice, maria)
    stranger = CaseAssignment.objects.create(client=maria.client)
    builders.make_incoming(stranger, "anybody there?")
    page: Any = as_alice.post(page_of(maria, "restore"), follow=True)
    assert "with the texts that came meanwhile" in source(page)
    assert "anybody there?" in words(page)


def test_it_is_the_case_managers_alone(
    as_alice: Browser, as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, maria: CaseAssignment
) -> None:
    for browser in (as_bob, as_charlie, as_supervisor):
        assert browser.get(page_of(maria)).status_code == 404
        assert browser.post(page_of(maria), {"seen_up_to": "0"}).status_code == 404
    delete(as_alice, maria)
    for browser in (as_bob, as_charlie, as_supervisor):
        assert browser.post(page_of(maria, "restore")).status_code == 404
    maria.refresh_from_db()
    assert not maria.is_open


@pytest.mark.parametrize("count", [1, 40])
def test_the_page_takes_as_many_queries_however_much_there_is(
    count: int, as_alice: Browser, maria: CaseAssignment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        builders.make_incoming(maria, f"text {number}")
        builders.make_scheduled(maria, f"scheduled {number}")
    with django_assert_num_queries(QUERIES):
        as_alice.get(page_of(maria))


QUERIES = 12
