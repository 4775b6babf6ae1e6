"""Each page and each button: the owner, a colleague, another department, a supervisor, a visitor."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse

from accounts.models import AuditEntry, User
from clients.models import CaseAssignment
from messaging import urls
from messaging.models import MassMessage, MassMessageRecipient, Message
from messaging.tests import mass
from messaging.tests.imports import make_import
from tests import builders

pytestmark = pytest.mark.django_db

PEOPLE = ["alice", "bob", "charlie", "supervisor", "visitor"]
SIGN_IN = "sign in"
Answer = int | str


@dataclass(frozen=True)
class Door:
    """One way in: the page's name, what is posted (None: it is only looked at), and what each person gets."""

    name: str
    posted: dict[str, str] | None
    alice: Answer
    bob: Answer
    charlie: Answer
    supervisor: Answer
    visitor: Answer = SIGN_IN

    def __str__(self) -> str:
        return f"{'look at' if self.posted is None else 'post to'} {self.name}"


TEXT = {"body": "Hello", "submission_key": str(uuid.uuid4())}
LATER = TEXT | {"later": "schedule", "date": "tomorrow", "time": "9:00"}
OF_A_CLIENT = (
    *("conversation", "client-manage", "client-delete", "client-restore", "client-merge", "client-transfer"),
    *("client-claim", "client-join", "client-dismiss"),
)
DOORS = [
    Door("my-clients", None, 200, 200, 200, 200),
    Door("my-clients", {}, 405, 405, 405, 405),
    Door("client-new", None, 200, 200, 200, 200),
    Door("client-new", {"last_name": ""}, 200, 200, 200, 200),
    Door("client-import", None, 200, 200, 200, 200),
    Door("client-import", {}, 200, 200, 200, 200),
    Door("client-import-check", None, 200, 404, 404, 404),
    Door("client-import-check", {}, 302, 404, 404, 404),
    Door("client-import-not-taken", None, 200, 404, 404, 404),
    Door("client-import-not-taken", {}, 405, 405, 405, 405),
    Door("client-export", {}, 200, 200, 200, 200),
    Door("client-export", None, 405, 405, 405, 405),
    Door("client-manage", None, 200, 404, 404, 404),
    Door("client-manage", {"last_name": ""}, 200, 404, 404, 404),
    Door("client-delete", None, 200, 404, 404, 404),
    Door("client-delete", {"seen_up_to": str(2**62)}, 302, 404, 404, 404),
    Door("client-restore", {}, 302, 404, 404, 404),
    Door("client-restore", None, 405, 405, 405, 405),
    Door("conversation", None, 200, 404, 404, 200),
    Door("conversation", TEXT, 302, 404, 404, 302),
    Door("conversation-talk", None, 200, 404, 404, 200),
    Door("conversation-talk", {}, 405, 405, 405, 405),
    Door("conversation-read", {"up_to": str(2**62)}, 302, 404, 404, 404),
    Door("conversation-read", None, 405, 405, 405, 405),
    Door("conversation-number", None, 200, 404, 404, 404),
    Door("conversation-number", {"choice": "opt-out", "reason": "told me"}, 302, 404, 404, 404),
    Door("conversation", LATER, 200, 404, 404, 404),
    Door("conversation-scheduled", None, 200, 404, 404, 200),
    Door("conversation-scheduled", {}, 405, 405, 405, 405),
    Door("scheduled-change", None, 200, 404, 404, 404),
    Door("scheduled-change", {"later": "schedule"}, 200, 404, 404, 404),
    Door("scheduled-settle", {}, 302, 404, 404, 404),
    Door("scheduled-settle", None, 405, 405, 405, 405),
    Door("department-unclaimed", None, 200, 200, 200, 200),
    Door("department-unclaimed", {}, 405, 405, 405, 405),
    Door("client-claim", None, 404, 404, 404, 404),  # a client who is on somebody's list, also one's own
    Door("client-claim", {}, 404, 404, 404, 404),
    Door("client-join", None, 404, 404, 404, 404),
    Door("client-join", {}, 404, 404, 404, 404),
    Door("client-dismiss", None, 404, 404, 404, 404),
    Door("client-dismiss", {}, 404, 404, 404, 404),
    Door("client-dismiss-undo", None, 405, 405, 405, 405),
    Door("client-dismiss-undo", {}, 404, 404, 404, 404),
    Door("held-texts", None, 200, 200, 200, 200),
    Door("held-texts", {}, 405, 405, 405, 405),
    Door("message-settle", {}, 302, 404, 404, 404),
    Door("message-settle", None, 405, 405, 405, 405),
    Door("department", None, 404, 404, 404, 200),
    Door("department", {}, 405, 405, 405, 405),
    Door("department-try-again", {}, 404, 404, 404, 404),
    Door("department-statuses", None, 404, 404, 404, 404),
    Door("department-statuses", {"name": "New"}, 404, 404, 404, 404),
    Door("department-status", None, 404, 404, 404, 404),
    Door("department-status", {"name": "New"}, 404, 404, 404, 404),
    Door("department-status-settle", {}, 404, 404, 404, 404),
    Door("department-status-settle", None, 405, 405, 405, 405),
    Door("conversation-unread", {}, 302, 404, 404, 404),
    Door("conversation-unread", None, 405, 405, 405, 405),
    Door("department-try-again", None, 405, 405, 405, 405),
    Door("mass-messages", None, 200, 200, 200, 200),
    Door("mass-messages", {}, 405, 405, 405, 405),
    Door("mass-new", None, 200, 200, 200, 200),
    Door("mass-new", {"do": "save"}, 302, 302, 302, 302),
    Door("mass-draft", None, 200, 404, 404, 404),
    Door("mass-draft", {"body": "other words"}, 302, 404, 404, 404),
    Door("mass-check", None, 200, 404, 404, 404),
    Door("mass-check", {"revision": "1"}, 302, 404, 404, 404),
    Door("mass-message", None, 200, 404, 404, 200),
    Door("mass-message", {}, 405, 405, 405, 405),
    Door("mass-choice", {}, 302, 404, 404, 404),
    Door("mass-choice", None, 405, 405, 405, 405),
    Door("mass-drop", {}, 302, 404, 404, 404),
    Door("mass-drop", None, 405, 405, 405, 405),
    Door("client-transfer", None, 200, 404, 404, 200),
    Door("client-transfer", {"note": "bye"}, 200, 404, 404, 200),
    Door("client-merge", None, 200, 404, 404, 404),
    Door("client-merge", {"with": "7"}, 200, 404, 404, 404),
    Door("department-people", None, 404, 404, 404, 200),
    Door("department-people", {}, 405, 405, 405, 405),
    Door("person-move", None, 404, 404, 404, 200),
    Door("person-move", {"do": "all"}, 404, 404, 404, 200),
    Door("person-close", {}, 404, 404, 404, 404),
    Door("person-close", None, 405, 405, 405, 405),
    Door("help", None, 200, 200, 200, 200, 200),
    Door("help", {}, 405, 405, 405, 405, 405),
]


