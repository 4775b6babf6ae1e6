"""Two of one's clients become one: which name, which number, and that a refusal or a failure changes nothing."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, User
from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber
from messaging import joining
from messaging.actions import merging, moving, sending
from messaging.actions.merging import Choice, NotBothYours, SameClient
from messaging.actions.receiving import receive_text
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def double(alice: User) -> CaseAssignment:
    return builders.make_client(alice, first_name="Mary", last_name="Lopez-Cruz")


def merge(
    kept: CaseAssignment,
    given_up: CaseAssignment,
    *,
    by: User | None = None,
    name: CaseAssignment | None = None,
    number: CaseAssignment | None = None,
) -> CaseAssignment:
    choice = Choice((name or kept).client_id, (number or kept).client_id)
    by = by or kept.case_manager
    assert by is not None
    merged = merging.merge_clients(
        kept_id=kept.client_id, given_up_id=given_up.client_id, choice=choice, by=by, now=timezone.now()
    )
    kept.refresh_from_db()
    return merged


def everything() -> list[object]:
    tables: list[Any] = [Client, PhoneNumber, CaseAssignment, Message, ConversationEvent, AuditEntry]
    return [row for table in tables for row in table.objects.order_by("pk").values()]


def client_of(assignment: CaseAssignment) -> Client:
    return Client.objects.get(pk=assignment.client_id)


def test_both_talks_are_one_with_a_line_that_says_so(maria: CaseAssignment, double: CaseAssignment) -> None:
    builders.make_incoming(maria, "first", at=builders.minutes_ago(9))
    builders.make_incoming(double, "second", at=builders.minutes_ago(8))
    builders.make_scheduled(double, "third")
    assert merge(maria, double) == maria
    talk = Message.objects.filter(client=maria.client, assignment=maria).order_by("placed_at")
    assert list(talk.values_list("body", flat=True)) == ["first", "second", "third"]
    event = ConversationEvent.objects.get(kind="merged")
    assert (event.client, event.other_client, event.by) == (maria.client, double.client, maria.case_manager)
    assert (maria.unread_count, maria.scheduled_count) == (2, 1)


def test_the_later_contact_is_kept(maria: CaseAssignment, double: CaseAssignment) -> None:
    builders.make_incoming(maria, at=builders.minutes_ago(60))
    late = builders.make_incoming(double, at=builders.minutes_ago(5))
    assert merge(maria, double).last_contact_at == late.placed_at


def test_the_chosen_name_and_number_survive(maria: CaseAssignment, double: CaseAssignment) -> None:
    theirs = builders.number_of(double)
    merge(maria, double, name=double, number=double)
    assert client_of(maria).full_name == "Mary Lopez-Cruz"
    assert "lopez-cruz" in client_of(maria).search_key
    assert builders.number_of(maria) == theirs


def test_what_is_chosen_of_the_survivor_stays(maria: CaseAssignment, double: CaseAssignment) -> None:
    mine = builders.number_of(maria)
    merge(maria, double)
    assert (client_of(maria).full_name, builders.number_of(maria)) == ("Maria Lopez", mine)


def test_only_empty_fields_are_filled(maria: CaseAssignment, double: CaseAssignment) -> None:
    Client.objects.filter(pk=maria.client_id).update(first_name="", id_number="A-1")
    Client.objects.filter(pk=double.client_id).update(id_number="B-2", language="Spanish")
    merge(maria, double)
    kept = client_of(maria)
    assert (kept.full_name, kept.id_number, kept.language) == ("Mary Lopez", "A-1", "Spanish")
    assert AuditEntry.objects.get().details["before"]["given_up"]["id_number"] == "B-2"


def test_an_empty_part_of_the_chosen_name_is_filled_too(maria: CaseAssignment, double: CaseAssignment) -> None:
    Client.objects.filter(pk=double.client_id).update(first_name="")
    merge(maria, double, name=double)
    assert client_of(maria).full_name == "Maria Lopez-Cruz"


def test_notes_are_joined(maria: CaseAssignment, double: CaseAssignment) -> None:
    for assignment, notes in ((maria, "tall"), (double, "drives")):
        assignment.notes = notes
        assignment.save()
    merged = merge(maria, double)
    assert merged.notes.startswith("tall\n\n")
    assert merged.notes.endswith(":\ndrives")


@pytest.mark.parametrize("chosen", ["maria", "double"])
def test_a_text_from_either_number_arrives_there(
    chosen: str, maria: CaseAssignment, double: CaseAssignment, request: pytest.FixtureRequest
) -> None:
    texts = [builders.inbound_text(maria), builders.inbound_text(double)]
    merge(maria, double, number=request.getfixturevalue(chosen))
    assert {receive_text(text=text, now=timezone.now()).assignment_id for text in texts} == {maria.pk}


def test_a_survivor_without_a_number_gets_the_others(maria: CaseAssignment, double: CaseAssignment) -> None:
    PhoneNumber.objects.filter(client=maria.client).update(is_current=False)
    theirs = builders.number_of(double)
    merge(maria, double)
    assert builders.number_of(maria) == theirs


def test_who_types_to_the_one_given_up_is_told(maria: CaseAssignment, double: CaseAssignment, alice: User) -> None:
    merge(maria, double)
    with pytest.raises(sending.NotYours):
        sending.send_message(
            client_id=double.client_id, body="Hi", by=alice, submission_key=uuid.uuid4(), now=timezone.now()
        )


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_one_client_is_not_merged_with_itself(maria: CaseAssignment) -> None:
    before = everything()
    with pytest.raises(SameClient):
        merge(maria, maria)
    assert everything() == before


def test_both_must_be_ones_own(
    maria: CaseAssignment, double: CaseAssignment, bob: User, supervisor: User, charlie: User
) -> None:
    bobs = builders.make_client(bob)
    unclaimed = builders.make_client(None, department=bob.department)
    elsewhere = builders.make_client(charlie)
    before = everything()
    for kept, given_up in ((maria, bobs), (bobs, maria), (maria, unclaimed), (maria, elsewhere)):
        with pytest.raises(NotBothYours):
            merge(kept, given_up, by=maria.case_manager)
    for by in (bob, supervisor, charlie):
        with pytest.raises(NotBothYours):
            merge(maria, double, by=by)
    assert everything() == before


def test_one_that_left_the_list_meanwhile_is_refused(
    maria: CaseAssignment, double: CaseAssignment, alice: User, bob: User
) -> None:
    third, fourth = builders.make_client(alice), builders.make_client(alice)
    routing.end(double, CaseAssignment.EndReason.DELETED, timezone.now())
    move = moving.Move(alice, bob)
    moving.transfer_client(client_id=third.client_id, move=move, by=alice, now=timezone.now())
    merge(maria, fourth)
    before = everything()
    for gone in (double, third, fourth):
        for pair in ((maria, gone), (gone, maria)):
            with pytest.raises(NotBothYours):
                merge(*pair)
    assert everything() == before


@pytest.mark.parametrize("step", ["_move_assignments", "_move_messages", "_move_numbers", "_hold_what_may_not_go"])
def test_a_failure_in_the_middle_leaves_both_unchanged(
    step: str, maria: CaseAssignment, double: CaseAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.make_incoming(double)
    builders.make_scheduled(maria)
    before = everything()

    def breaks(*_whatever: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(joining, step, breaks)
    with pytest.raises(RuntimeError):
        merge(maria, double, name=double, number=double)
    maria.client.refresh_from_db()
    assert everything() == before
