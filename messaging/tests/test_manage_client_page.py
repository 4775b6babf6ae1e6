"""Manage client, as a browser gets it."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from messaging.tests.pages import field, source, text_box, words
from tests import builders

pytestmark = pytest.mark.django_db

OLD, NEW = "+18015550177", "+18015550188"


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice, address=OLD)


def page_of(assignment: CaseAssignment) -> str:
    return f"/clients/{assignment.client_id}/manage/"


def shown_form(browser: Browser, assignment: CaseAssignment) -> dict[str, str]:
    """The fields as the page has them."""
    page = browser.get(page_of(assignment))
    names = ("first_name", "last_name", "phone_number", "id_number", "language", "seen")
    status = ClientStatus.objects.get(department=assignment.client.department, name="Active")
    return {**{name: field(page, name) for name in names}, "notes": text_box(page, "notes"), "status": str(status.pk)}


def save(browser: Browser, assignment: CaseAssignment, *, follow: bool = False, **typed: Any) -> HttpResponse:
    response: Any = browser.post(page_of(assignment), {**shown_form(browser, assignment), **typed}, follow=follow)
    assert isinstance(response, HttpResponse)
    return response


def test_the_form_shows_what_is_known(as_alice: Browser, maria: CaseAssignment) -> None:
    Client.objects.update(id_number="A-17", language="Spanish")
    CaseAssignment.objects.update(notes="two\nlines", status=ClientStatus.objects.get(name="Inactive"))
    form = shown_form(as_alice, maria)
    assert (form["first_name"], form["phone_number"], form["id_number"]) == ("Maria", "(801) 555-0177", "A-17")
    assert form["notes"] == "two\nlines"
    assert "selected>Inactive<" in source(as_alice.get(page_of(maria)))


def test_saving_opens_the_conversation(as_alice: Browser, maria: CaseAssignment) -> None:
    response = save(as_alice, maria, last_name="Cruz")
    assert response.headers["Location"] == reverse("conversation", args=[maria.client_id])
    assert "Maria Cruz" in words(as_alice.get(response.headers["Location"]))


def test_a_new_number_is_told_in_words_and_in_the_conversation(as_alice: Browser, maria: CaseAssignment) -> None:
    page = save(as_alice, maria, phone_number="801 555 0188", follow=True)
    assert "Texts go to (801) 555-0188 now; those from (801) 555-0177 still arrive here." in source(page)
    assert "Number changed from (801) 555-0177 to (801) 555-0188 by Alice Adams" in words(page)


def test_what_is_scheduled_and_held_is_said(as_alice: Browser, maria: CaseAssignment) -> None:
    builders.make_scheduled(maria)
    builders.make_outgoing(maria, state="held", hold_reason="opted_out")  # type: ignore[arg-type]
    page = words(as_alice.get(page_of(maria)))
    assert "the message that is scheduled goes there by itself" in page
    assert "1 held message will stay held until you decide" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"phone_number": "555-0142"}, "only 7 digits"),
        ({"phone_number": ""}, "This field is required"),
        ({"last_name": ""}, "This field is required"),
        ({"phone_number": "(801) 555-0100"}, "own number. Enter the client"),
    ],
)
def test_what_can_not_be_saved_comes_back_with_the_reason_and_all_that_was_typed(
    typed: dict[str, Any], said: str, as_alice: Browser, maria: CaseAssignment
) -> None:
    page = save(as_alice, maria, **{"first_name": "Ann", "notes": "<i>notes</i>"} | typed)
    assert said in words(page)
    assert (field(page, "first_name"), text_box(page, "notes")) == ("Ann", "<i>notes</i>")
    assert Client.objects.get().full_name == "Maria Lopez"


def test_a_short_code_is_kept_when_other_fields_change(as_alice: Browser, maria: CaseAssignment) -> None:
    PhoneNumber.objects.update(address="32665")
    assert save(as_alice, maria, last_name="Cruz").status_code == 302
    assert (Client.objects.get().last_name, PhoneNumber.objects.get().address) == ("Cruz", "32665")


def test_a_client_without_a_number_can_stay_without(as_alice: Browser, maria: CaseAssignment) -> None:
    PhoneNumber.objects.all().delete()
    assert save(as_alice, maria, last_name="Cruz").status_code == 302
    assert Client.objects.get().last_name == "Cruz"


def test_strangers_texts_are_shown_before_they_are_joined_and_nothing_typed_is_lost(
    as_alice: Browser, maria: CaseAssignment, department: Department
) -> None:
    stranger = builders.make_client(None, department=department, address=NEW, first_name="", last_name="")
    builders.make_incoming(stranger, "it is Maria")
    typed: dict[str, Any] = {"phone_number": "(801) 555-0188", "notes": "two\nlines", "first_name": "Mary"}
    question = save(as_alice, maria, **typed)
    assert "it is Maria" in words(question)
    kept = {name: field(question, name) for name in shown_form(as_alice, maria)}
    assert kept["notes"] == "two\nlines"
    back: Any = as_alice.post(page_of(maria), {**kept, "answer": "back"})
    assert (field(back, "first_name"), field(back, "phone_number")) == ("Mary", "(801) 555-0188")
    assert Client.objects.get(pk=maria.client_id).first_name == "Maria"
    done: Any = as_alice.post(page_of(maria), {**kept, "answer": f"same-{stranger.client_id}"}, follow=True)
    assert "Both conversations are one now" in source(done)
    assert "it is Maria" in words(done)
    assert "Mary Lopez" in words(done)


def test_for_another_client_of_mine_a_merge_is_offered(as_alice: Browser, alice: User, maria: CaseAssignment) -> None:
    other = builders.make_client(alice, address=NEW, first_name="Mary")
    page = save(as_alice, maria, phone_number="(801) 555-0188")
    assert f'href="{reverse("client-merge", args=[maria.client_id])}?with={other.client_id}"' in source(page)
    assert "Mary Lopez" in words(page)


def test_a_colleagues_client_is_refused_naming_the_colleague(
    as_alice: Browser, bob: User, maria: CaseAssignment
) -> None:
    builders.make_client(bob, address=NEW)
    page = save(as_alice, maria, phone_number="(801) 555-0188", first_name="Ann")
    assert "Bob Brown works with the client of this number." in words(page)
    assert (field(page, "phone_number"), field(page, "first_name")) == ("(801) 555-0188", "Ann")


def test_a_colleagues_former_client_gives_the_number_after_a_question(
    as_alice: Browser, bob: User, maria: CaseAssignment
) -> None:
    theirs = builders.make_client(bob, address=NEW, first_name="Olga")
    routing.end(theirs, CaseAssignment.EndReason.DELETED, builders.minutes_ago(5))
    page = save(as_alice, maria, phone_number="(801) 555-0188")
    assert "(801) 555-0188 belongs to Olga Lopez. Bob Brown worked with them until" in words(page)
    assert "Use it for Maria Lopez" in words(page)
    save(as_alice, maria, phone_number="(801) 555-0188", answer=f"other-{theirs.client_id}")
    assert builders.number_of(maria).address == NEW


def test_a_second_window_sees_what_the_first_saved(as_alice: Browser, maria: CaseAssignment) -> None:
    old = shown_form(as_alice, maria)
    save(as_alice, maria, phone_number="(801) 555-0188", language="Spanish")
    page: Any = as_alice.post(page_of(maria), {**old, "last_name": "Cruz"})
    assert "was changed meanwhile" in words(page)
    assert "Phone number: (801) 555-0188" in words(page)
    assert "Language: Spanish" in words(page)
    assert (field(page, "last_name"), field(page, "phone_number")) == ("Cruz", "(801) 555-0177")
    assert builders.number_of(maria).address == NEW
    again: Any = as_alice.post(
        page_of(maria), {**old, "last_name": "Cruz", "phone_number": "(801) 555-0188", "seen": field(page, "seen")}
    )
    assert again.status_code == 302
    assert Client.objects.get().last_name == "Cruz"


def test_the_button_stands_in_the_conversation_of_ones_own_client_only(
    as_alice: Browser, as_supervisor: Browser, maria: CaseAssignment
) -> None:
    conversation = f"/conversations/{maria.client_id}/"
    assert source(as_alice.get(conversation)).count(page_of(maria)) == 2
    assert page_of(maria) not in source(as_supervisor.get(conversation))


def test_it_is_the_case_managers_alone(
    as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, anonymous: Browser, maria: CaseAssignment
) -> None:
    for browser in (as_bob, as_charlie, as_supervisor):
        assert browser.get(page_of(maria)).status_code == 404
        assert browser.post(page_of(maria), {"last_name": "x"}).status_code == 404
    assert anonymous.get(page_of(maria)).status_code == 302


@pytest.mark.parametrize("count", [1, 40])
def test_the_question_takes_as_many_queries_however_many_texts_there_are(
    count: int,
    as_alice: Browser,
    maria: CaseAssignment,
    department: Department,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    stranger = builders.make_client(None, department=department, address=NEW, first_name="", last_name="")
    for number in range(count):
        builders.make_incoming(stranger, f"text {number}")
    form = shown_form(as_alice, maria) | {"phone_number": NEW}
    with django_assert_num_queries(QUERIES):
        page = as_alice.post(page_of(maria), form)
    assert (f"of {count} texts" in words(page)) == (count > 10)


QUERIES = 21
