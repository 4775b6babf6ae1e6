"""The loop hands over until nothing is due, each text once; it stops when asked; what a dead process left is named."""

import threading
from collections.abc import Iterator
from datetime import time, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from time_machine import travel

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import delivery
from messaging.actions.receiving import receive_text
from messaging.delivery import Claim
from messaging.models import Message
from messaging.sms import NotTaken, OutboundText, SmsBackend, Unclear
from messaging.tests.carriers import Carrier
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


@pytest.fixture(autouse=True)
def at_any_hour(department: Department) -> None:
    """Some of these texts are late, and what is late waits for the texting hours."""
    Department.objects.update(opens_at=time.min, closes_at=time.max)


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def after_draining() -> Iterator[None]:
    """Takes back what the end of a process sets for good."""
    yield
    delivery._draining.clear()


def states_of(*messages: Message) -> list[str]:
    return [Message.objects.get(pk=message.pk).state for message in messages]


def test_it_hands_over_until_nothing_is_due(alice: User) -> None:
    one, other = builders.make_client(alice), builders.make_client(alice)
    messages = [
        builders.make_outgoing(one, "first", at=builders.minutes_ago(3)),
        builders.make_outgoing(other, "second", at=builders.minutes_ago(2)),
        builders.make_outgoing(one, "third", at=builders.minutes_ago(1)),
    ]
    carrier = Carrier()
    assert delivery.deliver_due(carrier) == 3
    assert carrier.bodies == ["first", "second", "third"]
    assert states_of(*messages) == ["accepted"] * 3
    assert delivery.deliver_due(carrier) == 0