@pytest.fixture
def browsers(
    as_alice: Browser, as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, anonymous: Browser
) -> dict[str, Browser]:
    return dict(zip(PEOPLE, (as_alice, as_bob, as_charlie, as_supervisor, anonymous), strict=True))


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    assignment = builders.make_client(alice, last_name="Lopez-Secret")
    builders.make_incoming(assignment, "secret words")
    return assignment


def address(name: str, assignment: CaseAssignment) -> str:
    """The page of this client, where the page is one of a client."""
    if name == "message-settle":
        held = builders.make_outgoing(assignment, state=Message.State.HELD, hold_reason="too_late")
        return reverse(name, args=[assignment.client_id, held.public_id, "drop"])
    if name.startswith("scheduled-"):
        later = builders.make_scheduled(assignment, "secret plan")
        choice = ["delete"] if name == "scheduled-settle" else []
        return reverse(name, args=[assignment.client_id, later.public_id, *choice])
    if name in ("mass-draft", "mass-check", "mass-message", "mass-choice", "mass-drop"):
        return address_of_mass_message(name, assignment)
    if name in ("client-import-check", "client-import-not-taken"):
        assert assignment.case_manager is not None
        return reverse(name, args=[make_import(assignment.case_manager, "Last,Phone\nSecret,8015550177\n").pk])
    if name.startswith("person-"):
        return reverse(name, args=[assignment.case_manager_id])
    if name in ("department-status", "department-status-settle"):
        return reverse(name, args=[assignment.status_id, *(["delete"] if name.endswith("settle") else [])])
    return reverse(name, args=[assignment.client_id] if name.startswith(OF_A_CLIENT) else [])


