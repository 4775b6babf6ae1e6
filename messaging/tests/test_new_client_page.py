"""New client, as a browser gets it."""

from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client as Browser

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus
from messaging.tests.pages import field, source, text_box, words
from tests import builders
from tests.threads import in_background, wait_for_locks

pytestmark = pytest.mark.django_db

NUMBER = "+18015550177"


def save(browser: Browser, department: Department, *, follow: bool = False, **typed: Any) -> HttpResponse:
    """Fills in the form and saves it."""
    status = ClientStatus.objects.get(department=department, name="Active")
    usual = {"first_name": "Maria", "last_name": "Lopez", "phone_number": "(801) 555-0177", "status": str(status.pk)}
    response: Any = browser.post("/clients/new/", usual | typed, follow=follow)
    assert isinstance(response, HttpResponse)
    return response


def test_the_first_status_of_the_department_is_preselected(as_alice: Browser, department: Department) -> None:
    status = ClientStatus.objects.get(department=department, name="Active")
    assert f'<option value="{status.pk}" selected>Active</option>' in source(as_alice.get("/clients/new/"))


def test_saving_opens_the_conversation(as_alice: Browser, alice: User, department: Department) -> None:
    response = save(as_alice, department, notes="likes mornings")
    assignment = CaseAssignment.objects.get()
    assert (assignment.case_manager, assignment.client.full_name) == (alice, "Maria Lopez")
    assert response.headers["Location"] == f"/conversations/{assignment.client_id}/"
    assert builders.number_of(assignment).address == NUMBER
    assert "likes mornings" in words(as_alice.get(response.headers["Location"]))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"phone_number": "555-0142"}, "only 7 digits"),
        ({"phone_number": "<b>"}, "This is not a phone number"),
        ({"last_name": ""}, "This field is required"),
        ({"status": "999999"}, "not one of the available choices"),
    ],
)
def test_what_can_not_be_saved_comes_back_with_the_reason_and_all_that_was_typed(
    typed: dict[str, Any], said: str, as_alice: Browser, department: Department
) -> None:
    page = save(as_alice, department, **{"notes": "<i>notes</i>", "id_number": '"A"'} | typed)
    assert said in words(page)
    assert (field(page, "first_name"), field(page, "id_number")) == ("Maria", '"A"')
    assert text_box(page, "notes") == "<i>notes</i>"
    for name in typed.keys() & {"phone_number", "last_name"}:
        assert field(page, name) == typed[name]
    assert not Client.objects.exists()


def test_a_client_whom_one_has_is_opened_with_a_notice(as_alice: Browser, alice: User, department: Department) -> None:
    mine = builders.make_client(alice, address=NUMBER, first_name="Marie")
    page = save(as_alice, department, follow=True)
    assert "You have this client already. Nothing was changed." in source(page)
    assert "Marie Lopez" in words(page)
    assert CaseAssignment.objects.get() == mine


def test_a_client_whom_one_deleted_is_back_with_a_notice(
    as_alice: Browser, alice: User, department: Department
) -> None:
    before = builders.make_client(alice, address=NUMBER)
    builders.make_incoming(before, "from before")
    routing.end(before, CaseAssignment.EndReason.DELETED, builders.minutes_ago(5))
    page = save(as_alice, department, follow=True)
    assert "is back with the whole conversation" in source(page)
    assert "from before" in words(page)


def test_an_unclaimed_clients_texts_are_shown_first_and_come_along(as_alice: Browser, department: Department) -> None:
    stranger = builders.make_client(None, department=department, address=NUMBER, first_name="", last_name="")
    builders.make_incoming(stranger, "hello?")
    page = save(as_alice, department)
    assert "hello?" in words(page)
    assert "nobody works with who wrote them" in words(page)
    assert not Client.objects.exclude(last_name="").exists()
    page = save(as_alice, department, follow=True, answer=f"same-{stranger.client_id}")
    assert "Texts had come from this number already" in source(page)
    assert "hello?" in words(page)


