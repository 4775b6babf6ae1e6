"""A person sends a text: stored once, to one's own client only, and never to a number that must not be texted."""

import uuid
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import doorbell
from accounts.models import User
from clients.models import CaseAssignment, PhoneNumber
from messaging.actions import sending
from messaging.actions.sending import AlreadySentOtherWords, NoText, NotSent, NotYours, RefusedByGate, TextTooLong
from messaging.failures import HoldReason
from messaging.models import Message
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EMOJI = "\N{GRINNING FACE}"  # two UTF-16 units


def send(assignment: CaseAssignment, body: str = "Hello", **details: Any) -> Message:
    """As its case manager, with a key of its own, unless details say otherwise."""
    details.setdefault("by", assignment.case_manager)
    details.setdefault("submission_key", uuid.uuid4())
    return sending.send_message(client_id=assignment.client_id, body=body, now=timezone.now(), **details)


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def test_a_text_waits_to_be_handed_over(client_of_alice: CaseAssignment, alice: User) -> None:
    now = timezone.now()
    message = sending.send_message(
        client_id=client_of_alice.client_id, body="Hello", by=alice, submission_key=uuid.uuid4(), now=now
    )
    message.refresh_from_db()
    assert (message.state, message.direction, message.body, message.segments) == ("waiting", "out", "Hello", 1)
    assert (message.author, message.assignment, message.client) == (alice, client_of_alice, client_of_alice.client)
    assert message.department == alice.department
    assert message.placed_at == message.due_at == message.state_at == now
    assert message.carrier_id is None


def test_the_worker_is_rung_for_on_commit(
    client_of_alice: CaseAssignment,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(doorbell.the_doorbell, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        send(client_of_alice)
        assert rung == []
    assert rung == ["messaging.deliver_due"]


def test_the_list_shows_it_at_once(client_of_alice: CaseAssignment) -> None:
    send(client_of_alice, "See you on Tuesday")
    client_of_alice.refresh_from_db()
    assert (client_of_alice.snippet, client_of_alice.snippet_is_outgoing) == ("See you on Tuesday", True)
    assert client_of_alice.last_contact_at is None  # nobody has taken it yet


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("one\r\ntwo", "one\ntwo"),
        ("Hello  \n\n", "Hello"),
        ("  indented", "  indented"),
        ("x", "x"),
        ("x" * 1600, "x" * 1600),
        ("x" * 1600 + "  \r\n", "x" * 1600),
        (EMOJI * 800, EMOJI * 800),
        ("\r\n" * 799 + "xx", "\n" * 799 + "xx"),
    ],
)
def test_the_text_is_stored_as_it_will_be_sent(typed: str, stored: str, client_of_alice: CaseAssignment) -> None:
    assert Message.objects.get(pk=send(client_of_alice, typed).pk).body == stored


@pytest.mark.parametrize("body", ["", " ", "\r\n", " \t\n ", "\N{NO-BREAK SPACE}"])
def test_a_text_without_words_is_refused(body: str, client_of_alice: CaseAssignment) -> None:
    with pytest.raises(NoText):
        send(client_of_alice, body)
    assert not Message.objects.exists()


@pytest.mark.parametrize(("body", "length"), [("x" * 1601, 1601), (EMOJI * 800 + "x", 1601), (EMOJI * 1600, 3200)])
def test_a_text_over_1600_units_is_refused(body: str, length: int, client_of_alice: CaseAssignment) -> None:
    with pytest.raises(TextTooLong) as refusal:
        send(client_of_alice, body)
    assert refusal.value.length == length
    assert not Message.objects.exists()


def test_the_same_form_twice_is_one_message(client_of_alice: CaseAssignment) -> None:
    key = uuid.uuid4()
    first = send(client_of_alice, "one\r\ntwo", submission_key=key)
    assert send(client_of_alice, "one\ntwo ", submission_key=key) == first
    assert Message.objects.count() == 1


def test_the_same_form_with_other_words_sends_nothing(client_of_alice: CaseAssignment) -> None:
    key = uuid.uuid4()
    first = send(client_of_alice, "Tuesday", submission_key=key)
    with pytest.raises(AlreadySentOtherWords) as refusal:
        send(client_of_alice, "Wednesday", submission_key=key)
    assert refusal.value.earlier == first
    assert Message.objects.get().body == "Tuesday"


def test_the_same_form_for_another_client_sends_nothing(client_of_alice: CaseAssignment, alice: User) -> None:
    other, key = builders.make_client(alice), uuid.uuid4()
    first = send(client_of_alice, "Tuesday", submission_key=key)
    with pytest.raises(AlreadySentOtherWords) as refusal:
        send(other, "Tuesday", submission_key=key)
    assert refusal.value.earlier == first
    assert Message.objects.get().assignment == client_of_alice


def test_the_same_key_of_another_person_is_another_form(
    client_of_alice: CaseAssignment, bob: User, department: Any
) -> None:
    key = uuid.uuid4()
    send(client_of_alice, submission_key=key)
    send(builders.make_client(bob), submission_key=key)
    assert Message.objects.count() == 2


