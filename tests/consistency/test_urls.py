"""Who gets in where: every address asks for a sign-in unless listed here, and nobody gets what is another's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from clients.models import CaseAssignment
from messaging.client_imports import ClientImport
from messaging.models import MassMessage, Message
from messaging.tests.imports import make_import
from messaging.tests.mass import make_draft, make_mass
from tests.builders import make_client, make_incoming, make_outgoing, make_user

pytestmark = pytest.mark.django_db

# Open to everybody, and why.
OPEN = {
    "account_login": "signing in",
    "account_logout": "allauth sends a visitor to the sign-in page",
    "account_inactive": "says that an account is switched off",
    "account_reset_password": "who forgot the password can't be signed in",
    "account_reset_password_done": "the same",
    "account_reset_password_from_key": "the same; the key in the address is the proof",
    "account_reset_password_from_key_done": "the same",
    "invitation": "the token in the address is the proof",
    "confirm-email": "the token in the address is the proof",
    "help": "people without an account look for help too",
    "sms-inbound": "the carrier's signature is the proof",
    "sms-status": "the carrier's signature is the proof",
    "admin:login": "signing in, for the operator",
}

SAMPLES = {"int": "1", "str": "x", "slug": "x", "uuid": str(uuid4()), "path": "x"}


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver: its name and the converters of what stands in it."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    is_ours: bool

    @property
    def is_object(self) -> bool:
        return self.is_ours and self.arguments != () and self.name not in OPEN


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[Address]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from addresses(pattern, space)
        elif pattern.name:
            yield Address(prefix + pattern.name, _arguments(pattern), is_ours=not prefix)


def _arguments(pattern: URLPattern) -> tuple[tuple[str, str], ...]:
    if converters := pattern.pattern.converters:
        return tuple((name, type(it).__name__.removesuffix("Converter").lower()) for name, it in converters.items())
    return tuple((name, "str") for name in pattern.pattern.regex.groupindex)


ALL = list(addresses())


def path_of(address: Address) -> str:
    values = {name: SAMPLES[{"string": "str"}.get(kind, kind)] for name, kind in address.arguments}
    if address.name == "admin:app_list":
        values = {"app_label": "accounts"}
    return reverse(address.name, kwargs=values)


def test_every_address_has_a_name() -> None:
    def nameless(resolver: URLResolver) -> list[str]:
        found = []
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                found += nameless(pattern)
            elif not pattern.name:
                found.append(str(pattern.pattern))
        return found

    # The admin's own: its last resort, and a redirect from the addresses that old versions had.
    assert [path for path in nameless(get_resolver()) if not path.startswith(("(?P<url>", "<path:object_id>/"))] == []


def test_nothing_is_listed_as_open_that_does_not_exist() -> None:
    assert set(OPEN) - {address.name for address in ALL} == set()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [it for it in ALL if it.name not in OPEN], ids=lambda it: it.name)
def test_a_visitor_must_sign_in(anonymous: Browser, address: Address, method: str) -> None:
    path = path_of(address)
    response = getattr(anonymous, method)(path)
    sign_in = reverse("admin:login" if not address.is_ours else "account_login")
    assert response.status_code == 302
    assert response["Location"].split("?")[0] in (sign_in, reverse("account_login"))


@pytest.mark.parametrize("name", [name for name in OPEN if not name.startswith("admin:")])
def test_a_visitor_gets_in_where_it_is_listed(anonymous: Browser, name: str) -> None:
    (address,) = (it for it in ALL if it.name == name)
    response = anonymous.get(path_of(address))
    assert not response.has_header("Location") or name == "account_logout"


# --- Objects ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    """A client of Alice's, with an unread text and one that failed."""
    assignment = make_client(alice)
    make_incoming(assignment, "a secret of Maria's")
    return assignment


@pytest.fixture
def failed(maria: CaseAssignment) -> Message:
    return make_outgoing(maria, state=Message.State.FAILED)


# How the address of an object is made from Maria. A new object address must be added here.
OBJECTS: dict[str, Callable[[CaseAssignment, Message], dict[str, Any]]] = {
    "conversation": lambda maria, failed: {"client_id": maria.client_id},
    "client-manage": lambda maria, failed: {"client_id": maria.client_id},
    "client-delete": lambda maria, failed: {"client_id": maria.client_id},
    "client-restore": lambda maria, failed: {"client_id": maria.client_id},
    "conversation-talk": lambda maria, failed: {"client_id": maria.client_id},
    "conversation-read": lambda maria, failed: {"client_id": maria.client_id},
    "conversation-unread": lambda maria, failed: {"client_id": maria.client_id},
    "conversation-number": lambda maria, failed: {"client_id": maria.client_id},
    "client-claim": lambda maria, failed: {"client_id": maria.client_id},
    "client-join": lambda maria, failed: {"client_id": maria.client_id},
    "client-dismiss": lambda maria, failed: {"client_id": maria.client_id},
    "client-dismiss-undo": lambda maria, failed: {"client_id": maria.client_id},
    "conversation-scheduled": lambda maria, failed: {"client_id": maria.client_id},
    "scheduled-change": lambda maria, failed: {"client_id": maria.client_id, "public_id": failed.public_id},
    "scheduled-settle": lambda maria, failed: {
        "client_id": maria.client_id, "public_id": failed.public_id, "choice": "delete",
    },
    "message-settle": lambda maria, failed: {
        "client_id": maria.client_id, "public_id": failed.public_id, "choice": "send-again",
    },
    "client-transfer": lambda maria, failed: {"client_id": maria.client_id},
    "client-merge": lambda maria, failed: {"client_id": maria.client_id},
    "person-move": lambda maria, failed: {"person_id": maria.case_manager_id},
    "person-close": lambda maria, failed: {"person_id": maria.case_manager_id},
    "department-status": lambda maria, failed: {"status_id": maria.status_id},
    "department-status-settle": lambda maria, failed: {"status_id": maria.status_id, "choice": "delete"},
    "client-import-check": lambda maria, failed: {"import_id": import_of(maria).pk},
    "client-import-not-taken": lambda maria, failed: {"import_id": import_of(maria).pk},
    "mass-draft": lambda maria, failed: {"mass_id": draft_to(maria).pk},
    "mass-check": lambda maria, failed: {"mass_id": draft_to(maria).pk},
    "mass-message": lambda maria, failed: {"mass_id": mass_to(maria).pk},
    "mass-choice": lambda maria, failed: {"mass_id": mass_to(maria).pk, "choice": "stop"},
    "mass-drop": lambda maria, failed: {"mass_id": mass_to(maria).pk, "client_id": maria.client_id},
}  # fmt: skip


