"""Taking a due text: the right one, by one taker, in each client's order, and past the gate."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, PhoneNumber
from messaging import claims, states
from messaging.actions.receiving import receive_text
from messaging.claims import Claim, Held, PutOff
from messaging.due import NotYet
from messaging.failures import HoldReason
from messaging.models import Message
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


@pytest.fixture(autouse=True)
def at_any_hour(department: Department) -> None:
    """Some of these texts are late, and what is late waits for the texting hours."""
    Department.objects.update(opens_at=time.min, closes_at=time.max)


def claim() -> Claim | Held | PutOff | NotYet | None:
    return claims.claim_next(timezone.now())


def claimed_ids() -> list[int]:
    """All that can be claimed one after the other while nothing comes back."""
    ids = []
    while taken := claim():
        if isinstance(taken, NotYet):
            break
        ids.append(taken.message_id)
    return ids


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def test_a_due_text_is_taken_with_both_numbers(client_of_alice: CaseAssignment, department: Department) -> None:
    message = builders.make_outgoing(client_of_alice, "Hello")
    now = timezone.now()
    taken = claims.claim_next(now)
    assert isinstance(taken, Claim)
    assert (taken.message_id, taken.client_id, taken.claimed_at) == (message.pk, client_of_alice.client_id, now)
    assert (taken.text.public_id, taken.text.body) == (message.public_id, "Hello")
    assert (taken.text.from_number, taken.text.to_number) == (
        department.phone_number,
        builders.number_of(client_of_alice).address,
    )
    message.refresh_from_db()
    assert (message.state, message.claimed_at, message.state_at, message.attempts) == ("sending", now, now, 1)
    assert (message.our_number, message.their_number) == (taken.text.from_number, taken.text.to_number)


def test_nothing_due_means_nothing_to_take(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, due_at=timezone.now() + timedelta(minutes=1))
    builders.make_outgoing(client_of_alice, try_at=timezone.now() + timedelta(minutes=1))
    builders.make_incoming(client_of_alice)
    assert claim() is None


@pytest.mark.parametrize("state", [state for state in State if state not in (State.WAITING, State.RECEIVED)])
def test_only_what_waits_is_taken(state: Message.State, client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, state=state, hold_reason="too_late" if state is State.HELD else "")
    assert claim() is None


def test_a_back_off_that_is_over_holds_nothing_back(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice, try_at=builders.minutes_ago(0.01))
    assert claimed_ids() == [message.pk]


def test_single_texts_go_before_mass_texts_and_then_the_longest_due(alice: User) -> None:
    Department.objects.update(segments_per_second=None)

    def waiting(minutes: float, priority: Message.Priority) -> int:
        assignment = builders.make_client(alice)
        return builders.make_outgoing(assignment, at=builders.minutes_ago(minutes), priority=priority).pk

    mass, newer, older = (
        waiting(9, Message.Priority.MASS),
        waiting(1, Message.Priority.SINGLE),
        waiting(5, Message.Priority.SINGLE),
    )
    same_time = builders.minutes_ago(3)
    first, second = (builders.make_outgoing(builders.make_client(alice), at=same_time).pk for _ in range(2))
    assert claimed_ids() == [older, first, second, newer, mass]


def test_texts_to_one_client_go_one_by_one_in_order(client_of_alice: CaseAssignment) -> None:
    ids = [builders.make_outgoing(client_of_alice, at=builders.minutes_ago(minutes)).pk for minutes in (2, 3, 1)]
    expected = [ids[1], ids[0], ids[2]]
    for pk in expected:
        assert claimed_ids() == [pk]
        Message.objects.filter(pk=pk).update(state=State.ACCEPTED)
    assert claim() is None


def test_texts_of_the_same_moment_keep_the_order_of_their_rows(client_of_alice: CaseAssignment) -> None:
    at = builders.minutes_ago(1)
    first, second = (builders.make_outgoing(client_of_alice, at=at).pk for _ in range(2))
    assert claimed_ids() == [first]
    Message.objects.filter(pk=first).update(state=State.SENT)
    assert claimed_ids() == [second]


BLOCKING: dict[str, dict[str, Any]] = {
    "waits for its back-off": {"try_at": timezone.now() + timedelta(days=1)},
    "is being handed over": {"state": State.SENDING},
}
NOT_BLOCKING: dict[str, dict[str, Any]] = {
    "is unclear": {"state": State.UNKNOWN},
    "is held": {"state": State.HELD, "hold_reason": HoldReason.TOO_LATE},
    "is cancelled": {"state": State.CANCELLED},
    "is at the carrier": {"state": State.ACCEPTED},
    "failed": {"state": State.FAILED},
    "is due later": {"due_at": timezone.now() + timedelta(days=1)},
}


@pytest.mark.parametrize("how", BLOCKING)
def test_a_text_waits_while_an_earlier_one_to_the_client(how: str, client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, at=builders.minutes_ago(2), **BLOCKING[how])
    builders.make_outgoing(client_of_alice)
    assert claim() is None


@pytest.mark.parametrize("how", NOT_BLOCKING)
def test_a_text_does_not_wait_when_an_earlier_one_to_the_client(how: str, client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, at=builders.minutes_ago(2), **NOT_BLOCKING[how])
    message = builders.make_outgoing(client_of_alice)
    assert claimed_ids() == [message.pk]


def test_one_clients_text_does_not_wait_for_anothers(alice: User, bob: User) -> None:
    builders.make_outgoing(builders.make_client(alice), state=State.SENDING, at=builders.minutes_ago(2))
    message = builders.make_outgoing(builders.make_client(bob))
    assert claimed_ids() == [message.pk]


def test_a_single_text_does_not_wait_for_a_mass_text_to_the_client_that_waits_for_its_turn(
    client_of_alice: CaseAssignment,
) -> None:
    Department.objects.update(segments_per_second=None)
    mass = builders.make_outgoing(client_of_alice, at=builders.minutes_ago(2), priority=Message.Priority.MASS)
    single = builders.make_outgoing(client_of_alice)
    assert claimed_ids() == [single.pk]
    Message.objects.filter(pk=single.pk).update(state=State.ACCEPTED)
    assert claimed_ids() == [mass.pk]


def test_a_mass_text_waits_for_an_earlier_single_text_to_the_client(client_of_alice: CaseAssignment) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    builders.make_outgoing(client_of_alice, at=builders.minutes_ago(2), try_at=tomorrow)
    builders.make_outgoing(client_of_alice, priority=Message.Priority.MASS)
    assert claimed_ids() == []


def test_two_texts_found_at_once_are_not_both_on_their_way_to_one_client(client_of_alice: CaseAssignment) -> None:
    """Another loop took its mass text after ours had found its single one."""
    builders.make_outgoing(client_of_alice, state=State.SENDING, priority=Message.Priority.MASS)
    single = builders.make_outgoing(client_of_alice)
    assert not states.begin_sending(single, our_number="+18015550100", their_number="+13855550142", now=timezone.now())
    single.refresh_from_db()
    assert single.state == "waiting"


def end_assignment(assignment: CaseAssignment) -> None:
    routing.end(assignment, CaseAssignment.EndReason.TRANSFERRED, timezone.now())


def change_number(**fields: Any) -> Callable[[CaseAssignment], Any]:
    return lambda assignment: PhoneNumber.objects.filter(client=assignment.client).update(**fields)


REASONS: dict[HoldReason, Callable[[CaseAssignment], Any]] = {
    HoldReason.OPTED_OUT: change_number(opted_out_at=timezone.now(), opted_out_source="keyword"),
    HoldReason.WRONG_NUMBER: change_number(wrong_at=timezone.now()),
    HoldReason.NOT_TEXTABLE: change_number(address="32665"),
    HoldReason.NO_CLIENT: end_assignment,
    HoldReason.NO_CASE_MANAGER: lambda assignment: User.objects.update(is_active=False),
    HoldReason.TOO_LATE: lambda assignment: Message.objects.update(due_at=builders.minutes_ago(60.1)),
}


def test_every_reason_to_hold_is_tried() -> None:
    assert set(REASONS) == set(HoldReason)


@pytest.mark.parametrize("reason", REASONS)
def test_the_gate_holds_a_text_with_its_reason(reason: HoldReason, client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    REASONS[reason](client_of_alice)
    assert claim() == Held(message.pk)
    message.refresh_from_db()
    assert (message.state, message.hold_reason, message.claimed_at, message.attempts) == ("held", reason, None, 0)
    assert claim() is None


def test_what_comes_up_again_after_its_client_was_deleted_is_cancelled(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    routing.end(client_of_alice, CaseAssignment.EndReason.DELETED, timezone.now())
    assert claim() == Held(message.pk)
    message.refresh_from_db()
    assert (message.state, message.hold_reason) == ("cancelled", "")


def test_a_number_that_was_given_up_is_not_texted(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice)
    PhoneNumber.objects.update(is_current=False)
    assert isinstance(claim(), Held)
    assert Message.objects.get().hold_reason == "no_client"


def test_a_text_within_the_late_limit_of_its_department_goes_out(client_of_alice: CaseAssignment) -> None:
    Department.objects.update(late_limit_minutes=120)
    message = builders.make_outgoing(client_of_alice, at=builders.minutes_ago(119))
    assert claimed_ids() == [message.pk]


def test_a_held_text_lets_the_next_one_pass(client_of_alice: CaseAssignment) -> None:
    late = builders.make_outgoing(client_of_alice, at=builders.minutes_ago(120))
    message = builders.make_outgoing(client_of_alice)
    assert claimed_ids() == [late.pk, message.pk]


def test_a_text_goes_to_the_number_of_the_moment_it_is_taken(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice)
    PhoneNumber.objects.update(address="+18015550188")
    taken = claim()
    assert isinstance(taken, Claim)
    assert taken.text.to_number == "+18015550188"


@pytest.mark.django_db(transaction=True)
def test_no_two_takers_get_one_text(alice: User) -> None:
    expected = {builders.make_outgoing(builders.make_client(alice)).pk for _ in range(12)}
    taken = [pk for ids in at_once(claimed_ids, times=6) for pk in ids]
    assert sorted(taken) == sorted(expected)


@pytest.mark.django_db(transaction=True)
def test_takers_at_once_get_one_of_a_clients_texts(alice: User) -> None:
    assignment = builders.make_client(alice)
    first, *_ = (builders.make_outgoing(assignment, at=builders.minutes_ago(10 - n)).pk for n in range(5))
    taken = at_once(claim, times=6)
    assert [found.message_id for found in taken if isinstance(found, Claim)] == [first]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_that_somebody_has_locked_is_passed_over(alice: User) -> None:
    locked, free = (builders.make_outgoing(builders.make_client(alice), at=builders.minutes_ago(n)) for n in (2, 1))
    with in_background() as start, transaction.atomic():
        Message.objects.select_for_update().get(pk=locked.pk)
        assert start(claimed_ids).result() == [free.pk]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_stop_that_comes_during_a_claim_comes_after_it(alice: User) -> None:
    """The claim has locked the text and waits for the number; the STOP waits for the text."""
    assignment = builders.make_client(alice)
    message = builders.make_outgoing(assignment)
    stop = builders.inbound_text(assignment, "STOP")
    with in_background() as start:
        with transaction.atomic():
            PhoneNumber.objects.select_for_update().get(client=assignment.client)
            claiming = start(claim)
            wait_for_locks(1)
            stopping = start(lambda: receive_text(text=stop, now=timezone.now()))
            wait_for_locks(2)
        assert isinstance(claiming.result(), Claim)
        stopping.result()
    message.refresh_from_db()
    assert (message.state, builders.number_of(assignment).is_opted_out) == ("sending", True)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_claim_that_comes_during_a_stop_gets_nothing(alice: User) -> None:
    """The STOP has locked the text and waits for the number; the claim doesn't wait, and later finds the text held."""
    assignment = builders.make_client(alice)
    message = builders.make_outgoing(assignment)
    stop = builders.inbound_text(assignment, "STOP")
    with in_background() as start:
        with transaction.atomic():
            PhoneNumber.objects.select_for_update().get(client=assignment.client)
            stopping = start(lambda: receive_text(text=stop, now=timezone.now()))
            wait_for_locks(1)
            assert start(claim).result() is None
        stopping.result()
    assert claim() is None
    message.refresh_from_db()
    assert (message.state, message.hold_reason) == ("held", "opted_out")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_number_marked_wrong_during_a_claim_is_seen_by_it(alice: User) -> None:
    assignment = builders.make_client(alice)
    message = builders.make_outgoing(assignment)
    with in_background() as start:
        with transaction.atomic():
            PhoneNumber.objects.filter(client=assignment.client).update(wrong_at=timezone.now())
            claiming = start(claim)
            wait_for_locks(1)
        assert claiming.result() == Held(message.pk)
