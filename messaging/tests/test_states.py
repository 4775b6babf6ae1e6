"""States move forward only, each by one conditional UPDATE."""

import itertools

import pytest
from django.utils import timezone

from accounts.models import User
from messaging import states
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
RANKED = [State.ACCEPTED, State.SENT, State.FAILED, State.UNDELIVERED, State.DELIVERED]
BEFORE = [State.WAITING, State.HELD, State.CANCELLED, State.SENDING, State.UNKNOWN, State.UNCONFIRMED]
WHY = {"failure_reason": "unexplained", "error_code": 30008}


def message_in(state: Message.State, user: User) -> Message:
    return builders.make_outgoing(
        builders.make_client(user),
        state=state,
        hold_reason="too_late" if state is State.HELD else "",
        our_number="+18015550100",
        their_number="+18015550177",
    )


def test_a_move_from_a_named_state_happens_and_says_since_when(alice: User) -> None:
    message, now = message_in(State.SENDING, alice), timezone.now()
    assert states.move(message.pk, to=State.UNKNOWN, from_states=frozenset({State.SENDING}), now=now)
    message.refresh_from_db()
    assert (message.state, message.state_at) == ("unknown", now)


def test_a_move_from_any_other_state_changes_nothing(alice: User) -> None:
    message = message_in(State.DELIVERED, alice)
    moved = states.move(message.pk, to=State.UNKNOWN, from_states=frozenset({State.SENDING}), now=timezone.now())
    since = message.state_at
    message.refresh_from_db()
    assert (moved, message.state, message.state_at) == (False, "delivered", since)


@pytest.mark.parametrize(("before", "word"), list(itertools.product(BEFORE, RANKED)))
def test_the_carriers_word_counts_whatever_we_thought_before(
    before: Message.State, word: Message.State, alice: User
) -> None:
    message = message_in(before, alice)
    assert states.advance(message.pk, to=word, now=timezone.now(), **WHY)
    message.refresh_from_db()
    assert (message.state, message.hold_reason) == (word, "")


@pytest.mark.parametrize(("known", "word"), list(itertools.product(RANKED, RANKED)))
def test_only_a_higher_word_of_the_carrier_counts(known: Message.State, word: Message.State, alice: User) -> None:
    message = message_in(known, alice)
    is_higher = RANKED.index(word) > RANKED.index(known)
    assert states.advance(message.pk, to=word, now=timezone.now(), **WHY) is is_higher
    message.refresh_from_db()
    assert message.state == (word if is_higher else known)


def test_an_incoming_text_stays_received(alice: User) -> None:
    message = builders.make_incoming(builders.make_client(alice))
    for word in RANKED:
        assert not states.advance(message.pk, to=word, now=timezone.now())
    message.refresh_from_db()
    assert message.state == "received"


def test_the_carriers_id_is_written_by_whoever_learns_it_first(alice: User) -> None:
    message = message_in(State.SENDING, alice)
    assert states.learn_carrier_id(message.pk, "SM1")
    assert states.learn_carrier_id(message.pk, "SM1")
    assert not states.learn_carrier_id(message.pk, "SM2")
    message.refresh_from_db()
    assert (message.carrier_id, message.state) == ("SM1", "sending")
