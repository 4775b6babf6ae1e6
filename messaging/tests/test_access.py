"""Whose conversation is it: the case manager's; a supervisor may look; for everybody else there is none."""

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging import access
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def person(name: str, request: pytest.FixtureRequest) -> User:
    user = request.getfixturevalue(name)
    assert isinstance(user, User)
    return user


def test_a_case_manager_has_the_conversation(client_of_alice: CaseAssignment, alice: User) -> None:
    shown = access.conversation_for(alice, client_of_alice.client_id)
    assert (shown.client, shown.assignment, shown.is_own) == (client_of_alice.client, client_of_alice, True)
    assert shown.number == builders.number_of(client_of_alice)
    assert access.own_conversation_for(alice, client_of_alice.client_id) == shown


@pytest.mark.parametrize("role", [User.Role.SUPERVISOR, User.Role.ADMINISTRATOR])
def test_a_supervisor_of_the_department_may_look_only(role: User.Role, client_of_alice: CaseAssignment) -> None:
    looker = builders.make_user(client_of_alice.client.department, "Sue Stone", role=role)
    assert not access.conversation_for(looker, client_of_alice.client_id).is_own
    with pytest.raises(Http404):
        access.own_conversation_for(looker, client_of_alice.client_id)


def test_a_supervisors_own_client_is_own(supervisor: User) -> None:
    own = builders.make_client(supervisor)
    assert access.own_conversation_for(supervisor, own.client_id).is_own


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_for_anybody_else_there_is_none(
    who: str, client_of_alice: CaseAssignment, request: pytest.FixtureRequest
) -> None:
    for find in (access.conversation_for, access.own_conversation_for):
        with pytest.raises(Http404):
            find(person(who, request), client_of_alice.client_id)


def test_a_supervisor_of_another_department_sees_nothing(client_of_alice: CaseAssignment, elsewhere: object) -> None:
    stranger = builders.make_user(builders.make_department(), "Sam Stone", role=User.Role.SUPERVISOR)
    with pytest.raises(Http404):
        access.conversation_for(stranger, client_of_alice.client_id)


def test_an_operator_without_a_department_sees_nothing(client_of_alice: CaseAssignment) -> None:
    operator = User.objects.create_superuser("operator@clientcomm.test", "a password", full_name="Olga")
    with pytest.raises(Http404):
        access.conversation_for(operator, client_of_alice.client_id)


@pytest.mark.parametrize("who", ["alice", "supervisor"])
def test_an_ended_assignment_is_for_reading_only(
    who: str, client_of_alice: CaseAssignment, request: pytest.FixtureRequest
) -> None:
    routing.end(client_of_alice, CaseAssignment.EndReason.DELETED, timezone.now())
    shown = access.conversation_for(person(who, request), client_of_alice.client_id)
    assert (shown.is_former, shown.is_own, shown.can_answer) == (True, False, False)
    with pytest.raises(Http404):
        access.answerable_conversation_for(person(who, request), client_of_alice.client_id)


@pytest.mark.parametrize(
    ("who", "may_answer"), [("alice", True), ("bob", True), ("supervisor", True), ("charlie", None)]
)
def test_an_unclaimed_client_is_everybodys_in_the_department(
    who: str, may_answer: bool | None, alice: User, request: pytest.FixtureRequest
) -> None:
    client = builders.make_client(None, department=alice.department).client
    if may_answer is None:
        with pytest.raises(Http404):
            access.conversation_for(person(who, request), client.pk)
    else:
        shown = access.conversation_for(person(who, request), client.pk)
        assert (shown.is_unclaimed, shown.can_answer, shown.is_own) == (True, True, False)


def test_a_merged_client_leads_to_the_survivor_in_the_department_alone(
    alice: User, charlie: User, client_of_alice: CaseAssignment
) -> None:
    merged = Client.objects.create(department=client_of_alice.client.department, merged_into=client_of_alice.client)
    assert access.survivor_of(alice, merged.pk) == client_of_alice.client_id
    assert access.survivor_of(charlie, merged.pk) is None
    assert access.survivor_of(alice, 10**40) is None


@pytest.mark.parametrize("client_id", [0, 2**31, 2**63 - 1, 2**63, 10**40])
def test_an_id_of_nobody_is_not_found(client_id: int, alice: User, supervisor: User) -> None:
    for user in (alice, supervisor):
        with pytest.raises(Http404):
            access.conversation_for(user, client_id)


def test_a_client_without_a_number_is_still_seen(client_of_alice: CaseAssignment, alice: User) -> None:
    PhoneNumber.objects.update(is_current=False)
    assert access.conversation_for(alice, client_of_alice.client_id).number is None