def test_a_colleagues_former_client_is_asked_about_with_what_is_known(
    as_alice: Browser, alice: User, bob: User, department: Department
) -> None:
    theirs = builders.make_client(bob, address=NUMBER, first_name="Marie")
    builders.make_incoming(theirs, "a secret between them")
    routing.end(theirs, CaseAssignment.EndReason.DELETED, builders.minutes_ago(5))
    page = save(as_alice, department)
    assert "Is this Marie Lopez?" in words(page)
    assert "Bob Brown worked with them until" in words(page)
    assert "a secret" not in source(page)
    save(as_alice, department, answer=f"other-{theirs.client_id}", last_name="Other")
    mine = CaseAssignment.objects.get(case_manager=alice)
    assert (mine.client.full_name, builders.number_of(mine).address) == ("Maria Other", NUMBER)


TYPED: dict[str, Any] = {
    "first_name": "Ann",
    "id_number": '"A"',
    "language": "Spanish",
    "notes": "<i>two</i>\nlines",
    "phone_number": "801 555 0177",
}


def test_back_from_the_question_all_that_was_typed_is_there(
    as_alice: Browser, bob: User, department: Department
) -> None:
    theirs = builders.make_client(bob, address=NUMBER)
    routing.end(theirs, CaseAssignment.EndReason.TRANSFERRED, builders.minutes_ago(5))
    question = save(as_alice, department, **TYPED)
    kept = {name: field(question, name) for name in (*TYPED, "last_name", "status")}
    assert kept == {**TYPED, "last_name": "Lopez", "status": kept["status"]}
    page: Any = as_alice.post("/clients/new/", {**kept, "answer": "back"})
    for name in TYPED.keys() - {"notes"}:
        assert field(page, name) == TYPED[name]
    assert text_box(page, "notes") == TYPED["notes"]
    assert "Save client" in words(page)
    assert CaseAssignment.objects.get() == theirs


@pytest.mark.parametrize(
    "answer", ["same-", "same-x", "same-²", "other-99999999999999999999", "perhaps-1", "-", "same"]
)
def test_what_no_button_of_ours_says_is_no_answer(
    answer: str, as_alice: Browser, bob: User, department: Department
) -> None:
    theirs = builders.make_client(bob, address=NUMBER)
    routing.end(theirs, CaseAssignment.EndReason.TRANSFERRED, builders.minutes_ago(5))
    assert "Is this Maria Lopez?" in words(save(as_alice, department, answer=answer))


def test_a_number_that_a_colleagues_client_had_before_is_refused_naming_the_colleague(
    as_alice: Browser, bob: User, department: Department
) -> None:
    builders.make_client(bob, address=NUMBER, is_current=False)
    page = save(as_alice, department)
    assert "A client of Bob Brown had this number before" in words(page)


def test_a_colleagues_client_is_refused_naming_the_colleague(
    as_alice: Browser, bob: User, department: Department
) -> None:
    builders.make_client(bob, address=NUMBER)
    page = save(as_alice, department)
    assert "Bob Brown works with the client of this number. A supervisor can transfer them to you." in words(page)
    assert field(page, "phone_number") == "(801) 555-0177"
    assert CaseAssignment.objects.get().case_manager == bob


def test_a_client_of_another_department_is_not_mentioned(
    as_alice: Browser, alice: User, charlie: User, department: Department
) -> None:
    builders.make_client(charlie, address=NUMBER)
    assert save(as_alice, department).status_code == 302
    assert CaseAssignment.objects.filter(case_manager=alice).count() == 1


def test_the_same_form_twice_adds_one_client(as_alice: Browser, department: Department) -> None:
    first, second = save(as_alice, department), save(as_alice, department)
    assert first.headers["Location"] == second.headers["Location"]
    assert Client.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_person_whose_account_is_closed_in_the_very_moment_of_saving_adds_nobody(
    as_alice: Browser, alice: User, department: Department
) -> None:
    with in_background() as start:
        with transaction.atomic():
            User.objects.filter(pk=alice.pk).update(is_active=False)
            saving = start(lambda: save(as_alice, department))
            wait_for_locks(1)
        assert saving.result().status_code == 403
    assert not Client.objects.exists()


def test_the_departments_own_number_is_nobodys(as_alice: Browser, alice: User) -> None:
    assert alice.department is not None
    status = ClientStatus.objects.filter(department=alice.department).first()
    form = {"last_name": "Self", "phone_number": alice.department.phone_number, "status": status.pk if status else 0}
    page = as_alice.post("/clients/new/", form).content.decode()
    assert "own number" in page
    assert not Client.objects.exists()
