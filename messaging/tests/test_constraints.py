"""What must be true of messages is true in the database, whoever writes."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from messaging.models import Attachment, BeatTick, Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
Write = Callable[[Message], Any]


def change(**fields: Any) -> Write:
    """Writes past all our code into the one outgoing text."""
    return lambda message: Message.objects.filter(pk=message.pk).update(**fields)


def second(message: Message, **fields: Any) -> Message:
    return builders.make_outgoing(message.assignment, **fields)


def two_attachments(message: Message) -> None:
    for _ in range(2):
        Attachment.objects.create(message=message, position=0, carrier_url="https://carrier/1")


def incoming(**fields: Any) -> Write:
    return lambda message: Message.objects.filter(pk=builders.make_incoming(message.assignment).pk).update(**fields)


KEY = uuid.uuid4()

REFUSED: dict[tuple[str, str], Write] = {
    ("two texts of one form", "message_submission_once"): lambda message: [
        second(message, submission_key=KEY) for _ in range(2)
    ],
    ("two texts with one carrier id", "carrier_id"): lambda message: [
        second(message, carrier_id="SM1") for _ in range(2)
    ],
    ("two texts with one public id", "public_id"): lambda message: second(message, public_id=message.public_id),
    ("two retries of one text", "retry_of"): lambda message: [second(message, retry_of=message) for _ in range(2)],
    ("a retry of itself", "message_not_retry_of_itself"): lambda message: change(retry_of=message)(message),
    ("an incoming text that waits", "message_state_fits_direction"): incoming(state=State.WAITING),
    ("an incoming text with an author", "message_state_fits_direction"): lambda message: incoming(
        author=message.author
    )(message),
    ("an incoming text that is due", "message_state_fits_direction"): incoming(due_at=timezone.now()),
    ("an outgoing text that was received", "message_state_fits_direction"): change(state=State.RECEIVED),
    ("an outgoing text that is never due", "message_state_fits_direction"): change(due_at=None),
    ("an outgoing text that was read", "message_state_fits_direction"): change(read_at=timezone.now()),
    ("held without a reason", "message_held_has_reason"): change(state=State.HELD),
    ("a reason to hold what is not held", "message_held_has_reason"): change(hold_reason="too_late"),
    ("failed without a reason", "message_failure_has_reason"): change(state=State.FAILED),
    ("undelivered without a reason", "message_failure_has_reason"): change(state=State.UNDELIVERED),
    ("sending without a claim", "message_sending_is_claimed"): change(
        state=State.SENDING, our_number="+1", their_number="+1"
    ),
    ("sending from no number", "message_handed_over_has_numbers"): change(
        state=State.SENDING, claimed_at=timezone.now(), their_number="+1"
    ),
    ("unknown without numbers", "message_handed_over_has_numbers"): change(state=State.UNKNOWN),
    ("accepted to no number", "message_handed_over_has_numbers"): change(state=State.ACCEPTED, our_number="+1"),
    ("two attachments in one place", "attachment_position_unique"): two_attachments,
    ("a second row of ticks", "beat_tick_is_one_row"): lambda message: BeatTick.objects.create(pk=2, at=timezone.now()),
}


@pytest.mark.parametrize(("what", "constraint"), REFUSED)
def test_the_database_refuses(what: str, constraint: str, alice: User) -> None:
    message = builders.make_outgoing(builders.make_client(alice))
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        REFUSED[what, constraint](message)
    if connection.vendor == "postgresql":  # SQLite names the columns instead
        assert constraint in str(refusal.value)


def test_texts_without_form_or_carrier_id_may_be_many(alice: User) -> None:
    assignment = builders.make_client(alice)
    for _ in range(2):
        builders.make_outgoing(assignment)
    assert Message.objects.filter(submission_key=None, carrier_id=None).count() == 2


def test_two_people_may_use_the_same_key(alice: User, bob: User) -> None:
    for person in (alice, bob):
        builders.make_outgoing(builders.make_client(person), submission_key=KEY)
    assert Message.objects.filter(submission_key=KEY).count() == 2


def test_a_row_says_of_itself_only_its_number(alice: User) -> None:
    message = builders.make_incoming(builders.make_client(alice), "secret words")
    attachment = Attachment.objects.create(message=message, position=0, carrier_url="https://carrier/secret")
    tick = BeatTick(at=timezone.now())
    assert (str(message), str(attachment)) == (f"message {message.pk}", f"attachment {attachment.pk}")
    assert str(tick).startswith("tick ")
