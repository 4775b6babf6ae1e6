"""The unclaimed clients as a browser gets them: the list, and the pages on which one of them finds a place."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Department, User
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from messaging.actions import claiming
from messaging.actions.claiming import Details
from messaging.actions.sending import NotYours
from messaging.models import Message
from messaging.tests.pages import field, source, text_box, words
from messaging.tests.strangers import make_stranger
from tests import builders

pytestmark = pytest.mark.django_db

LIST = "/department/unclaimed/"
DISMISSED = f"{LIST}?show=dismissed"
STRANGER = "+18015550177"


@pytest.fixture
def stranger(department: Department) -> CaseAssignment:
    return make_stranger(department, "It's Maria", address=STRANGER)


def claimed_by(person: User, stranger: CaseAssignment) -> None:
    status = ClientStatus.objects.filter(department=person.department).first()
    assert status is not None
    details = Details("Maria", "Lopez-Secret", status)
    claiming.claim(client_id=stranger.client_id, details=details, by=person, now=timezone.now())


def page_of(stranger: CaseAssignment, name: str) -> str:
    return f"/clients/{stranger.client_id}/{name}/"


# --- The conversation ---


def test_the_conversation_says_unclaimed_and_what_can_be_done(
    stranger: CaseAssignment, as_alice: Browser, as_supervisor: Browser
) -> None:
    path = f"/conversations/{stranger.client_id}/"
    said = words(as_alice.get(path))
    for part in ("Unclaimed", "Nobody works with this number yet", "Claim", "This is one of my clients"):
        assert part in said
    assert "Dismiss" not in said
    assert "Claim or give" in words(as_supervisor.get(path))
    assert "Dismiss" in words(as_supervisor.get(path))


def test_who_answered_is_named_to_the_others(stranger: CaseAssignment, as_bob: Browser, as_alice: Browser) -> None:
    path = f"/conversations/{stranger.client_id}/"
    as_bob.post(path, {"body": "Who is this?", "submission_key": str(uuid.uuid4())})
    assert "Bob Brown: Who is this?" in words(as_alice.get(path))


def test_an_answer_after_a_colleagues_claim_is_not_sent_and_not_lost(
    stranger: CaseAssignment, alice: User, as_bob: Browser
) -> None:
    claimed_by(alice, stranger)
    form = {"body": "Who is this?", "submission_key": str(uuid.uuid4())}
    page = as_bob.post(f"/conversations/{stranger.client_id}/", form)
    assert page.status_code == 409
    assert "Alice Adams has this client now." in words(page)
    assert "Who is this?" in words(page)
    assert "Secret" not in source(page)
    assert "It's Maria" not in words(page)
    assert not Message.objects.filter(direction="out").exists()


# --- Claim ---


def saved(department: Department, **typed: Any) -> dict[str, Any]:
    status = ClientStatus.objects.get(department=department, name="Active")
    return {"first_name": "Maria", "last_name": "Lopez", "status": str(status.pk), **typed}


def test_claiming_opens_the_conversation(
    stranger: CaseAssignment, as_alice: Browser, alice: User, department: Department
) -> None:
    assert "It's Maria" in words(as_alice.get(page_of(stranger, "claim")))
    page = as_alice.post(page_of(stranger, "claim"), saved(department, notes="tall"))
    assert page.headers["Location"] == f"/conversations/{stranger.client_id}/"
    mine = CaseAssignment.objects.get(ended_at__isnull=True)
    assert (mine.case_manager, mine.notes, mine.client.full_name) == (alice, "tall", "Maria Lopez")
    assert "Claimed by Alice Adams" in words(as_alice.get(page.headers["Location"]))


def test_what_is_known_of_the_client_stands_there(department: Department, as_alice: Browser) -> None:
    known = make_stranger(department, first_name="Maria", last_name="Lopez")
    Client.objects.update(id_number="A-17")
    page = as_alice.get(page_of(known, "claim"))
    assert (field(page, "first_name"), field(page, "last_name"), field(page, "id_number")) == ("Maria", "Lopez", "A-17")


def test_a_claim_without_a_name_comes_back_with_all_that_was_typed(
    stranger: CaseAssignment, as_alice: Browser, department: Department
) -> None:
    page = as_alice.post(page_of(stranger, "claim"), saved(department, last_name="", notes="<b>tall</b>"))
    assert "This field is required" in words(page)
    assert (field(page, "first_name"), text_box(page, "notes")) == ("Maria", "<b>tall</b>")
    stranger.refresh_from_db()
    assert stranger.is_open


def test_who_claims_too_late_is_told_who_has_the_client_and_sees_nothing_more(
    stranger: CaseAssignment, alice: User, as_bob: Browser, department: Department
) -> None:
    claimed_by(alice, stranger)
    for name in ("claim", "join"):
        page = as_bob.get(page_of(stranger, name), follow=True)
        assert "Alice Adams has this client now." in source(page)
        assert "Secret" not in source(page)
        assert "It's Maria" not in words(page)
    assert as_bob.get(f"/conversations/{stranger.client_id}/").status_code == 404


def test_who_claims_in_the_same_moment_keeps_what_was_typed(
    stranger: CaseAssignment, alice: User, as_bob: Browser, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = claiming.claim

    def overtaken(**values: Any) -> CaseAssignment:
        monkeypatch.setattr(claiming, "claim", right)
        claimed_by(alice, stranger)
        return right(**values)

    monkeypatch.setattr(claiming, "claim", overtaken)
    page = as_bob.post(page_of(stranger, "claim"), saved(department, notes="typed by Bob"))
    said = words(page)
    assert "Alice Adams has this client now. Nothing was saved." in said
    assert text_box(page, "notes") == "typed by Bob"
    assert "Secret" not in said
    assert "It's Maria" not in said


def test_the_same_claim_twice_leads_to_the_conversation(
    stranger: CaseAssignment, as_alice: Browser, department: Department
) -> None:
    pages = [as_alice.post(page_of(stranger, "claim"), saved(department)) for _ in range(2)]
    assert {page.headers["Location"] for page in pages} == {f"/conversations/{stranger.client_id}/"}
    assert CaseAssignment.objects.filter(case_manager__isnull=False).count() == 1


def test_a_supervisor_gives_the_client_to_a_colleague(
    stranger: CaseAssignment, as_supervisor: Browser, alice: User, charlie: User, department: Department
) -> None:
    closed = builders.make_user(department, "Zoe Closed", is_active=False)
    said = words(as_supervisor.get(page_of(stranger, "claim")))
    assert "Alice Adams" in said
    assert "Charlie" not in said
    assert "Zoe" not in said
    for person in (charlie, closed):
        page = as_supervisor.post(page_of(stranger, "claim"), saved(department, case_manager=person.pk))
        assert "This person has no account here any more" in words(page)
    page = as_supervisor.post(page_of(stranger, "claim"), saved(department, case_manager=alice.pk), follow=True)
    assert "Alice Adams has this client now, and is told by e-mail." in source(page)
    assert CaseAssignment.objects.get(ended_at__isnull=True).case_manager == alice


def test_a_case_manager_gives_nobody_a_client(
    stranger: CaseAssignment, as_alice: Browser, alice: User, bob: User, department: Department
) -> None:
    assert "Bob Brown" not in words(as_alice.get(page_of(stranger, "claim")))
    as_alice.post(page_of(stranger, "claim"), saved(department, case_manager=bob.pk))
    assert CaseAssignment.objects.get(ended_at__isnull=True).case_manager == alice


# --- Join ---


def names_on(page: object) -> list[str]:
    return re.findall(r'<a href="\?client=\d+"><bdi>(.*?)</bdi>', source(page))


def test_those_named_in_the_texts_are_suggested_first_then_those_who_are_not_reached(
    stranger: CaseAssignment, as_alice: Browser, alice: User, bob: User
) -> None:
    builders.make_incoming(stranger, "this is LÓPEZ, Maria")
    builders.make_client(alice, first_name="Ana", last_name="Other")
    wrong = builders.make_client(alice, first_name="Ben", last_name="Wrong", wrong_at=timezone.now())
    lost = builders.make_client(alice, first_name="Cleo", last_name="Lost")
    builders.make_outgoing(lost, state=Message.State.UNDELIVERED)
    builders.make_client(alice, first_name="María", last_name="Lopez")
    builders.make_client(alice, first_name="Maria", last_name="Smith")
    builders.make_client(bob, first_name="Maria", last_name="Lopez")
    assert wrong.is_open
    page = as_alice.get(page_of(stranger, "join"))
    suggested, rest = names_on(page)[:4], names_on(page)[4:]
    assert suggested[:2] == ["María Lopez", "Maria Smith"]
    assert set(suggested[2:]) == {"Ben Wrong", "Cleo Lost"}
    assert len(rest) == 5
    said = words(page)
    assert "named in a text" in said
    assert "marked as a wrong number" in said
    assert "the last text was not delivered" in said


def test_one_searches_among_ones_own(stranger: CaseAssignment, as_alice: Browser, alice: User, bob: User) -> None:
    builders.make_client(alice, first_name="Ana", last_name="Núñez")
    builders.make_client(alice, first_name="Ben", last_name="Other")
    builders.make_client(bob, first_name="Bob's", last_name="Nunez")
    assert names_on(as_alice.get(page_of(stranger, "join"), {"search": "nunez"})) == ["Ana Núñez"]
    assert "No client of yours matches" in words(as_alice.get(page_of(stranger, "join"), {"search": "xyz"}))


@pytest.mark.parametrize("many", [1, 60])
def test_choosing_costs_the_same_however_many_clients(
    many: int,
    stranger: CaseAssignment,
    as_alice: Browser,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    builders.make_caseload(alice, many)
    as_alice.get("/help/")  # the first page renews the session
    # The session, the person, the conversation, the number; the texts twice, the names, the suggested, how many, which.
    with django_assert_num_queries(10):
        as_alice.get(page_of(stranger, "join"))


@pytest.mark.parametrize(("number", "current"), [("new", STRANGER), ("old", "+13855550142")])
def test_joining_asks_which_number_and_opens_the_conversation(
    number: str, current: str, stranger: CaseAssignment, as_alice: Browser, alice: User
) -> None:
    own = builders.make_client(alice, address="+13855550142")
    page = as_alice.get(page_of(stranger, "join"), {"client": own.client_id})
    said = words(page)
    assert "Is (801) 555-0177 Maria Lopez ?" in said
    assert "The new one, (801) 555-0177" in said
    assert "Still (385) 555-0142" in said
    done = as_alice.post(page_of(stranger, "join"), {"client": own.client_id, "number": number})
    assert done.headers["Location"] == f"/conversations/{own.client_id}/"
    assert builders.number_of(own).address == current
    assert as_alice.get(f"/conversations/{stranger.client_id}/").headers["Location"] == done.headers["Location"]
    assert "It's Maria" in words(as_alice.get(done.headers["Location"]))


def test_a_number_that_cannot_be_texted_is_not_offered(department: Department, as_alice: Browser, alice: User) -> None:
    machine = make_stranger(department, address="32665")
    own = builders.make_client(alice)
    assert "The new one" not in words(as_alice.get(page_of(machine, "join"), {"client": own.client_id}))


def test_nobody_joins_to_a_colleagues_client(stranger: CaseAssignment, as_alice: Browser, bob: User) -> None:
    of_bob = builders.make_client(bob)
    assert as_alice.get(page_of(stranger, "join"), {"client": of_bob.client_id}).status_code == 404
    form = {"client": of_bob.client_id, "number": "new"}
    assert as_alice.post(page_of(stranger, "join"), form).status_code == 404
    stranger.refresh_from_db()
    assert stranger.is_open


@pytest.mark.parametrize("form", [{}, {"client": "x", "number": "new"}, {"client": "1", "number": "third"}])
def test_a_form_of_nobodys_leads_back_to_the_choice(
    form: dict[str, str], stranger: CaseAssignment, as_alice: Browser
) -> None:
    assert as_alice.post(page_of(stranger, "join"), form).headers["Location"] == page_of(stranger, "join")


@pytest.mark.parametrize("search", ["\0", "%", "x" * 10_000])
def test_any_search_is_answered(search: str, stranger: CaseAssignment, as_alice: Browser) -> None:
    assert as_alice.get(page_of(stranger, "join"), {"search": search}).status_code == 200
    assert as_alice.get(page_of(stranger, "join"), {"client": "9" * 30}).status_code == 200


# --- Dismiss ---


def test_dismissing_asks_first(stranger: CaseAssignment, as_supervisor: Browser) -> None:
    assert "Dismiss (801) 555-0177?" in words(as_supervisor.get(page_of(stranger, "dismiss")))
    assert CaseAssignment.objects.get().is_open
    seen = {"seen_up_to": field(as_supervisor.get(page_of(stranger, "dismiss")), "seen_up_to")}
    assert as_supervisor.post(page_of(stranger, "dismiss"), seen).headers["Location"] == LIST
    assert CaseAssignment.objects.get().end_reason == "dismissed"
    assert PhoneNumber.objects.get().dismissed_at is not None


def test_a_text_that_came_meanwhile_is_shown_before_anything_is_dismissed(
    stranger: CaseAssignment, as_supervisor: Browser
) -> None:
    seen = {"seen_up_to": field(as_supervisor.get(page_of(stranger, "dismiss")), "seen_up_to")}
    builders.make_incoming(stranger, "It is me, Maria")
    page = as_supervisor.post(page_of(stranger, "dismiss"), seen)
    assert "A new text came meanwhile" in source(page)
    assert "It is me, Maria" in words(page)
    assert CaseAssignment.objects.get().is_open
    seen = {"seen_up_to": field(page, "seen_up_to")}
    assert as_supervisor.post(page_of(stranger, "dismiss"), seen).headers["Location"] == LIST


def test_who_comes_after_a_dismissal_is_told(stranger: CaseAssignment, supervisor: User, as_bob: Browser) -> None:
    claiming.dismiss(client_id=stranger.client_id, by=supervisor, now=timezone.now())
    assert "a supervisor dismissed them" in source(as_bob.get(page_of(stranger, "claim"), follow=True))
    assert as_bob.get(page_of(stranger, "dismiss")).status_code == 302  # told the same, whoever asks
    assert as_bob.post(page_of(stranger, "dismiss/undo")).status_code == 404


# --- Who may ---

PAGES = ["claim", "join", "dismiss", "dismiss/undo"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unclaimed_client_is_open_to_the_department_alone(
    name: str,
    method: str,
    stranger: CaseAssignment,
    as_alice: Browser,
    as_bob: Browser,
    as_charlie: Browser,
    as_supervisor: Browser,
    anonymous: Browser,
) -> None:
    """Posted without what the forms ask for, so that nothing happens; undoing asks for nothing."""
    url = page_of(stranger, name)
    own = {"get": 200, "post": {"claim": 200, "join": 302}.get(name, 302)}[method]
    own = 404 if name == "dismiss" else own
    own = {"get": 405, "post": 404}[method] if name == "dismiss/undo" else own
    for browser in (as_alice, as_bob):
        assert getattr(browser, method)(url).status_code == own
    outside = 405 if name == "dismiss/undo" and method == "get" else 404
    assert getattr(as_charlie, method)(url).status_code == outside
    sign_in = getattr(anonymous, method)(url)
    assert (sign_in.status_code, sign_in.headers["Location"].split("?")[0]) == (302, "/accounts/login/")
    supervisors = {("dismiss", "get"): 200, ("dismiss", "post"): 200}.get((name, method), own)
    assert getattr(as_supervisor, method)(url).status_code == supervisors


def test_another_departments_supervisor_dismisses_nothing(stranger: CaseAssignment, charlie: User) -> None:
    other = builders.make_user(charlie.department, "Sam Stone", role=User.Role.SUPERVISOR)
    browser = Browser()
    browser.force_login(other)
    assert browser.post(page_of(stranger, "dismiss")).status_code == 404
    with pytest.raises(NotYours):
        claiming.dismiss(client_id=stranger.client_id, by=other, now=timezone.now() + timedelta(hours=1))
