"""Changing what is known of a client, and each case of a number that is known already."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import delivery
from messaging.actions.managing import Changed, ChangedMeanwhile
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours
from messaging.known_numbers import SAME_PERSON, Answer, Choice, ColleaguesClient, MustAsk, Whose
from messaging.models import Message
from messaging.tests.carriers import Carrier
from messaging.tests.managing import change, fields
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EndReason = CaseAssignment.EndReason
OLD, NEW = "+18015550177", "+18015550188"


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice, address=OLD)


def numbers_of(assignment: CaseAssignment) -> dict[str, bool]:
    """Each with whether it is current."""
    return dict(PhoneNumber.objects.filter(client=assignment.client).values_list("address", "is_current"))


def events_of(client: Client) -> list[tuple[str, str, str]]:
    events = ConversationEvent.objects.filter(client=client).order_by("pk")
    return list(events.values_list("kind", "old_address", "new_address"))


def everything() -> list[Any]:
    models = (Client, PhoneNumber, CaseAssignment, ConversationEvent, AuditEntry, Message)
    return [list(model.objects.order_by("pk").values()) for model in models]


def asked(assignment: CaseAssignment, answer: Answer | None = None, **typed: Any) -> MustAsk:
    """Nothing is written before the answer."""
    before = everything()
    with pytest.raises(MustAsk) as question:
        change(assignment, answer, **typed)
    assert everything() == before
    return question.value


def deleted(assignment: CaseAssignment) -> CaseAssignment:
    routing.end(assignment, EndReason.DELETED, builders.minutes_ago(5))
    return assignment


def test_all_fields_are_written_and_the_log_keeps_what_was_there(maria: CaseAssignment, alice: User) -> None:
    CaseAssignment.objects.update(notes="a secret")
    inactive = ClientStatus.objects.get(name="Inactive")
    typed: dict[str, Any] = {
        "first_name": "Mária",
        "last_name": "Cruz",
        "id_number": "A-17",
        "language": "Spanish",
        "notes": "new",
    }
    changed = change(maria, **typed, status=inactive)
    maria.refresh_from_db()
    client = Client.objects.get(pk=maria.client_id)
    assert (client.full_name, client.id_number, client.language) == ("Mária Cruz", "A-17", "Spanish")
    assert client.search_key == "maria cruz a-17"
    assert (maria.notes, maria.status, changed) == ("new", inactive, Changed(maria))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.by) == ("client.changed", f"client:{client.pk}", alice)
    assert entry.details["before"] == {
        "first_name": "Maria", "last_name": "Lopez", "id_number": "", "language": "", "notes": "changed",
        "status": "Active",
    }  # fmt: skip
    assert events_of(client) == []


def test_a_field_that_is_emptied_is_empty(maria: CaseAssignment) -> None:
    change(maria, first_name="")
    assert Client.objects.get(pk=maria.client_id).full_name == "Lopez"


def test_the_same_form_twice_is_written_down_once(maria: CaseAssignment) -> None:
    seen = fields(maria).stamp
    change(maria, seen=seen, phone_number=NEW)
    before = everything()
    change(maria, seen=seen, phone_number=NEW)
    assert everything() == before


def test_a_new_number_is_an_event_and_the_old_one_still_arrives(maria: CaseAssignment, department: Department) -> None:
    old_text = builders.inbound_text(maria, "from the old phone")
    changed = change(maria, phone_number=NEW)
    assert (changed.old_address, changed.new_address, changed.joined) == (OLD, NEW, False)
    assert numbers_of(maria) == {OLD: False, NEW: True}
    assert events_of(maria.client) == [("number_changed", OLD, NEW)]
    assert receive_text(text=old_text, now=timezone.now()).assignment == maria
    assert AuditEntry.objects.get().details["before"] == {"phone_number": OLD}


def test_what_is_scheduled_goes_to_the_new_number(maria: CaseAssignment) -> None:
    builders.make_outgoing(maria, at=builders.minutes_ago(1))
    change(maria, phone_number=NEW)
    carrier = Carrier()
    delivery.deliver_due(carrier)
    assert [text.to_number for text in carrier.taken] == [NEW]


def test_what_was_held_because_of_the_old_number_stays_held(maria: CaseAssignment) -> None:
    held = builders.make_outgoing(maria, state=Message.State.HELD, hold_reason="opted_out")
    change(maria, phone_number=NEW)
    held.refresh_from_db()
    assert held.state == "held"


def test_a_number_that_opted_out_holds_what_is_scheduled(maria: CaseAssignment) -> None:
    scheduled = builders.make_scheduled(maria)
    PhoneNumber.objects.create(
        department=maria.client.department, client=maria.client, address=NEW, is_current=False,
        opted_out_at=timezone.now(), opted_out_source="keyword",
    )  # fmt: skip
    change(maria, phone_number=NEW)
    scheduled.refresh_from_db()
    maria.refresh_from_db()
    assert (scheduled.state, scheduled.hold_reason, maria.held_count) == ("held", "opted_out", 1)


def test_a_number_that_this_client_gave_up_is_current_again(maria: CaseAssignment) -> None:
    change(maria, phone_number=NEW)
    change(maria, phone_number=OLD)
    assert numbers_of(maria) == {OLD: True, NEW: False}
    assert [event[1:] for event in events_of(maria.client)] == [(OLD, NEW), (NEW, OLD)]


def test_a_client_without_a_number_gets_one(maria: CaseAssignment) -> None:
    PhoneNumber.objects.all().delete()
    assert change(maria, phone_number=NEW).old_address == ""
    assert events_of(maria.client) == [("number_changed", "", NEW)]


# --- A number that is known ---


def test_strangers_texts_are_shown_and_then_joined(maria: CaseAssignment, department: Department) -> None:
    stranger = builders.make_client(None, department=department, address=NEW, first_name="", last_name="")
    text = builders.make_incoming(stranger, "my new number")
    question = asked(maria, phone_number=NEW)
    assert (question.known.whose, question.known.client) == (Whose.STRANGERS, stranger.client)
    changed = change(maria, Answer(Choice.SAME, stranger.client_id), phone_number=NEW, notes="typed with it")
    text.refresh_from_db()
    maria.refresh_from_db()
    assert (text.assignment, text.client, maria.unread_count) == (maria, maria.client, 1)
    assert (changed.joined, maria.notes) == (True, "typed with it")
    assert numbers_of(maria) == {OLD: False, NEW: True}
    assert events_of(maria.client) == [("number_changed", OLD, NEW)]
    assert Client.objects.get(pk=stranger.client_id).merged_into == maria.client
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"client.changed", "client.joined"}


def test_a_dismissed_number_is_joined_with_its_texts(maria: CaseAssignment, department: Department) -> None:
    stranger = builders.make_client(None, department=department, address=NEW, first_name="", last_name="")
    builders.make_incoming(stranger, "hello?")
    routing.end(stranger, EndReason.DISMISSED, timezone.now())
    assert asked(maria, phone_number=NEW).choices == (Choice.SAME,)
    change(maria, SAME_PERSON, phone_number=NEW)
    assert Message.objects.get().assignment == maria


@pytest.mark.parametrize("answer", [None, *(Answer(choice) for choice in Choice)])
def test_for_ones_own_client_a_merge_is_offered_whatever_is_said(
    answer: Answer | None, maria: CaseAssignment, alice: User
) -> None:
    builders.make_client(alice, address=NEW)
    question = asked(maria, answer, phone_number=NEW)
    assert (question.known.whose, question.choices) == (Whose.MINE, ())


def test_a_client_whom_i_deleted_is_joined_or_only_gives_the_number(maria: CaseAssignment, alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NEW, first_name="Mary"))
    text = builders.make_incoming(before, "from before")
    assert asked(maria, phone_number=NEW).choices == (Choice.SAME, Choice.OTHER)
    change(maria, SAME_PERSON, phone_number=NEW)
    text.refresh_from_db()
    assert (text.client, text.assignment) == (maria.client, maria)
    assert [kind for kind, *_addresses in events_of(maria.client)] == ["merged", "number_changed"]
    assert Client.objects.get(pk=before.client_id).merged_into == maria.client


def test_a_client_whom_i_deleted_and_who_is_somebody_else_keeps_the_talk(maria: CaseAssignment, alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NEW))
    text = builders.make_incoming(before, "from before")
    change(maria, Answer(Choice.OTHER, before.client_id), phone_number=NEW)
    text.refresh_from_db()
    assert (text.client, numbers_of(before), numbers_of(maria)) == (before.client, {}, {OLD: False, NEW: True})


@pytest.mark.parametrize("reason", [EndReason.DELETED, EndReason.TRANSFERRED, EndReason.LEFT])
def test_a_colleagues_former_client_gives_the_number_and_keeps_the_talk(
    reason: EndReason, maria: CaseAssignment, bob: User
) -> None:
    theirs = builders.make_client(bob, address=NEW)
    text = builders.make_incoming(theirs, "to Bob")
    routing.end(theirs, reason, timezone.now())
    question = asked(maria, phone_number=NEW)
    assert (question.known.whose, question.known.person, question.choices) == (Whose.FORMER, bob, (Choice.OTHER,))
    asked(maria, SAME_PERSON, phone_number=NEW)
    change(maria, Answer(Choice.OTHER, theirs.client_id), phone_number=NEW)
    text.refresh_from_db()
    assert (text.client, text.assignment, numbers_of(theirs)) == (theirs.client, theirs, {})
    assert numbers_of(maria) == {OLD: False, NEW: True}
    assert events_of(theirs.client) == [("number_changed", NEW, "")]
    taken = AuditEntry.objects.get(action="number.taken")
    assert (taken.subject, taken.details["to"]) == (f"client:{theirs.client_id}", maria.client_id)


@pytest.mark.parametrize("is_current", [True, False])
@pytest.mark.parametrize("answer", [None, *(Answer(choice) for choice in Choice)])
def test_no_number_of_a_colleagues_active_client_is_taken(
    answer: Answer | None, is_current: bool, maria: CaseAssignment, bob: User
) -> None:
    builders.make_client(bob, address=NEW, is_current=is_current)
    before = everything()
    with pytest.raises(ColleaguesClient) as refusal:
        change(maria, answer, phone_number=NEW)
    assert (refusal.value.colleague, refusal.value.was_given_up) == (bob, not is_current)
    assert everything() == before


def test_a_number_that_another_client_of_mine_gave_up_is_taken_after_a_question(
    maria: CaseAssignment, alice: User
) -> None:
    other = builders.make_client(alice)
    PhoneNumber.objects.create(department=maria.client.department, client=other.client, address=NEW, is_current=False)
    assert asked(maria, phone_number=NEW).choices == (Choice.OTHER,)
    change(maria, Answer(Choice.OTHER, other.client_id), phone_number=NEW)
    assert numbers_of(maria)[NEW] is True
    assert list(numbers_of(other).values()) == [True]


def test_another_departments_client_does_not_exist(maria: CaseAssignment, charlie: User) -> None:
    theirs = builders.make_client(charlie, address=NEW)
    change(maria, phone_number=NEW)
    assert numbers_of(theirs) == {NEW: True}
    assert PhoneNumber.objects.filter(address=NEW).count() == 2


# --- Two at once ---


def test_who_did_not_see_the_new_number_overwrites_nothing(maria: CaseAssignment) -> None:
    seen = fields(maria).stamp
    change(maria, phone_number=NEW)
    with pytest.raises(ChangedMeanwhile) as refusal:
        change(maria, seen=seen, phone_number=OLD, last_name="Cruz")
    assert refusal.value.fields.phone_number == NEW
    assert numbers_of(maria) == {OLD: False, NEW: True}
    assert Client.objects.get(pk=maria.client_id).last_name == "Lopez"


@pytest.mark.parametrize("reason", [EndReason.DELETED, EndReason.TRANSFERRED])
def test_a_client_who_is_no_longer_mine_is_not_changed(reason: EndReason, maria: CaseAssignment, bob: User) -> None:
    with pytest.raises(NotYours):
        change(maria, by=bob, last_name="Cruz")
    routing.end(maria, reason, timezone.now())
    with pytest.raises(NotYours):
        change(maria, last_name="Cruz")


def test_the_stamp_says_nothing_and_knows_every_field(maria: CaseAssignment) -> None:
    inactive = ClientStatus.objects.get(name="Inactive")
    stamps = {fields(maria).stamp}
    for name in ("first_name", "last_name", "id_number", "language", "notes"):
        typed: dict[str, Any] = {name: "x"}
        change(maria, **typed)
        stamps.add(fields(maria).stamp)
    change(maria, status=inactive)
    stamps.add(fields(maria).stamp)
    change(maria, phone_number=NEW)
    stamps.add(fields(maria).stamp)
    assert len(stamps) == 8
    assert all(len(stamp) == 24 for stamp in stamps)


def test_the_zone_of_joined_notes_is_the_departments(maria: CaseAssignment, alice: User) -> None:
    before = deleted(builders.make_client(alice, address=NEW))
    CaseAssignment.objects.filter(pk=before.pk).update(notes="old")
    change(maria, SAME_PERSON, phone_number=NEW, notes="typed")
    maria.refresh_from_db()
    day = timezone.now().astimezone(ZoneInfo(maria.client.department.time_zone)).date()
    assert maria.notes == f"typed\n\n{day.isoformat()}:\nold"
