"""Where a text belongs: the active assignment, else the one ended by deletion, else unclaimed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber
from clients.routing import NotUsual, Place, Route
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EndReason = CaseAssignment.EndReason
STRANGER = "+18015550177"


def route(department: Department, address: str) -> Route:
    return routing.route_text(department=department, address=address, now=timezone.now())


def route_from(assignment: CaseAssignment) -> Route:
    """Where a text from this client's number goes."""
    return route(assignment.client.department, builders.number_of(assignment).address)


def ended(
    assignment: CaseAssignment, reason: CaseAssignment.EndReason, *, at: datetime | None = None
) -> CaseAssignment:
    routing.end(assignment, reason, at or timezone.now())
    return assignment


def worked_with(
    assignment: CaseAssignment, case_manager: User | None, reason: CaseAssignment.EndReason, *, hours_ago: int
) -> CaseAssignment:
    """An ended assignment of the same client to somebody else."""
    at = timezone.now() - timedelta(hours=hours_ago)
    return CaseAssignment.objects.create(
        client=assignment.client, case_manager=case_manager, ended_at=at, end_reason=reason
    )


def test_a_known_number_goes_to_the_active_assignment(alice: User) -> None:
    assignment = builders.make_client(alice)
    found = route_from(assignment)
    assert (found.client, found.assignment) == (assignment.client, assignment)
    assert not ConversationEvent.objects.exists()


def test_a_number_that_was_given_up_still_leads_to_its_client(alice: User) -> None:
    assignment = builders.make_client(alice)
    PhoneNumber.objects.create(
        department=assignment.client.department, client=assignment.client, address=STRANGER, is_current=False
    )
    found = route(assignment.client.department, STRANGER)
    assert (found.assignment, found.number.address) == (assignment, STRANGER)


@pytest.mark.parametrize("address", [STRANGER, "32665", "ACME", "whatsapp:+18015550177", "x" * 64])
def test_an_unknown_address_makes_an_unclaimed_client(address: str, department: Department) -> None:
    found = route(department, address)
    assert (found.client.department, found.client.full_name) == (department, "")
    assert (found.number.address, found.number.is_current) == (address, True)
    assert (found.assignment.case_manager, found.assignment.is_open) == (None, True)


def test_an_unclaimed_client_is_found_again(department: Department) -> None:
    assert route(department, STRANGER).assignment == route(department, STRANGER).assignment
    assert (Client.objects.count(), CaseAssignment.objects.count()) == (1, 1)


def test_nothing_crosses_to_another_department(alice: User, elsewhere: Department) -> None:
    assignment = builders.make_client(alice, address=STRANGER)
    found = route(elsewhere, STRANGER)
    assert found.client != assignment.client
    assert found.assignment.case_manager is None


def test_an_assignment_ended_by_deletion_is_restored_with_an_event(alice: User) -> None:
    assignment = builders.make_client(alice)
    CaseAssignment.objects.update(notes="likes mornings", started_at=builders.minutes_ago(9000))
    ended(assignment, EndReason.DELETED)
    found = route_from(assignment)
    assert (found.assignment.pk, found.assignment.is_open, found.assignment.end_reason) == (assignment.pk, True, "")
    assert found.assignment.notes == "likes mornings"
    assert found.assignment.started_at > builders.minutes_ago(1)
    event = ConversationEvent.objects.get()
    assert (event.kind, event.client, event.by) == ("restored", assignment.client, None)


@pytest.mark.parametrize("reason", [EndReason.TRANSFERRED, EndReason.MERGED, EndReason.CLAIMED, EndReason.LEFT])
def test_an_assignment_that_ended_otherwise_is_not_restored(reason: CaseAssignment.EndReason, alice: User) -> None:
    assignment = ended(builders.make_client(alice), reason)
    found = route_from(assignment)
    assert (found.client, found.assignment.case_manager) == (assignment.client, None)
    assignment.refresh_from_db()
    assert not assignment.is_open


