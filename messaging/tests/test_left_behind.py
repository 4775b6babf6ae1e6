"""Texts for a disabled case manager's clients: nothing that needs a person stays where nobody looks."""

import pytest
from django.utils import timezone

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment
from messaging.actions.receiving import receive_text
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    """Alice's client; Alice's account was closed at the same moment as the client was added."""
    maria = builders.make_client(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    return maria


def text_from(maria: CaseAssignment) -> CaseAssignment:
    """Where the text went."""
    message = receive_text(text=builders.inbound_text(maria, "new"), now=timezone.now())
    maria.refresh_from_db()
    return CaseAssignment.objects.get(pk=message.assignment_id)


def bodies(assignment: CaseAssignment) -> set[str]:
    return set(Message.objects.filter(assignment=assignment).values_list("body", flat=True))


def test_what_is_unread_moves_to_the_unclaimed_with_the_new_text(maria: CaseAssignment) -> None:
    read = builders.make_incoming(maria, "read")
    Message.objects.filter(pk=read.pk).update(read_at=timezone.now())
    builders.make_outgoing(maria, "sent", state=State.DELIVERED)
    builders.make_incoming(maria, "unread")
    place = text_from(maria)
    assert (place.case_manager, place.is_open, maria.end_reason) == (None, True, "left")
    assert (bodies(place), bodies(maria)) == ({"unread", "new"}, {"read", "sent"})
    assert (place.unread_count, maria.unread_count) == (2, 0)


def test_what_waits_moves_and_is_held_for_whoever_claims(maria: CaseAssignment) -> None:
    waiting = builders.make_scheduled(maria)
    builders.make_outgoing(maria, "held before", state=State.HELD, hold_reason="too_late")
    place = text_from(maria)
    waiting.refresh_from_db()
    assert (waiting.assignment, waiting.state, waiting.hold_reason) == (place, "held", "no_case_manager")
    assert (place.held_count, place.scheduled_count, maria.held_count, maria.scheduled_count) == (2, 0, 0, 0)


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.UNCONFIRMED])
def test_what_nobody_knows_the_outcome_of_moves(maria: CaseAssignment, state: Message.State) -> None:
    text = builders.make_outgoing(maria, state=state)
    place = text_from(maria)
    text.refresh_from_db()
    assert (text.assignment, text.state) == (place, state)


def test_it_moves_also_where_the_client_goes_back_to_an_earlier_case_manager(maria: CaseAssignment, bob: User) -> None:
    of_bob = CaseAssignment.objects.create(
        client=maria.client, case_manager=bob, ended_at=builders.minutes_ago(900), end_reason="deleted"
    )
    builders.make_incoming(maria, "unread")
    assert text_from(maria) == of_bob
    assert bodies(of_bob) == {"unread", "new"}


def test_what_was_left_before_moves_with_the_next_text(maria: CaseAssignment) -> None:
    builders.make_incoming(maria, "unread")
    routing.end(maria, CaseAssignment.EndReason.LEFT, builders.minutes_ago(90))
    assert bodies(text_from(maria)) == {"unread", "new"}
    assert bodies(text_from(maria)) == {"unread", "new"}
