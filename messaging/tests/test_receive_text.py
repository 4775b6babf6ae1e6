"""A client's phone sends a text: stored exactly once, unread, where it can be seen."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import queries
from messaging.actions.caseload import NewClient, add_client
from messaging.actions.receiving import NoDepartment, receive_text
from messaging.known_numbers import SAME_PERSON
from messaging.models import Attachment, Message
from messaging.sms import InboundMedia, InboundText
from tests import builders
from tests.threads import ROUNDS, at_once, in_background, wait_for_locks

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

STRANGER = "+18015550177"
EMOJI = "\N{GRINNING FACE}"


def receive(text: InboundText, *, at: datetime | None = None) -> Message:
    return receive_text(text=text, now=at or timezone.now())


def from_stranger(department: Department, address: str = STRANGER, body: str = "Hello") -> InboundText:
    return builders.inbound_text(body=body, from_address=address, to_number=department.phone_number)


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def test_a_text_is_stored_unread_in_its_conversation(client_of_alice: CaseAssignment, department: Department) -> None:
    text, now = builders.inbound_text(client_of_alice, "I am here"), timezone.now()
    message = receive(text, at=now)
    message.refresh_from_db()
    assert (message.assignment, message.client) == (client_of_alice, client_of_alice.client)
    assert (message.department, message.author, message.due_at) == (department, None, None)
    assert (message.direction, message.state, message.body) == ("in", "received", "I am here")
    assert (message.carrier_id, message.placed_at, message.read_at) == (text.carrier_id, now, None)
    assert (message.our_number, message.their_number) == (text.to_number, text.from_address)


def test_the_list_shows_it_at_once(client_of_alice: CaseAssignment) -> None:
    now = timezone.now()
    receive(builders.inbound_text(client_of_alice, "I am here"), at=now)
    client_of_alice.refresh_from_db()
    assert (client_of_alice.unread_count, client_of_alice.last_contact_at) == (1, now)
    assert (client_of_alice.snippet, client_of_alice.snippet_is_outgoing) == ("I am here", False)


def test_a_text_delivered_twice_is_stored_once(client_of_alice: CaseAssignment) -> None:
    text = builders.inbound_text(client_of_alice)
    assert receive(text) == receive(text)
    client_of_alice.refresh_from_db()
    assert (Message.objects.count(), client_of_alice.unread_count) == (1, 1)


def test_a_copy_that_comes_after_the_text_was_read_leaves_it_read(client_of_alice: CaseAssignment) -> None:
    text = builders.inbound_text(client_of_alice)
    receive(text)
    Message.objects.update(read_at=timezone.now())
    assert receive(text).read_at is not None


def test_a_copy_that_comes_after_the_client_was_deleted_restores_nobody(client_of_alice: CaseAssignment) -> None:
    text = builders.inbound_text(client_of_alice)
    receive(text)
    CaseAssignment.objects.update(ended_at=timezone.now(), end_reason="deleted")
    receive(text)
    client_of_alice.refresh_from_db()
    assert not client_of_alice.is_open


def test_the_same_words_twice_are_two_texts(client_of_alice: CaseAssignment) -> None:
    receive(builders.inbound_text(client_of_alice, "ok"))
    receive(builders.inbound_text(client_of_alice, "ok"))
    assert Message.objects.count() == 2


def test_a_text_that_comes_late_stands_at_the_time_it_was_sent(client_of_alice: CaseAssignment) -> None:
    now, sent_at = timezone.now(), builders.minutes_ago(30)
    builders.make_outgoing(client_of_alice, "since", state=Message.State.DELIVERED, at=builders.minutes_ago(5))
    message = receive_text(text=builders.inbound_text(client_of_alice, "late"), now=now, sent_at=sent_at)
    assert (message.placed_at, message.state_at) == (sent_at, now)
    client_of_alice.refresh_from_db()
    assert (client_of_alice.snippet, client_of_alice.unread_count) == ("since", 1)


def test_a_clock_that_runs_ahead_puts_no_text_into_the_future(client_of_alice: CaseAssignment) -> None:
    now = timezone.now()
    ahead = now + timedelta(hours=1)
    assert receive_text(text=builders.inbound_text(client_of_alice), now=now, sent_at=ahead).placed_at == now


def test_a_late_stop_that_is_older_than_a_start_comes_too_late(client_of_alice: CaseAssignment) -> None:
    receive(builders.inbound_text(client_of_alice, "START"))
    stop = builders.inbound_text(client_of_alice, "STOP")
    receive_text(text=stop, now=timezone.now(), sent_at=builders.minutes_ago(30))
    assert not builders.number_of(client_of_alice).is_opted_out


def test_a_number_that_is_nobodys_is_named(client_of_alice: CaseAssignment) -> None:
    with pytest.raises(NoDepartment):
        receive(builders.inbound_text(client_of_alice, to_number="+12125550100"))
    assert not Message.objects.exists()


@pytest.mark.parametrize("address", [STRANGER, "32665", "ACME", "whatsapp:+18015550177", "+18015550100", "+2101234567"])
def test_an_unknown_sender_makes_an_unclaimed_client(address: str, department: Department) -> None:
    """A number, a short code, a name, another channel, our own number, a country that isn't: nothing is lost."""
    message = receive(from_stranger(department, address))
    assert (message.client.full_name, message.assignment.case_manager) == ("", None)
    assert CaseAssignment.objects.get(ended_at__isnull=True).unread_count == 1