def draft_to(maria: CaseAssignment) -> MassMessage:
    assert maria.case_manager is not None
    return make_draft(maria.case_manager, [maria], "a secret of Maria's")


def import_of(maria: CaseAssignment) -> ClientImport:
    assert maria.case_manager is not None
    return make_import(maria.case_manager, f"{maria.client.full_name},a secret of Maria's")


def mass_to(maria: CaseAssignment) -> MassMessage:
    assert maria.case_manager is not None
    return make_mass(maria.case_manager, [maria], "a secret of Maria's")


def with_id(arguments: dict[str, Any], object_id: int) -> dict[str, Any]:
    """The same address with another's id in it."""
    return {name: object_id if name.endswith("_id") and name != "public_id" else it for name, it in arguments.items()}


# What a supervisor of the department may do with a colleague's client: look, and answer.
SUPERVISORS_CAN = {
    ("conversation", "get"),
    ("conversation", "post"),
    ("conversation-talk", "get"),
    ("conversation-scheduled", "get"),
    ("mass-message", "get"),
    ("client-transfer", "get"),
    ("client-transfer", "post"),
    ("person-move", "get"),
    ("person-move", "post"),
}


def test_every_address_of_an_object_is_tried() -> None:
    assert {address.name for address in ALL if address.is_object} == set(OBJECTS)


@pytest.fixture
def wrong_people(
    as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, charlie: User, department: Any
) -> dict[str, Browser]:
    """Everybody who signs in and is not Maria's case manager."""

    def signed_in(user: User) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    role = User.Role
    return {
        "a colleague": as_bob,
        "another department": as_charlie,
        "the supervisor": as_supervisor,
        "another department's supervisor": signed_in(make_user(charlie.department, "Sue Else", role=role.SUPERVISOR)),
        "another department's administrator": signed_in(
            make_user(charlie.department, "Ann Else", role=role.ADMINISTRATOR)
        ),
        "the operator": signed_in(make_user(None, "Olga Operator", is_staff=True, is_superuser=True)),
    }


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("name", OBJECTS)
def test_what_is_anothers_does_not_exist(
    wrong_people: dict[str, Browser], maria: CaseAssignment, failed: Message, name: str, method: str
) -> None:
    path = reverse(name, kwargs=OBJECTS[name](maria, failed))
    before = state_of(maria)
    for who, browser in wrong_people.items():
        response = getattr(browser, method)(path)
        if who == "the supervisor" and (name, method) in SUPERVISORS_CAN:
            assert response.status_code == 200
            continue
        assert response.status_code in (404, 405), who
        assert b"a secret of Maria" not in response.content, who
        assert maria.client.full_name.encode() not in response.content, who
    assert state_of(maria) == before


@pytest.mark.parametrize("name", OBJECTS)
def test_what_does_not_exist_looks_the_same_as_what_is_anothers(
    as_bob: Browser, maria: CaseAssignment, failed: Message, name: str
) -> None:
    arguments = OBJECTS[name](maria, failed)
    anothers = as_bob.post(reverse(name, kwargs=arguments))
    nobodys = as_bob.post(reverse(name, kwargs=with_id(arguments, 999_999_999)))
    assert (anothers.status_code, nobodys.status_code) in ((404, 404), (405, 405))
    assert len(anothers.content) == len(nobodys.content)


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("object_id", [0, 2**31, 2**63 - 1, 2**63, 10**30])
def test_an_id_that_no_table_can_hold_does_not_exist_either(
    as_alice: Browser, maria: CaseAssignment, failed: Message, name: str, object_id: int
) -> None:
    path = reverse(name, kwargs=with_id(OBJECTS[name](maria, failed), object_id))
    for method in ("get", "post"):
        assert getattr(as_alice, method)(path).status_code in (404, 405)


def state_of(assignment: CaseAssignment) -> list[Any]:
    """Everything that a wrong person could have changed."""
    assignment.refresh_from_db()
    messages = Message.objects.filter(client=assignment.client_id).order_by("pk")
    return [assignment.unread_count, list(messages.values_list("pk", "state", "read_at", "body"))]
