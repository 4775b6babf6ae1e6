"""What the lists show of a conversation follows from its messages alone, in whatever order they were written."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from clients.models import CaseAssignment
from messaging import delivery, states, summaries
from messaging.actions.receiving import receive_text
from messaging.models import Message
from tests import builders
from tests.threads import in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def recomputed(assignment: CaseAssignment, *, now: datetime | None = None) -> CaseAssignment:
    summaries.recompute(assignment.pk, now=now or timezone.now())
    assignment.refresh_from_db()
    return assignment


def test_an_empty_conversation_has_nothing_to_show(client_of_alice: CaseAssignment) -> None:
    CaseAssignment.objects.update(unread_count=7, snippet="old", snippet_is_outgoing=True, last_outgoing_failed=True)
    shown = recomputed(client_of_alice)
    assert (shown.unread_count, shown.last_contact_at, shown.snippet) == (0, None, "")
    assert (shown.snippet_is_outgoing, shown.last_outgoing_failed) == (False, False)


def test_unread_are_the_incoming_texts_without_a_mark(client_of_alice: CaseAssignment) -> None:
    read = builders.make_incoming(client_of_alice)
    Message.objects.filter(pk=read.pk).update(read_at=timezone.now())
    builders.make_incoming(client_of_alice)
    builders.make_incoming(client_of_alice)
    builders.make_outgoing(client_of_alice)
    assert recomputed(client_of_alice).unread_count == 2


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (State.WAITING, False),
        (State.HELD, False),
        (State.CANCELLED, False),
        (State.SENDING, False),
        (State.UNKNOWN, False),
        (State.UNCONFIRMED, False),
        (State.FAILED, False),
        (State.UNDELIVERED, False),
        (State.ACCEPTED, True),
        (State.SENT, True),
        (State.DELIVERED, True),
    ],
)
def test_a_contact_is_what_the_carrier_took_and_did_not_fail(
    state: Message.State, counts: bool, client_of_alice: CaseAssignment
) -> None:
    earlier = builders.make_incoming(client_of_alice, at=builders.minutes_ago(60))
    hold_reason = "too_late" if state is State.HELD else ""
    message = builders.make_outgoing(client_of_alice, state=state, at=builders.minutes_ago(5), hold_reason=hold_reason)
    expected = message.placed_at if counts else earlier.placed_at
    assert recomputed(client_of_alice).last_contact_at == expected


def test_the_newest_text_is_the_snippet_and_says_whose_it_is(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, "mine", at=builders.minutes_ago(3))
    builders.make_incoming(client_of_alice, "theirs", at=builders.minutes_ago(5))
    shown = recomputed(client_of_alice)
    assert (shown.snippet, shown.snippet_is_outgoing) == ("mine", True)
    builders.make_incoming(client_of_alice, "an answer")
    shown = recomputed(client_of_alice)
    assert (shown.snippet, shown.snippet_is_outgoing) == ("an answer", False)


def test_of_two_texts_of_one_moment_the_later_row_is_the_snippet(client_of_alice: CaseAssignment) -> None:
    at = builders.minutes_ago(1)
    builders.make_incoming(client_of_alice, "first", at=at)
    builders.make_incoming(client_of_alice, "second", at=at)
    assert recomputed(client_of_alice).snippet == "second"


def test_what_is_scheduled_or_cancelled_is_no_snippet(client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, "shown", at=builders.minutes_ago(5))
    builders.make_outgoing(client_of_alice, "tomorrow", at=timezone.now() + timedelta(days=1))
    builders.make_outgoing(client_of_alice, "never", state=State.CANCELLED)
    assert recomputed(client_of_alice).snippet == "shown"


def test_a_snippet_is_the_beginning_of_a_text(client_of_alice: CaseAssignment) -> None:
    emoji = "\N{GRINNING FACE}"
    builders.make_incoming(client_of_alice, emoji * 500)
    assert recomputed(client_of_alice).snippet == emoji * 120


@pytest.mark.parametrize("state", states.NOT_DELIVERED)
def test_the_row_warns_while_the_last_outgoing_text_failed(
    state: Message.State, client_of_alice: CaseAssignment
) -> None:
    builders.make_outgoing(client_of_alice, state=state, at=builders.minutes_ago(5))
    builders.make_incoming(client_of_alice)
    assert recomputed(client_of_alice).last_outgoing_failed


@pytest.mark.parametrize(
    ("state", "still_warns"),
    [(State.WAITING, True), (State.CANCELLED, True), (State.ACCEPTED, False), (State.DELIVERED, False)],
)
def test_the_warning_goes_when_a_later_text_got_through(
    state: Message.State, still_warns: bool, client_of_alice: CaseAssignment
) -> None:
    builders.make_outgoing(client_of_alice, state=State.FAILED, at=builders.minutes_ago(5))
    builders.make_outgoing(client_of_alice, state=state)
    assert recomputed(client_of_alice).last_outgoing_failed is still_warns


def test_messages_of_the_clients_other_assignments_do_not_count(client_of_alice: CaseAssignment, bob: User) -> None:
    former = CaseAssignment.objects.create(
        client=client_of_alice.client, case_manager=bob, ended_at=timezone.now(), end_reason="transferred"
    )
    builders.make_incoming(former, "to Bob")
    shown = recomputed(client_of_alice)
    assert (shown.unread_count, shown.snippet, shown.last_contact_at) == (0, "", None)


def test_several_are_recomputed_in_one_call(client_of_alice: CaseAssignment, alice: User) -> None:
    other = builders.make_client(alice)
    for assignment in (client_of_alice, other):
        builders.make_incoming(assignment)
    CaseAssignment.objects.update(unread_count=0)
    summaries.recompute(client_of_alice.pk, other.pk, now=timezone.now())
    assert list(CaseAssignment.objects.values_list("unread_count", flat=True)) == [1, 1]


def test_the_assignment_that_a_message_is_written_in_is_locked(client_of_alice: CaseAssignment) -> None:
    message = builders.make_incoming(client_of_alice)
    assert summaries.lock_for(message.pk) == client_of_alice.pk


MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "state": st.sampled_from([state for state in State if state is not State.HELD]),
            "minutes": st.integers(-5, 5),
            "is_read": st.booleans(),
        }
    ),
    max_size=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MESSAGES)
def test_the_columns_say_what_the_messages_say(client_of_alice: CaseAssignment, drawn: list[dict[str, Any]]) -> None:
    now = timezone.now()
    with transaction.atomic():
        messages = [_written(client_of_alice, now, **fields) for fields in drawn]
        shown = recomputed(client_of_alice, now=now)
        assert (shown.unread_count, shown.last_contact_at, shown.snippet, shown.last_outgoing_failed) == _expected(
            messages, now
        )
        transaction.set_rollback(True)


def _written(
    assignment: CaseAssignment, now: datetime, *, state: Message.State, minutes: int, is_read: bool
) -> Message:
    at = now + timedelta(minutes=minutes)
    if state is not State.RECEIVED:
        return builders.make_outgoing(assignment, f"{state} {minutes}", state=state, at=at)
    message = builders.make_incoming(assignment, f"{state} {minutes}", at=at)
    message.read_at = now if is_read else None
    message.save()
    return message


def _is_for_later(message: Message, now: datetime) -> bool:
    return message.state == State.WAITING and message.due_at is not None and message.due_at > now


def _expected(messages: list[Message], now: datetime) -> tuple[int, datetime | None, str, bool]:
    """The same rules, in Python over all messages."""
    ordered = sorted(messages, key=lambda message: (message.placed_at, message.pk), reverse=True)
    unread = [message for message in ordered if not message.is_outgoing and message.read_at is None]
    contacts: Iterator[Message] = (
        message for message in ordered if not message.is_outgoing or message.state in states.REACHED
    )
    shown = (message for message in ordered if message.state != State.CANCELLED and not _is_for_later(message, now))
    no_result_yet = (State.WAITING, State.HELD, State.SENDING, State.UNKNOWN, State.CANCELLED)
    tried = (message for message in ordered if message.is_outgoing and message.state not in no_result_yet)
    last_contact, snippet, last_tried = next(contacts, None), next(shown, None), next(tried, None)
    return (
        len(unread),
        last_contact.placed_at if last_contact else None,
        snippet.body if snippet else "",
        last_tried is not None and last_tried.state in states.NOT_DELIVERED,
    )


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_message_that_moves_meanwhile_is_found_in_its_new_assignment(alice: User, bob: User) -> None:
    """As in a transfer: the callback waits for the old assignment's lock, and then takes the new one's."""
    old = builders.make_client(alice)
    message = builders.make_outgoing(old, state=State.ACCEPTED)
    new = CaseAssignment.objects.create(
        client=old.client, case_manager=bob, ended_at=timezone.now(), end_reason="transferred"
    )

    def callback() -> int:
        with transaction.atomic():
            return summaries.lock_for(message.pk)

    with in_background() as start:
        with transaction.atomic():
            summaries.lock(old.pk)
            waiting = start(callback)
            wait_for_locks(1)
            Message.objects.filter(pk=message.pk).update(assignment=new)
        assert waiting.result() == new.pk


@pytest.mark.parametrize("what", ["held", "sending", "unknown"])
def test_a_step_of_the_loop_leaves_the_row_as_a_recount_would(what: str, client_of_alice: CaseAssignment) -> None:
    now = timezone.now()
    builders.make_outgoing(client_of_alice, state=State.FAILED, at=now - timedelta(hours=3))
    due = now - timedelta(hours=2 if what == "held" else 0, minutes=3)
    builders.make_outgoing(client_of_alice, at=due)
    delivery.claim_next(now)
    if what == "unknown":
        delivery.sweep_unclear(now=now + timedelta(minutes=2))
    client_of_alice.refresh_from_db()
    shown = client_of_alice.last_outgoing_failed
    summaries.recompute(client_of_alice.pk, now=now)
    client_of_alice.refresh_from_db()
    assert client_of_alice.last_outgoing_failed == shown


def test_a_text_whose_turn_came_late_does_not_hide_a_newer_one(client_of_alice: CaseAssignment) -> None:
    now = timezone.now()
    receive_text(text=builders.inbound_text(client_of_alice, "newer"), now=now)
    receive_text(text=builders.inbound_text(client_of_alice, "older"), now=now - timedelta(milliseconds=50))
    client_of_alice.refresh_from_db()
    assert client_of_alice.snippet == "newer"