def address_of_mass_message(name: str, assignment: CaseAssignment) -> str:
    assert assignment.case_manager is not None
    if name in ("mass-draft", "mass-check"):
        return reverse(name, args=[mass.make_draft(assignment.case_manager, [assignment], "secret words").pk])
    sent = mass.make_mass(assignment.case_manager, [assignment], "secret words").pk
    more: dict[str, int | str] = {"mass-choice": "stop", "mass-drop": assignment.client_id}
    return reverse(name, args=[sent, more[name]] if name in more else [sent])


def answer(door: Door, browser: Browser, url: str) -> tuple[Answer, HttpResponse]:
    response = browser.get(url) if door.posted is None else browser.post(url, door.posted)
    is_sign_in = response.status_code == 302 and response.headers["Location"].startswith(reverse("account_login"))
    return SIGN_IN if is_sign_in else response.status_code, response  # type: ignore[return-value]


def test_every_page_is_asked_for() -> None:
    assert {door.name for door in DOORS} == {pattern.name for pattern in urls.urlpatterns}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_door_opens_only_for(
    door: Door, who: str, browsers: dict[str, Browser], client_of_alice: CaseAssignment
) -> None:
    got, response = answer(door, browsers[who], address(door.name, client_of_alice))
    assert got == getattr(door, who)
    if got in (404, 405, SIGN_IN):
        assert "ecret" not in response.content.decode()


@pytest.mark.parametrize("door", [door for door in DOORS if door.posted is not None], ids=str)
def test_who_may_not_changes_nothing(door: Door, browsers: dict[str, Browser], client_of_alice: CaseAssignment) -> None:
    url = address(door.name, client_of_alice)
    before = snapshot()
    for who in PEOPLE:
        if getattr(door, who) in (404, 405, SIGN_IN):
            answer(door, browsers[who], url)
    assert snapshot() == before


def snapshot() -> list[dict[str, object]]:
    """Every row that a page of messaging could change."""
    tables: list[type[Model]] = [Message, CaseAssignment, AuditEntry, MassMessage, MassMessageRecipient]
    return [row for table in tables for row in table._default_manager.order_by("pk").values()]


DOORS_OF_CLIENTS = [door for door in DOORS if door.name.startswith(OF_A_CLIENT) and door.alice != 405]


@pytest.mark.parametrize("client_id", ["0", "999999999", str(2**63 - 1), str(2**63), "9" * 60])
@pytest.mark.parametrize("door", DOORS_OF_CLIENTS, ids=str)
def test_a_client_who_does_not_exist_is_not_found(
    door: Door, client_id: str, as_alice: Browser, as_supervisor: Browser
) -> None:
    url = reverse(door.name, args=[7]).replace("/7/", f"/{client_id}/")
    assert answer(door, as_alice, url)[0] == 404
    assert answer(door, as_supervisor, url)[0] == 404


@pytest.mark.parametrize("client_id", ["-1", "x", "1.5", "%00", "1e9"])
def test_what_is_no_number_is_not_found(client_id: str, as_alice: Browser) -> None:
    assert as_alice.get(f"/conversations/{client_id}/").status_code == 404


@pytest.mark.parametrize("door", [door for door in DOORS if door.posted is not None and door.alice != 405], ids=str)
def test_a_form_without_its_token_is_refused_and_changes_nothing(
    door: Door, alice: User, client_of_alice: CaseAssignment
) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)
    url = address(door.name, client_of_alice)
    before = snapshot()
    assert answer(door, browser, url)[0] == 403
    assert snapshot() == before


@pytest.mark.parametrize("find", [lambda a: reverse("conversation", args=[a.client_id]), lambda a: "/clients/new/"])
def test_the_operator_without_a_department_has_no_clients(
    find: Callable[[CaseAssignment], str], client_of_alice: CaseAssignment
) -> None:
    browser = Browser()
    browser.force_login(User.objects.create_superuser("operator@clientcomm.test", "a password", full_name="Olga"))
    assert browser.get(find(client_of_alice)).status_code == 404
    assert browser.get("/").headers["Location"] == "/admin/"
