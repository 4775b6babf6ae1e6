"""A transfer: what goes along and what stays, who may do it, and that a refusal changes nothing."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, OutgoingEmail, User
from clients import routing
from clients.models import CaseAssignment, ClientStatus, ConversationEvent
from messaging import access, delivery, held_texts, waiting
from messaging.actions import bulk_moving, moving, people, reading, scheduling, settling
from messaging.actions.moving import ColleagueGone, Move, MovedMeanwhile
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours
from messaging.models import Message
from messaging.tests.carriers import Carrier
from messaging.tests.mass import make_mass, texts_of
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


def transfer(assignment: CaseAssignment, to: User, *, by: User | None = None, **options: Any) -> CaseAssignment:
    former = assignment.case_manager
    assert former is not None
    move = Move(former, to, **options)
    return moving.transfer_client(client_id=assignment.client_id, move=move, by=by or former, now=timezone.now())


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def bodies(assignment: CaseAssignment) -> set[str]:
    return set(Message.objects.filter(assignment=assignment).values_list("body", flat=True))


def everything() -> list[object]:
    tables: list[Any] = [CaseAssignment, Message, ConversationEvent, AuditEntry, OutgoingEmail]
    return [row for table in tables for row in table.objects.order_by("pk").values()]


def test_what_is_unread_or_not_yet_accepted_goes_along_and_the_rest_stays(maria: CaseAssignment, bob: User) -> None:
    reading.mark_read(assignment=maria, messages=[builders.make_incoming(maria, "read").pk], now=timezone.now())
    builders.make_incoming(maria, "unread")
    builders.make_scheduled(maria, "scheduled")
    for state in State:
        if state not in (State.RECEIVED, State.HELD):
            builders.make_outgoing(maria, state.value, state=state)
    builders.make_outgoing(maria, "held", state=State.HELD, hold_reason="too_late")
    builders.make_outgoing(maria, "it arrived", state=State.UNCONFIRMED, arrived_at=timezone.now())
    bobs = transfer(maria, bob)
    assert bodies(bobs) == {"unread", "scheduled", "waiting", "held", "sending", "unknown", "unconfirmed"}
    assert bodies(maria) == {
        *("read", "cancelled", "accepted", "sent", "failed", "undelivered", "delivered", "it arrived"),
    }


def test_the_lists_of_both_are_right_afterwards(maria: CaseAssignment, bob: User) -> None:
    builders.make_incoming(maria)
    builders.make_scheduled(maria)
    bobs = transfer(maria, bob)
    maria.refresh_from_db()
    bobs.refresh_from_db()
    assert (maria.unread_count, maria.scheduled_count, maria.end_reason) == (0, 0, "transferred")
    assert (bobs.unread_count, bobs.scheduled_count, bobs.is_open) == (1, 1, True)


def test_the_status_goes_along_and_the_notes_stay_private(maria: CaseAssignment, alice: User, bob: User) -> None:
    maria.notes = "sister's number"
    maria.status = ClientStatus.objects.get(department=alice.department, name="Inactive")
    maria.save()
    bobs = transfer(maria, bob)
    maria.refresh_from_db()
    assert (bobs.notes, bobs.status, maria.notes) == ("", maria.status, "sister's number")


def test_the_notes_are_copied_if_who_wrote_them_says_so(maria: CaseAssignment, bob: User) -> None:
    maria.notes = "sister's number"
    maria.save()
    assert transfer(maria, bob, takes_notes=True).notes == "sister's number"


def test_a_supervisor_cannot_give_away_notes_that_are_private(
    maria: CaseAssignment, bob: User, supervisor: User
) -> None:
    maria.notes = "sister's number"
    maria.save()
    assert transfer(maria, bob, by=supervisor, takes_notes=True).notes == ""


def test_the_conversation_tells_of_it_with_the_note(maria: CaseAssignment, bob: User, supervisor: User) -> None:
    transfer(maria, bob, by=supervisor, note="Alice is on leave")
    event = ConversationEvent.objects.get(kind="transferred")
    assert (event.from_person, event.to_person, event.by) == (maria.case_manager, bob, supervisor)
    assert event.reason == "Alice is on leave"


def test_the_log_says_who_had_the_client_before_and_holds_no_note(maria: CaseAssignment, bob: User) -> None:
    transfer(maria, bob, note="a private word")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.by) == (
        "client.transferred",
        f"client:{maria.client_id}",
        maria.case_manager,
    )
    assert entry.details == {"before": {"case_manager": maria.case_manager_id}, "to": bob.pk}


def test_the_new_one_gets_a_mail_without_the_notes_words(maria: CaseAssignment, bob: User) -> None:
    builders.make_incoming(maria, "secret words")
    transfer(maria, bob, note="a private word")
    mail = OutgoingEmail.objects.get()
    assert (mail.to, mail.subject) == (bob.email, "Maria Lopez is on your list now")
    for body in (mail.text_body, mail.html_body):
        assert "Alice Adams transferred Maria Lopez to you." in body
        assert "A note for you stands in the conversation." in body
        assert "1 message of theirs is unread." in body
        assert f"/conversations/{maria.client_id}/" in body
        assert "private" not in body
        assert "secret" not in body


def test_a_mail_names_the_supervisor_who_did_it(maria: CaseAssignment, bob: User, supervisor: User) -> None:
    transfer(maria, bob, by=supervisor)
    assert "Sue Stone transferred Maria Lopez from Alice Adams to you." in OutgoingEmail.objects.get().text_body


def test_who_takes_a_client_over_gets_no_mail_about_it(maria: CaseAssignment, supervisor: User) -> None:
    transfer(maria, supervisor, by=supervisor)
    assert not OutgoingEmail.objects.exists()


def test_back_again_reopens_the_old_row_with_its_notes(maria: CaseAssignment, alice: User, bob: User) -> None:
    maria.notes = "sister's number"
    maria.save()
    builders.make_incoming(maria, "from before")
    bobs = transfer(maria, bob)
    builders.make_incoming(bobs, "meanwhile")
    assert transfer(bobs, alice) == maria
    maria.refresh_from_db()
    assert (maria.is_open, maria.notes, maria.unread_count) == (True, "sister's number", 2)
    assert CaseAssignment.objects.filter(client=maria.client).count() == 2


def test_a_text_that_comes_afterwards_goes_to_the_new_one(maria: CaseAssignment, bob: User) -> None:
    bobs = transfer(maria, bob)
    assert receive_text(text=builders.inbound_text(maria), now=timezone.now()).assignment == bobs


def test_a_scheduled_text_goes_out_and_until_then_is_the_new_ones_to_change(
    maria: CaseAssignment, alice: User, bob: User
) -> None:
    text, other = builders.make_scheduled(maria, "from Alice"), builders.make_scheduled(maria, "another")
    bobs = transfer(maria, bob)
    items, _page = waiting.scheduled(bobs, now=timezone.now())
    assert {item.body for item in items} == {"from Alice", "another"}
    text.refresh_from_db()
    assert access.message_for(bob, maria.client_id, text.public_id) == text
    with pytest.raises(NotYours):
        scheduling.delete(message=other, by=alice, now=timezone.now())
    scheduling.delete(message=other, by=bob, now=timezone.now())
    Message.objects.filter(pk=text.pk).update(due_at=timezone.now())
    carrier = Carrier()
    delivery.deliver_due(carrier)
    assert carrier.bodies == ["from Alice"]


def test_a_held_text_is_settled_by_the_new_one_who_is_told_of_it(maria: CaseAssignment, alice: User, bob: User) -> None:
    text = builders.make_outgoing(maria, state=State.HELD, hold_reason="too_late")
    transfer(maria, bob)
    OutgoingEmail.objects.all().delete()
    assert held_texts.tell_authors(now=timezone.now()) == 1
    assert OutgoingEmail.objects.get().to == bob.email
    zone = maria.client.department.zone
    assert [item.public_id for item in waiting.held(bob, zone=zone)[0]] == [text.public_id]
    assert waiting.held(alice, zone=zone)[0] == []
    settling.drop_held(message=text, by=bob, now=timezone.now())


def test_a_supervisor_who_wrote_to_a_colleagues_client_is_told_and_finds_it_listed(
    maria: CaseAssignment, alice: User, supervisor: User
) -> None:
    text = builders.make_outgoing(maria, state=State.HELD, hold_reason="too_late")
    Message.objects.filter(pk=text.pk).update(author=supervisor)
    held_texts.tell_authors(now=timezone.now())
    assert OutgoingEmail.objects.get().to == supervisor.email
    zone = maria.client.department.zone
    assert len(waiting.held(supervisor, zone=zone)[0]) == len(waiting.held(alice, zone=zone)[0]) == 1


def test_texts_of_a_mass_message_go_along_and_still_go_out(maria: CaseAssignment, alice: User, bob: User) -> None:
    now = builders.minutes_ago(1)
    mass = make_mass(alice, [maria, builders.make_client(alice)], now=now)
    bobs = transfer(maria, bob)
    carrier = Carrier()
    type(maria.client.department).objects.update(segments_per_second=None)
    delivery.deliver_due(carrier)
    assert len(carrier.taken) == 2
    assert {text.state for text in texts_of(mass)} == {State.ACCEPTED}
    assert Message.objects.get(assignment=bobs).mass_message == mass


def test_an_unread_text_from_before_is_still_unread_for_the_new_one(maria: CaseAssignment, bob: User) -> None:
    text = builders.make_incoming(maria)
    bobs = transfer(maria, bob)
    text.refresh_from_db()
    assert (text.assignment, text.read_at) == (bobs, None)


def test_the_former_one_can_do_nothing_more(maria: CaseAssignment, alice: User, bob: User) -> None:
    failed = builders.make_outgoing(maria, state=State.FAILED, failure_reason="phone_off")
    transfer(maria, bob)
    with pytest.raises(NotYours):
        settling.try_again(message=failed, by=alice, now=timezone.now())
    assert access.conversation_for(alice, maria.client_id).is_former


# --- Refusals: each names why, and changes nothing -------------------------------------------------------------------


def test_a_closed_account_gets_nobody(maria: CaseAssignment, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    before = everything()
    with pytest.raises(ColleagueGone):
        transfer(maria, bob)
    assert everything() == before


def test_nobody_goes_to_another_department(maria: CaseAssignment, charlie: User, supervisor: User) -> None:
    before = everything()
    for by in (maria.case_manager, supervisor):
        with pytest.raises(ColleagueGone):
            transfer(maria, charlie, by=by)
    assert everything() == before


def test_another_departments_supervisor_moves_nobody(maria: CaseAssignment, charlie: User) -> None:
    theirs = builders.make_user(charlie.department, "Sam Stone", role=User.Role.SUPERVISOR)
    before = everything()
    with pytest.raises(NotYours):
        transfer(maria, charlie, by=theirs)
    assert everything() == before


def test_a_colleague_moves_nobody(maria: CaseAssignment, bob: User) -> None:
    before = everything()
    with pytest.raises(NotYours):
        transfer(maria, bob, by=bob)
    assert everything() == before


def test_a_client_deleted_meanwhile_stays_deleted(maria: CaseAssignment, bob: User) -> None:
    routing.end(maria, CaseAssignment.EndReason.DELETED, timezone.now())
    before = everything()
    with pytest.raises(MovedMeanwhile) as refusal:
        transfer(maria, bob)
    assert refusal.value.case_manager is None
    assert everything() == before


def test_a_client_transferred_meanwhile_stays_where_they_are(
    maria: CaseAssignment, bob: User, supervisor: User
) -> None:
    transfer(maria, bob)
    before = everything()
    with pytest.raises(MovedMeanwhile) as refusal:
        transfer(maria, supervisor, by=supervisor)
    assert refusal.value.case_manager == bob
    assert everything() == before


def test_to_oneself_is_no_transfer(maria: CaseAssignment, alice: User) -> None:
    before = everything()
    with pytest.raises(MovedMeanwhile):
        transfer(maria, alice)
    assert everything() == before


def test_a_failure_in_the_middle_changes_nothing(
    maria: CaseAssignment, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.make_incoming(maria)
    before = everything()
    monkeypatch.setattr("accounts.mail.queue", None)
    with pytest.raises(TypeError):
        transfer(maria, bob)
    assert everything() == before


# --- Many at once ----------------------------------------------------------------------------------------------------


def move_all(former: User, to: User, by: User, client_ids: list[int] | None = None) -> bulk_moving.Moved:
    ids = bulk_moving.next_batch(former) if client_ids is None else client_ids
    return bulk_moving.move_clients(
        client_ids=ids, move=Move(former, to, note="Alice leaves"), by=by, now=timezone.now()
    )


def test_a_supervisor_moves_many_with_one_mail(alice: User, bob: User, supervisor: User) -> None:
    builders.make_caseload(alice, 5)
    assert move_all(alice, bob, supervisor).count == 5
    mail = OutgoingEmail.objects.get()
    assert (mail.to, mail.subject) == (bob.email, "Clients of Alice Adams are on your list now")
    assert "Sue Stone transferred clients of Alice Adams to you." in mail.text_body
    assert "leaves" not in mail.text_body
    assert ConversationEvent.objects.filter(kind="transferred", reason="Alice leaves").count() == 5
    assert not people.disable_person(person=alice, by=supervisor, now=timezone.now()).is_active


def test_the_next_hundred_are_told_of_with_the_first(
    alice: User, bob: User, supervisor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_moving, "BATCH", 2)
    builders.make_caseload(alice, 5)
    assert [move_all(alice, bob, supervisor).count for _ in range(4)] == [2, 2, 1, 0]
    assert OutgoingEmail.objects.count() == 1
    assert AuditEntry.objects.filter(action="clients.moved").count() == 3


def test_who_has_left_the_list_meanwhile_is_named_and_stops_nobody_else(
    alice: User, bob: User, supervisor: User
) -> None:
    first, second, third = builders.make_caseload(alice, 3)
    ids = bulk_moving.next_batch(alice)
    transfer(first, supervisor)
    routing.end(second, CaseAssignment.EndReason.DELETED, timezone.now())
    moved = move_all(alice, bob, supervisor, ids)
    assert (moved.count, moved.left) == (1, {first.client_id: supervisor, second.client_id: None})
    assert CaseAssignment.objects.get(client=third.client, ended_at=None).case_manager == bob


def test_asked_twice_moves_once(alice: User, bob: User, supervisor: User) -> None:
    builders.make_caseload(alice, 3)
    ids = bulk_moving.next_batch(alice)
    move_all(alice, bob, supervisor, ids)
    before = everything()
    assert move_all(alice, bob, supervisor, ids).count == 0
    assert everything() == before


def test_a_case_manager_moves_nobody_in_bulk(alice: User, bob: User) -> None:
    builders.make_caseload(alice, 1)
    with pytest.raises(NotYours):
        move_all(alice, bob, alice)


def test_a_supervisor_moves_nobody_of_another_department(bob: User, charlie: User, supervisor: User) -> None:
    builders.make_caseload(charlie, 1)
    with pytest.raises(NotYours):
        move_all(charlie, bob, supervisor)


def test_what_was_moved_before_an_account_was_closed_is_told(
    alice: User, bob: User, supervisor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.make_caseload(alice, 3)
    one = moving.transfer_client

    def one_and_then_none(**options: Any) -> CaseAssignment:
        if ConversationEvent.objects.filter(kind="transferred").exists():
            raise ColleagueGone(bob)
        return one(**options)

    monkeypatch.setattr(moving, "transfer_client", one_and_then_none)
    with pytest.raises(ColleagueGone):
        move_all(alice, bob, supervisor)
    assert OutgoingEmail.objects.filter(to=bob.email).count() == 1