def test_a_second_text_of_an_unknown_sender_joins_the_first(department: Department) -> None:
    first, second = receive(from_stranger(department)), receive(from_stranger(department))
    assert first.assignment == second.assignment
    assert Client.objects.count() == 1


def test_a_text_to_a_client_in_two_departments_stays_in_the_one_that_was_texted(
    client_of_alice: CaseAssignment, charlie: User
) -> None:
    theirs = builders.make_client(charlie, address=builders.number_of(client_of_alice).address)
    message = receive(builders.inbound_text(client_of_alice))
    assert message.assignment == client_of_alice
    theirs.refresh_from_db()
    assert theirs.unread_count == 0


def test_a_deleted_clients_text_brings_the_client_back_with_an_event(client_of_alice: CaseAssignment) -> None:
    routing.end(client_of_alice, CaseAssignment.EndReason.DELETED, timezone.now())
    message = receive(builders.inbound_text(client_of_alice))
    client_of_alice.refresh_from_db()
    assert (message.assignment, client_of_alice.is_open, client_of_alice.unread_count) == (client_of_alice, True, 1)
    assert ConversationEvent.objects.get().kind == "restored"


def test_a_disabled_case_managers_client_becomes_unclaimed_with_the_text(
    client_of_alice: CaseAssignment, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    message = receive(builders.inbound_text(client_of_alice))
    assert message.assignment.case_manager is None
    assert message.assignment.client == client_of_alice.client


@pytest.mark.parametrize(
    ("body", "segments"),
    [("", 1), ("  ", 1), (EMOJI * 1600, 49), ("x" * 1600, 11), ("\u0645\u0631\u062d\u0628\u0627", 1)],
)
def test_any_body_is_stored_as_it_came(body: str, segments: int, client_of_alice: CaseAssignment) -> None:
    message = receive(builders.inbound_text(client_of_alice, body))
    message.refresh_from_db()
    assert (message.body, message.segments) == (body, segments)
    client_of_alice.refresh_from_db()
    assert client_of_alice.snippet == body[:120]


def test_pictures_and_files_are_listed_in_order(client_of_alice: CaseAssignment) -> None:
    media = (InboundMedia("https://carrier/1", "image/jpeg"), InboundMedia("https://carrier/2", "text/" + "x" * 200))
    text = builders.inbound_text(client_of_alice, "", media=media)
    receive(text)
    receive(text)
    listed = Attachment.objects.order_by("position").values_list("position", "carrier_url", "content_type")
    assert list(listed) == [(0, "https://carrier/1", "image/jpeg"), (1, "https://carrier/2", ("text/" + "x" * 95))]


def test_stop_opts_the_client_out_once_though_it_comes_twice(client_of_alice: CaseAssignment) -> None:
    text = builders.inbound_text(client_of_alice, "Stop ")
    receive(text)
    receive(text)
    number = builders.number_of(client_of_alice)
    assert (number.is_opted_out, number.opted_out_source) == (True, "keyword")
    assert [event.kind for event in ConversationEvent.objects.all()] == ["opted_out"]
    assert Message.objects.get().body == "Stop "


def test_the_carriers_own_word_for_an_opt_out_counts(client_of_alice: CaseAssignment) -> None:
    receive(builders.inbound_text(client_of_alice, "Detener por favor", opt_out_type="STOP"))
    assert builders.number_of(client_of_alice).is_opted_out


def test_a_strangers_stop_is_kept_on_the_number(department: Department) -> None:
    receive(from_stranger(department, body="STOP"))
    assert PhoneNumber.objects.get(address=STRANGER).is_opted_out


def test_every_column_is_as_the_orm_writes_it(client_of_alice: CaseAssignment) -> None:
    """The row is stored by a statement of its own, which must not fall behind the model."""
    now = timezone.now()
    stored = receive(builders.inbound_text(client_of_alice, "it's 100 % \\ 😀"), at=now)
    by_hand = Message.objects.filter(pk=stored.pk).values().get()
    stored.delete()
    stored.pk = by_hand["id"]
    stored.save(force_insert=True)
    assert Message.objects.filter(pk=stored.pk).values().get() == by_hand


def everything() -> list[list[dict[str, Any]]]:
    """What is stored of clients and their texts, but for the ids of texts and events."""
    tables = (Client, PhoneNumber, CaseAssignment, ConversationEvent, Message)
    *kept, events, texts = ([dict(row) for row in table._default_manager.order_by("pk").values()] for table in tables)
    return [*kept, [_without(row, "id") for row in events], [_without(row, "id", "public_id") for row in texts]]


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(st.sampled_from(["Hello", "", "STOP", "start", "yes", "stop texting me"]), min_size=1, max_size=4),
    minutes_late=st.integers(-1, 3),
    has_picture=st.booleans(),
)
def test_the_short_way_of_the_usual_text_leaves_what_the_whole_rule_leaves(
    client_of_alice: CaseAssignment, bodies: list[str], minutes_late: int, has_picture: bool
) -> None:
    now, media = timezone.now(), (InboundMedia("https://carrier/1", "image/jpeg"),) if has_picture else ()
    texts = [builders.inbound_text(client_of_alice, body, media=media) for body in bodies]
    left = []
    for short_way in (True, False):
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            if not short_way:
                patch.setattr(routing, "usual_place", _not_usual)
            for text in [*texts, texts[0]]:
                receive_text(text=text, now=now, sent_at=now - timedelta(minutes=minutes_late))
            left.append((everything(), Attachment.objects.count()))
            transaction.set_rollback(True)
    assert left[0] == left[1]


