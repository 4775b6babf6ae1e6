"""Two clients become one: nothing is dropped, nothing is doubled, every number leads to the one conversation."""

import pytest
from django.utils import timezone

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import joining, mass_filling
from messaging.actions import mass_messages
from messaging.actions.receiving import receive_text
from messaging.mass_choice import LeftOut
from messaging.models import MassMessageRecipient, Message
from messaging.tests.mass import confirm, make_draft, make_mass
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


def join(into: CaseAssignment, other: CaseAssignment, number: PhoneNumber | None = None) -> None:
    kept, given_up = joining.lock_both(into.client_id, other.client_id)
    joining.join(kept=kept, given_up=given_up, into=into, number=number, now=timezone.now())
    into.refresh_from_db()
    other.refresh_from_db()


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def double(alice: User) -> CaseAssignment:
    """The same person once more, with another number."""
    return builders.make_client(alice, first_name="Mary", last_name="Lopez-Cruz")


def test_both_conversations_are_one_in_order_of_time(maria: CaseAssignment, double: CaseAssignment) -> None:
    for minutes, assignment in enumerate([maria, double, maria, double]):
        builders.make_incoming(assignment, f"text {minutes}", at=builders.minutes_ago(10 - minutes))
    ConversationEvent.objects.create(client=double.client, kind="added")
    join(maria, double)
    mine = Message.objects.filter(client=maria.client, assignment=maria).order_by("placed_at")
    assert list(mine.values_list("body", flat=True)) == ["text 0", "text 1", "text 2", "text 3"]
    assert (maria.unread_count, maria.snippet, double.unread_count) == (4, "text 3", 0)
    assert (double.end_reason, double.is_open, maria.is_open) == ("merged", False, True)
    assert ConversationEvent.objects.get().client == maria.client


def test_every_number_leads_to_the_one_conversation(maria: CaseAssignment, double: CaseAssignment) -> None:
    old = builders.number_of(double)
    text = builders.inbound_text(double, "from the old phone")
    join(maria, double)
    assert receive_text(text=text, now=timezone.now()).assignment == maria
    old.refresh_from_db()
    assert (old.client, old.is_current) == (maria.client, False)


def test_the_number_chosen_is_the_one_that_is_texted(maria: CaseAssignment, double: CaseAssignment) -> None:
    chosen = builders.number_of(double)
    join(maria, double, chosen)
    assert builders.number_of(maria) == chosen


def test_names_stay_and_empty_fields_are_filled(alice: User, maria: CaseAssignment, double: CaseAssignment) -> None:
    Client.objects.filter(pk=double.client_id).update(id_number="A-17", language="Spanish")
    CaseAssignment.objects.filter(pk=maria.pk).update(notes="tall")
    CaseAssignment.objects.filter(pk=double.pk).update(notes="likes mornings")
    join(maria, double)
    client = Client.objects.get(pk=maria.client_id)
    assert (client.full_name, client.id_number, client.language) == ("Maria Lopez", "A-17", "Spanish")
    assert client.search_key == "maria lopez a-17"
    assert maria.notes.startswith("tall\n\n20")
    assert maria.notes.endswith(":\nlikes mornings")
    assert Client.objects.get(pk=double.client_id).merged_into == client


def test_a_colleagues_old_conversation_stays_theirs_to_read(bob: User, maria: CaseAssignment, alice: User) -> None:
    other = builders.make_client(bob)
    old = builders.make_incoming(other, "to Bob")
    routing.end(other, CaseAssignment.EndReason.TRANSFERRED, timezone.now())
    status = ClientStatus.objects.filter(department=alice.department).first()
    now_mine = CaseAssignment.objects.create(client=other.client, case_manager=alice, status=status)
    join(maria, now_mine)
    old.refresh_from_db()
    other.refresh_from_db()
    assert (old.client, old.assignment, other.client) == (maria.client, other, maria.client)


def test_of_two_old_conversations_of_one_colleague_one_is_left(bob: User, maria: CaseAssignment, alice: User) -> None:
    for client in (maria.client, (double := builders.make_client(alice)).client):
        CaseAssignment.objects.create(
            client=client, case_manager=bob, notes=f"of {client.pk}", ended_at=timezone.now(), end_reason="transferred"
        )
    join(maria, double)
    first, second = CaseAssignment.objects.filter(case_manager=bob).order_by("client")
    assert (first.client, second.client) == (maria.client, double.client)
    assert f"of {maria.client_id}" in first.notes
    assert f"of {double.client_id}" in first.notes


def test_what_is_scheduled_comes_along(maria: CaseAssignment, double: CaseAssignment) -> None:
    scheduled = builders.make_scheduled(double)
    join(maria, double)
    scheduled.refresh_from_db()
    assert (scheduled.client, scheduled.assignment, scheduled.state) == (maria.client, maria, State.WAITING)
    assert (maria.scheduled_count, double.scheduled_count) == (1, 0)


def test_nothing_goes_to_a_number_that_opted_out(maria: CaseAssignment, double: CaseAssignment) -> None:
    scheduled = builders.make_scheduled(maria)
    chosen = builders.number_of(double)
    PhoneNumber.objects.filter(pk=chosen.pk).update(opted_out_at=timezone.now(), opted_out_source="keyword")
    join(maria, double, chosen)
    scheduled.refresh_from_db()
    assert (scheduled.state, scheduled.hold_reason) == (State.HELD, "opted_out")


def test_a_mass_message_reaches_the_person_once(alice: User, maria: CaseAssignment, double: CaseAssignment) -> None:
    mass = make_mass(alice, [maria, double])
    join(maria, double)
    states = Message.objects.filter(mass_message=mass).order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.WAITING, State.CANCELLED]
    assert MassMessageRecipient.objects.get(client=double.client).left_out == LeftOut.MERGED


def test_a_stopped_mass_message_is_resumed_for_the_person_once(
    alice: User, maria: CaseAssignment, double: CaseAssignment
) -> None:
    mass = make_mass(alice, [maria, double])
    mass_messages.stop(mass=mass, now=timezone.now())
    join(maria, double)
    assert mass_messages.resume(mass=mass, now=timezone.now()) == 1
    states = Message.objects.filter(mass_message=mass).order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.WAITING, State.CANCELLED]


def test_what_did_not_reach_the_one_still_goes_to_the_other(
    alice: User, maria: CaseAssignment, double: CaseAssignment
) -> None:
    mass = make_mass(alice, [maria, double])
    of_maria = Message.objects.filter(mass_message=mass, client=maria.client)
    of_maria.update(state=State.FAILED, failure_reason="phone_off")
    join(maria, double)
    states = Message.objects.filter(mass_message=mass).order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.FAILED, State.WAITING]


def test_a_mass_message_that_waits_for_its_texts_reaches_the_person_once(
    alice: User, maria: CaseAssignment, double: CaseAssignment
) -> None:
    mass = confirm(make_draft(alice, [maria, double]))
    join(maria, double)
    mass_filling.fill(now=timezone.now())
    places = MassMessageRecipient.objects.filter(mass_message=mass).order_by("pk").values_list("client", "left_out")
    assert Message.objects.filter(mass_message=mass).count() == 1
    assert list(places) == [(maria.client_id, ""), (double.client_id, LeftOut.MERGED)]


def test_who_was_merged_before_points_to_the_last_one(
    alice: User, maria: CaseAssignment, double: CaseAssignment
) -> None:
    first = builders.make_client(alice)
    join(double, first)
    join(maria, double)
    assert Client.objects.get(pk=first.client_id).merged_into == maria.client