def test_it_is_committed_as_sending_before_the_call(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    seen: list[str] = []
    carrier = Carrier(during_call=lambda text: seen.extend(states_of(message)))
    delivery.deliver_due(carrier)
    assert seen == ["sending"]


def test_a_carrier_side_that_cant_be_made_claims_nothing(
    client_of_alice: CaseAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = builders.make_outgoing(client_of_alice)

    def cannot_be_made() -> SmsBackend:
        raise ImproperlyConfigured("no token")

    monkeypatch.setattr(delivery, "get_backend", cannot_be_made)
    with pytest.raises(ImproperlyConfigured):
        delivery.deliver_due()
    assert states_of(message) == ["waiting"]


def test_held_texts_are_not_counted_and_do_not_stop_it(alice: User) -> None:
    late = builders.make_outgoing(builders.make_client(alice), at=builders.minutes_ago(90))
    message = builders.make_outgoing(builders.make_client(alice))
    carrier = Carrier()
    assert delivery.deliver_due(carrier) == 1
    assert states_of(late, message) == ["held", "accepted"]


def test_a_text_that_was_not_taken_holds_back_the_next_ones_to_the_client(client_of_alice: CaseAssignment) -> None:
    first = builders.make_outgoing(client_of_alice, "first", at=builders.minutes_ago(2))
    second = builders.make_outgoing(client_of_alice, "second", at=builders.minutes_ago(1))
    carrier = Carrier(NotTaken())
    assert delivery.deliver_due(carrier) == 1
    assert states_of(first, second) == ["waiting", "waiting"]
    with travel(timezone.now() + timedelta(seconds=10), tick=False):
        delivery.deliver_due(carrier)
    assert carrier.bodies == ["first", "first", "second"]


def test_an_unclear_text_is_never_offered_again(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, "first", at=builders.minutes_ago(2))
    builders.make_outgoing(client_of_alice, "second", at=builders.minutes_ago(1))
    carrier = Carrier(Unclear())
    delivery.deliver_due(carrier)
    with travel(timezone.now() + timedelta(minutes=30), tick=False):
        delivery.deliver_due(carrier)
    assert carrier.bodies == ["first", "second"]


def test_draining_lets_it_finish_the_text_in_hand_and_take_no_other(alice: User, after_draining: None) -> None:
    messages = [
        builders.make_outgoing(builders.make_client(alice), at=builders.minutes_ago(minutes)) for minutes in (2, 1)
    ]
    carrier = Carrier(during_call=lambda text: delivery.drain())
    assert delivery.deliver_due(carrier) == 1
    assert states_of(*messages) == ["accepted", "waiting"]
    assert delivery.deliver_due(carrier) == 0


def test_a_stop_between_claim_and_call_is_too_late_for_that_text(client_of_alice: CaseAssignment) -> None:
    """It was claimed first; whatever is due behind it is held."""
    first = builders.make_outgoing(client_of_alice, "first", at=builders.minutes_ago(2))
    second = builders.make_outgoing(client_of_alice, "second", at=builders.minutes_ago(1))

    def stop(text: OutboundText) -> None:
        receive_text(text=builders.inbound_text(client_of_alice, "STOP"), now=timezone.now())

    carrier = Carrier(during_call=stop)
    delivery.deliver_due(carrier)
    assert carrier.bodies == ["first"]
    assert states_of(first, second) == ["accepted", "held"]


def test_what_a_dead_process_left_is_named_unknown_after_a_minute(client_of_alice: CaseAssignment) -> None:
    now = timezone.now()
    stuck = builders.make_outgoing(client_of_alice, state=State.SENDING, at=now - timedelta(seconds=61))
    under_way = builders.make_outgoing(client_of_alice, state=State.SENDING, at=now - timedelta(seconds=59))
    waiting = builders.make_outgoing(client_of_alice, at=now - timedelta(hours=2))
    assert delivery.sweep_unclear(now=now) == 1
    assert states_of(stuck, under_way, waiting) == ["unknown", "sending", "waiting"]
    assert delivery.sweep_unclear(now=now) == 0


def test_the_sweep_says_since_when(client_of_alice: CaseAssignment) -> None:
    now = timezone.now()
    stuck = builders.make_outgoing(client_of_alice, state=State.SENDING, at=now - timedelta(minutes=5))
    delivery.sweep_unclear(now=now)
    stuck.refresh_from_db()
    assert stuck.state_at == now


@pytest.mark.django_db(transaction=True)
def test_loops_at_once_hand_over_each_text_once_and_in_each_clients_order(alice: User) -> None:
    clients = [builders.make_client(alice) for _ in range(4)]
    for number in range(3):
        for index, assignment in enumerate(clients):
            builders.make_outgoing(assignment, f"{index} {number}", at=builders.minutes_ago(10 - number))
    carrier = Carrier()

    def loop() -> None:
        while Message.objects.filter(state=State.WAITING).exists():
            delivery.deliver_due(carrier)

    at_once(loop, times=4)
    for index in range(4):
        handed_over = [body for body in carrier.bodies if body.startswith(f"{index} ")]
        assert handed_over == [f"{index} {number}" for number in range(3)]


@pytest.mark.django_db(transaction=True)
def test_a_slow_call_keeps_nobody_elses_text_waiting(alice: User) -> None:
    """Nothing is locked during the call: another loop hands over meanwhile, and the client's answer is stored."""
    slow = builders.make_client(alice)
    builders.make_outgoing(slow, "slow", at=builders.minutes_ago(2))
    builders.make_outgoing(builders.make_client(alice), "quick", at=builders.minutes_ago(1))
    done = threading.Event()

    def during_call(text: OutboundText) -> None:
        if text.body == "slow":
            done.wait(5)
        else:
            receive_text(text=builders.inbound_text(slow, "an answer"), now=timezone.now())
            done.set()

    carrier = Carrier(during_call=during_call)
    assert sum(at_once(lambda: delivery.deliver_due(carrier), times=2)) == 2
    assert done.is_set()
    assert Message.objects.filter(body="an answer").exists()


def test_a_claim_that_got_old_is_put_back_without_a_call(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    claimed_at = timezone.now()
    claim = delivery.claim_next(claimed_at)
    assert isinstance(claim, Claim)
    carrier = Carrier()
    with travel(claimed_at + timedelta(seconds=5.1), tick=False):
        delivery.hand_over(claim, carrier)
    message.refresh_from_db()
    assert (carrier.taken, message.state, message.claimed_at) == ([], "waiting", None)
    assert message.try_at is not None


def test_a_claim_of_five_seconds_is_still_good(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice)
    claimed_at = timezone.now()
    claim = delivery.claim_next(claimed_at)
    assert isinstance(claim, Claim)
    carrier = Carrier()
    with travel(claimed_at + timedelta(seconds=5), tick=False):
        delivery.hand_over(claim, carrier)
    assert carrier.taken == [claim.text]