def _not_usual(**_: object) -> None:
    raise routing.NotUsual


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400),
    address=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64),
)
def test_whatever_comes_is_stored_and_can_be_read(department: Department, body: str, address: str) -> None:
    with transaction.atomic():
        message = receive(from_stranger(department, address, body))
        stored = Message.objects.get(pk=message.pk)
        assert (stored.body, stored.their_number) == (body, address)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_text_that_comes_twenty_times_at_once_is_stored_once(alice: User) -> None:
    assignment = builders.make_client(alice)
    text = builders.inbound_text(assignment)
    stored = at_once(lambda: receive(text), times=20)
    assert {message.pk for message in stored} == {Message.objects.get().pk}
    assignment.refresh_from_db()
    assert assignment.unread_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_strangers_first_text_that_comes_twenty_times_at_once_makes_one_client(department: Department) -> None:
    text = from_stranger(department)
    at_once(lambda: receive(text), times=20)
    assert Message.objects.count() == Client.objects.count() == PhoneNumber.objects.count() == 1
    assert CaseAssignment.objects.get().unread_count == 1


@pytest.mark.django_db(transaction=True)
def test_two_first_texts_of_a_stranger_at_once_make_one_client_with_both(department: Department) -> None:
    for serial in range(ROUNDS):
        address = f"+1385{2_000_000 + serial}"
        at_once(lambda: receive(from_stranger(department, address)), times=8)  # noqa: B023  # ended before the next
        only = CaseAssignment.objects.get(client__numbers__address=address)
        assert (only.unread_count, Message.objects.filter(assignment=only).count()) == (8, 8)
    assert Client.objects.count() == ROUNDS


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_that_arrives_while_its_client_is_deleted_is_seen(alice: User) -> None:
    assignment = builders.make_client(alice)
    text = builders.inbound_text(assignment, "wait for me")
    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(assignment.client_id)
            arriving = start(lambda: receive(text))
            wait_for_locks(1)
            routing.end(assignment, CaseAssignment.EndReason.DELETED, timezone.now())
        message = arriving.result()
    (row,) = queries.caseload(alice).page.object_list
    assert (row.client_id, row.unread_count, row.snippet) == (message.client_id, 1, "wait for me")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_that_arrives_while_its_client_is_claimed_is_seen(department: Department, alice: User) -> None:
    receive(from_stranger(department, body="first"), at=timezone.now() - timedelta(seconds=5))
    new = NewClient("Maria", "Lopez", STRANGER, ClientStatus.objects.filter(department=department)[0])
    with in_background() as start:
        with transaction.atomic():
            add_client(new=new, by=alice, department=department, now=timezone.now(), answer=SAME_PERSON)
            arriving = start(lambda: receive(from_stranger(department, body="second")))
            wait_for_locks(1)
        message = arriving.result()
    (row,) = queries.caseload(alice).page.object_list
    assert (row.client_id, row.unread_count, row.snippet) == (message.client_id, 2, "second")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_that_arrives_while_its_number_moves_to_another_client_is_there(alice: User, bob: User) -> None:
    """As in a merge: it waits for the one client, lets that go, and is stored with the other."""
    old, survivor = builders.make_client(alice, address=STRANGER), builders.make_client(bob)
    text = builders.inbound_text(old, "Hello")
    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(old.client_id)
            arriving = start(lambda: receive(text))
            wait_for_locks(1)
            PhoneNumber.objects.filter(address=STRANGER).update(client=survivor.client, is_current=False)
        message = arriving.result()
    assert (message.client, message.assignment) == (survivor.client, survivor)
    survivor.refresh_from_db()
    assert survivor.unread_count == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_locks_the_client_before_the_assignment(alice: User) -> None:
    """Who has the client and goes on to the assignment must not meet a text that has the assignment."""
    assignment = builders.make_client(alice)
    text = builders.inbound_text(assignment)
    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(assignment.client_id)
            arriving = start(lambda: receive(text))
            wait_for_locks(1)
            free = CaseAssignment.objects.select_for_update(no_key=True, nowait=True).get(pk=assignment.pk)
            assert free == assignment
        arriving.result()