def test_the_same_words_in_a_new_form_are_a_second_text(client_of_alice: CaseAssignment) -> None:
    send(client_of_alice, "ok")
    send(client_of_alice, "ok")
    assert Message.objects.count() == 2


def test_a_form_sent_again_after_the_client_was_deleted_shows_what_was_sent(client_of_alice: CaseAssignment) -> None:
    key = uuid.uuid4()
    first = send(client_of_alice, submission_key=key)
    CaseAssignment.objects.update(ended_at=timezone.now(), end_reason="deleted")
    assert send(client_of_alice, submission_key=key) == first


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_sends_to_a_client_of_somebody_else(
    who: str, client_of_alice: CaseAssignment, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotYours):
        send(client_of_alice, by=request.getfixturevalue(who))
    assert not Message.objects.exists()


def test_a_supervisor_may_answer_in_a_colleagues_conversation(
    supervisor: User, charlie: User, client_of_alice: CaseAssignment
) -> None:
    sent = send(client_of_alice, by=supervisor)
    assert (sent.assignment, sent.author) == (client_of_alice, supervisor)
    with pytest.raises(NotYours):
        send(client_of_alice, by=builders.make_user(charlie.department, role=User.Role.SUPERVISOR))


def test_everybody_of_the_department_may_answer_who_is_unclaimed(bob: User, charlie: User) -> None:
    stranger = builders.make_client(None, department=bob.department)
    assert send(stranger, by=bob).author == bob
    with pytest.raises(NotYours):
        send(stranger, by=charlie)


@pytest.mark.parametrize("reason", ["deleted", "transferred", "merged"])
def test_nobody_sends_to_a_client_who_left_the_list(reason: str, client_of_alice: CaseAssignment) -> None:
    CaseAssignment.objects.update(ended_at=timezone.now(), end_reason=reason)
    with pytest.raises(NotYours):
        send(client_of_alice)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ({"opted_out_at": builders.minutes_ago(1), "opted_out_source": "keyword"}, HoldReason.OPTED_OUT),
        ({"wrong_at": builders.minutes_ago(1)}, HoldReason.WRONG_NUMBER),
        ({"address": "32665"}, HoldReason.NOT_TEXTABLE),
        ({"address": "ACME"}, HoldReason.NOT_TEXTABLE),
        ({"address": "whatsapp:+18015550142"}, HoldReason.NOT_TEXTABLE),
        ({"is_current": False}, HoldReason.NO_CLIENT),
    ],
)
def test_a_number_that_must_not_be_texted_is_refused_with_the_reason(
    number: dict[str, Any], reason: HoldReason, client_of_alice: CaseAssignment
) -> None:
    PhoneNumber.objects.update(**number)
    with pytest.raises(RefusedByGate) as refusal:
        send(client_of_alice)
    assert refusal.value.reason == reason
    assert not Message.objects.exists()


def test_answering_marks_what_was_on_the_page_as_read(client_of_alice: CaseAssignment) -> None:
    seen = [builders.make_incoming(client_of_alice, at=builders.minutes_ago(minutes)) for minutes in (3, 2)]
    arrived_since = builders.make_incoming(client_of_alice)
    send(client_of_alice, seen_up_to=seen[-1].pk)
    assert list(Message.objects.filter(direction="in", read_at__isnull=True)) == [arrived_since]
    client_of_alice.refresh_from_db()
    assert client_of_alice.unread_count == 1


@pytest.mark.parametrize("seen_up_to", [None, 1, 2**63 - 1])
def test_the_mark_of_a_form_touches_no_other_conversation(
    seen_up_to: int | None, client_of_alice: CaseAssignment, alice: User
) -> None:
    others = builders.make_incoming(builders.make_client(alice))
    send(client_of_alice, seen_up_to=seen_up_to)
    others.refresh_from_db()
    assert others.read_at is None


def test_a_refused_text_marks_nothing_read(client_of_alice: CaseAssignment) -> None:
    unread = builders.make_incoming(client_of_alice)
    PhoneNumber.objects.update(wrong_at=timezone.now())
    with pytest.raises(NotSent):
        send(client_of_alice, seen_up_to=unread.pk)
    unread.refresh_from_db()
    assert unread.read_at is None


@pytest.mark.django_db(transaction=True)
def test_a_double_click_that_races_is_one_message(alice: User) -> None:
    assignment, key = builders.make_client(alice), uuid.uuid4()
    messages = at_once(lambda: send(assignment, submission_key=key), times=6)
    assert len({message.pk for message in messages}) == 1
    assert Message.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_one_form_that_races_for_two_clients_is_sent_to_one(alice: User) -> None:
    """Each holds the lock of its own client: only the database knows of both."""
    first, second, key = builders.make_client(alice), builders.make_client(alice), uuid.uuid4()

    def refused() -> Message:
        with pytest.raises(AlreadySentOtherWords) as refusal:
            send(second, submission_key=key)
        return refusal.value.earlier

    with in_background() as start:
        with transaction.atomic():
            message = send(first, submission_key=key)
            late = start(refused)
            wait_for_locks(1)
        assert late.result() == message
    assert Message.objects.get() == message