def test_the_assignment_that_ended_last_decides(alice: User, bob: User) -> None:
    assignment = ended(builders.make_client(alice), EndReason.DELETED)
    worked_with(assignment, bob, EndReason.DELETED, hours_ago=2)
    assert route_from(assignment).assignment == assignment


def test_a_deletion_before_a_transfer_no_longer_counts(alice: User, bob: User) -> None:
    assignment = ended(builders.make_client(alice), EndReason.TRANSFERRED)
    worked_with(assignment, bob, EndReason.DELETED, hours_ago=2)
    assert route_from(assignment).assignment.case_manager is None


def test_a_disabled_case_managers_deleted_client_is_unclaimed(alice: User) -> None:
    assignment = ended(builders.make_client(alice), EndReason.DELETED)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert route_from(assignment).assignment.case_manager is None


def test_a_disabled_case_managers_active_client_becomes_unclaimed(alice: User) -> None:
    assignment = builders.make_client(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    found = route_from(assignment)
    assert (found.client, found.assignment.case_manager) == (assignment.client, None)
    assignment.refresh_from_db()
    assert (assignment.is_open, assignment.end_reason) == (False, "left")


def test_a_client_that_nobody_took_back_is_unclaimed_in_one_row(alice: User) -> None:
    assignment = ended(builders.make_client(alice), EndReason.TRANSFERRED)
    before = worked_with(assignment, None, EndReason.CLAIMED, hours_ago=3)
    found = route_from(assignment)
    assert (found.assignment.pk, found.assignment.is_open) == (before.pk, True)
    assert CaseAssignment.objects.filter(client=assignment.client).count() == 2


def test_an_ended_unclaimed_time_does_not_hide_a_later_deletion(alice: User) -> None:
    assignment = ended(builders.make_client(alice), EndReason.DELETED, at=builders.minutes_ago(60))
    worked_with(assignment, None, EndReason.CLAIMED, hours_ago=0)
    assert route_from(assignment).assignment == assignment


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_first_texts_that_come_at_once_make_one_client(department: Department) -> None:
    def first_text() -> Route:
        with transaction.atomic():
            return route(department, STRANGER)

    routes = at_once(first_text, times=8)
    assert len({(found.client.pk, found.assignment.pk) for found in routes}) == 1
    assert (Client.objects.count(), PhoneNumber.objects.count(), CaseAssignment.objects.count()) == (1, 1, 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_number_that_moves_to_another_client_meanwhile_is_followed(alice: User) -> None:
    """As in a merge: the text waits for the lock of the one client, and goes to the other."""
    old, survivor = builders.make_client(alice, address=STRANGER), builders.make_client(alice)

    def text() -> Route:
        with transaction.atomic():
            return route_from_stranger(old.client.department)

    def route_from_stranger(department: Department) -> Route:
        return route(department, STRANGER)

    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(old.client_id)
            routing.lock_client(survivor.client_id)
            text_under_way = start(text)
            wait_for_locks(1)
            PhoneNumber.objects.filter(address=STRANGER).update(client=survivor.client, is_current=False)
        found = text_under_way.result()
    assert (found.client, found.assignment) == (survivor.client, survivor)


# --- The short way of the usual text ---------------------------------------------------------------------------------


def usual(department: Department, address: str) -> Place | None:
    """What the short way says, None for "ask the whole rule"."""
    try:
        return routing.usual_place(our_number=department.phone_number, address=address)
    except NotUsual:
        return None


@pytest.mark.parametrize("is_current", [True, False])
def test_a_known_number_of_a_client_on_a_list_is_the_usual_case(is_current: bool, alice: User) -> None:
    assignment = builders.make_client(alice, address=STRANGER)
    PhoneNumber.objects.update(is_current=is_current)
    place = usual(assignment.client.department, STRANGER)
    assert place == route(assignment.client.department, STRANGER).place
    assert place == Place(
        assignment.client.department_id, assignment.client_id, PhoneNumber.objects.get().pk, assignment.pk
    )


def test_the_usual_case_takes_two_statements(alice: User, django_assert_num_queries: Any) -> None:
    assignment = builders.make_client(alice, address=STRANGER)
    with django_assert_num_queries(2):
        assert usual(assignment.client.department, STRANGER)


SITUATIONS = st.fixed_dictionaries(
    {
        "is_known": st.booleans(),
        "has_case_manager": st.booleans(),
        "may_sign_in": st.booleans(),
        "ended": st.none() | st.sampled_from(list(EndReason)),
        "taken_over": st.booleans(),
        "is_elsewhere": st.booleans(),
    }
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SITUATIONS)
def test_the_short_way_never_says_anything_but_what_the_whole_rule_says(
    alice: User, bob: User, elsewhere: Department, situation: dict[str, Any]
) -> None:
    with transaction.atomic():
        department = _made(alice, bob, elsewhere, **situation)
        short, events = usual(department, STRANGER), ConversationEvent.objects.count()
        assignments = list(CaseAssignment.objects.order_by("pk").values())
        whole = route(department, STRANGER)
        assert short in (None, whole.place)
        if short is not None:  # then the whole rule changes nothing either
            assert ConversationEvent.objects.count() == events
            assert list(CaseAssignment.objects.order_by("pk").values()) == assignments
        transaction.set_rollback(True)


def _made(
    alice: User,
    bob: User,
    elsewhere: Department,
    *,
    is_known: bool,
    has_case_manager: bool,
    may_sign_in: bool,
    ended: EndReason | None,
    taken_over: bool,
    is_elsewhere: bool,
) -> Department:
    """The situation in which a text comes, to the department that is returned."""
    assert alice.department is not None
    User.objects.filter(pk=alice.pk).update(is_active=may_sign_in)
    case_manager = alice if has_case_manager else None
    assignment = builders.make_client(
        case_manager, department=alice.department, address=STRANGER if is_known else "32665"
    )
    if ended:
        routing.end(assignment, ended, builders.minutes_ago(60))
    if ended and taken_over:
        CaseAssignment.objects.create(client=assignment.client, case_manager=bob)
    return elsewhere if is_elsewhere else alice.department


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["moved", "ended", "transferred", "disabled"])
def test_what_changes_while_the_short_way_waits_is_left_to_the_whole_rule(change: str, alice: User, bob: User) -> None:
    """It waits for the client's lock with a look at the world from before."""
    old, survivor = builders.make_client(alice, address=STRANGER), builders.make_client(bob)

    def text() -> Place | None:
        with transaction.atomic():
            return usual(old.client.department, STRANGER)

    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(old.client_id)
            text_under_way = start(text)
            wait_for_locks(1)
            match change:
                case "moved":
                    PhoneNumber.objects.filter(address=STRANGER).update(client=survivor.client, is_current=False)
                case "ended":
                    routing.end(old, EndReason.DELETED, timezone.now())
                case "transferred":
                    routing.end(old, EndReason.TRANSFERRED, timezone.now())
                    CaseAssignment.objects.create(client=old.client, case_manager=bob)
                case "disabled":
                    User.objects.filter(pk=alice.pk).update(is_active=False)
        assert text_under_way.result() is None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_short_way_locks_client_and_assignment(alice: User) -> None:
    assignment = builders.make_client(alice, address=STRANGER)
    for rows in (Client.objects.filter(pk=assignment.client_id), CaseAssignment.objects.filter(pk=assignment.pk)):
        with transaction.atomic():
            assert usual(assignment.client.department, STRANGER)
            (free,) = at_once(lambda rows=rows: _free(rows), times=1)  # type: ignore[misc]
            assert free == 0


def _free(rows: QuerySet[Any]) -> int:
    with transaction.atomic():
        return len(rows.order_by().select_for_update(skip_locked=True, no_key=True))
