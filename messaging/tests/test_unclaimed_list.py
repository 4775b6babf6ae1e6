"""The department's unclaimed clients: who sees the list, in which order, at what cost, and what leads there."""

import re

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import unclaimed
from messaging.actions import claiming
from messaging.models import Message
from messaging.tests.pages import client_names, source, words
from messaging.tests.strangers import make_stranger
from tests import builders

pytestmark = pytest.mark.django_db

LIST = "/department/unclaimed/"
DISMISSED = f"{LIST}?show=dismissed"
STRANGER = "+18015550177"


@pytest.fixture
def stranger(department: Department) -> CaseAssignment:
    return make_stranger(department, "It's Maria", address=STRANGER)


# --- The list ---


def test_who_waits_longest_stands_first_with_the_last_text_and_who_answered(
    department: Department, as_alice: Browser, bob: User
) -> None:
    short = make_stranger(department, "short", minutes=5, address="+18015550171")
    make_stranger(department, "long", minutes=300, address="+18015550172")
    text = builders.make_outgoing(short, "Who is this?", state=Message.State.DELIVERED)
    Message.objects.filter(pk=text.pk).update(author=bob)
    page = as_alice.get(LIST)
    assert client_names(page) == ["(801) 555-0172", "(801) 555-0171"]
    said = words(page)
    assert "long Not answered 5 hours ago" in said
    assert re.search(r"short Answered by\s+Bob Brown\s+5 minutes ago", said)
    assert "Who is this?" not in said


def test_everybody_of_the_department_sees_it_and_nobody_elses(
    department: Department, elsewhere: Department, as_alice: Browser, as_charlie: Browser, as_supervisor: Browser
) -> None:
    make_stranger(department, "for us")
    make_stranger(elsewhere, "for them")
    for browser in (as_alice, as_supervisor):
        assert ("for us" in words(browser.get(LIST)), "for them" in words(browser.get(LIST))) == (True, False)
    assert ("for us" in words(as_charlie.get(LIST)), "for them" in words(as_charlie.get(LIST))) == (False, True)


def test_a_known_name_stands_with_the_number(department: Department, as_alice: Browser) -> None:
    make_stranger(department, first_name="Maria", last_name="Lopez", address=STRANGER)
    assert "Maria Lopez (801) 555-0177" in words(as_alice.get(LIST))


def test_nothing_of_what_was_written_is_markup(department: Department, as_alice: Browser) -> None:
    make_stranger(department, "<script>alert(1)</script>")
    assert "<script>alert" not in source(as_alice.get(LIST))


def test_an_empty_list_says_what_it_is_for(as_alice: Browser, as_supervisor: Browser) -> None:
    assert "Nobody waits" in words(as_alice.get(LIST))
    assert "Nothing is dismissed" in words(as_supervisor.get(DISMISSED))


@pytest.mark.parametrize("many", [1, 60])
def test_a_page_costs_the_same_however_many_wait(
    many: int, department: Department, as_alice: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        make_stranger(department, f"text {number}")
    as_alice.get("/help/")  # the first page renews the session
    with django_assert_num_queries(5):  # the session, the person; how many, which, what they show
        page = as_alice.get(LIST)
    assert len(client_names(page)) == min(many, unclaimed.ROWS_PER_PAGE)
    if many > 1:
        assert "Page 1 of 2" in words(page)
        assert len(client_names(as_alice.get(f"{LIST}?page=2"))) == many - unclaimed.ROWS_PER_PAGE


def test_dismissed_ones_are_for_supervisors_and_can_be_put_back(
    stranger: CaseAssignment, supervisor: User, as_supervisor: Browser, as_alice: Browser
) -> None:
    claiming.dismiss(client_id=stranger.client_id, by=supervisor, now=timezone.now())
    assert client_names(as_supervisor.get(LIST)) == []
    assert client_names(as_alice.get(DISMISSED)) == []
    assert "Dismissed" not in words(as_alice.get(DISMISSED))
    assert client_names(as_supervisor.get(DISMISSED)) == ["(801) 555-0177"]
    assert "Dismissed" in words(as_supervisor.get(f"/conversations/{stranger.client_id}/"))
    assert as_supervisor.post(f"/clients/{stranger.client_id}/dismiss/undo/").status_code == 302
    assert client_names(as_alice.get(LIST)) == ["(801) 555-0177"]


# --- What leads there ---


def test_my_clients_says_how_many_texts_wait(department: Department, as_alice: Browser, as_charlie: Browser) -> None:
    assert "nobody knows" not in words(as_alice.get("/"))
    one = make_stranger(department)
    assert "1 text from a number that nobody knows" in words(as_alice.get("/"))
    make_stranger(department)
    assert "2 texts from numbers that nobody knows" in words(as_alice.get("/"))
    assert "nobody knows" not in words(as_charlie.get("/"))
    Message.objects.update(read_at=timezone.now())
    CaseAssignment.objects.update(unread_count=0)
    assert "2 numbers that nobody knows: answered, and not claimed yet" in words(as_alice.get("/"))
    assert LIST in source(as_alice.get("/"))
    assert one.is_open


def test_the_departments_page_leads_there(stranger: CaseAssignment, as_supervisor: Browser) -> None:
    assert "Unclaimed clients : 1 waits, 1 unread text" in words(as_supervisor.get("/department/"))
