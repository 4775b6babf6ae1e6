"""An unclaimed client is claimed, given, joined to one's own, or dismissed: all of it, once, and by whom it may be."""

from datetime import timedelta

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.models import AuditEntry, Department, OutgoingEmail, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import access
from messaging.actions import claiming
from messaging.actions.claiming import Details, NotAColleague, NotDismissed, NotUnclaimed
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

STRANGER = "+18015550177"
State = Message.State


@pytest.fixture
def stranger(department: Department) -> CaseAssignment:
    """Who texted twice, unread, and was answered by Bob in between."""
    unclaimed = builders.make_client(None, department=department, address=STRANGER, first_name="", last_name="")
    builders.make_incoming(unclaimed, "Hello", at=builders.minutes_ago(30))
    builders.make_outgoing(unclaimed, "Who is this?", state=State.DELIVERED, at=builders.minutes_ago(20))
    builders.make_incoming(unclaimed, "It's Maria Lopez", at=builders.minutes_ago(10))
    return unclaimed


def details(department: Department, **fields: str) -> Details:
    status = ClientStatus.objects.get(department=department, name="Active")
    return Details(**{"first_name": "Maria", "last_name": "Lopez", **fields}, status=status)


def claim(stranger: CaseAssignment, by: User, to: User | None = None, **fields: str) -> CaseAssignment:
    assert by.department is not None
    return claiming.claim(
        client_id=stranger.client_id, details=details(by.department, **fields), by=by, to=to, now=timezone.now()
    )


def join(stranger: CaseAssignment, own: CaseAssignment, by: User, *, texts_new_number: bool = True) -> None:
    claiming.join_to_own(
        client_id=stranger.client_id,
        own_client_id=own.client_id,
        texts_new_number=texts_new_number,
        by=by,
        now=timezone.now(),
    )
    own.refresh_from_db()


def dismiss(stranger: CaseAssignment, by: User) -> None:
    claiming.dismiss(client_id=stranger.client_id, by=by, now=timezone.now())
    stranger.refresh_from_db()


def undo(stranger: CaseAssignment, by: User) -> None:
    claiming.take_back_dismissal(client_id=stranger.client_id, by=by, now=timezone.now())
    stranger.refresh_from_db()


def bodies(assignment: CaseAssignment) -> list[str]:
    return list(Message.objects.filter(assignment=assignment).order_by("placed_at").values_list("body", flat=True))


def logged(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


# --- Claim ---


def test_a_claim_brings_all_messages_and_what_is_unread_stays_unread(stranger: CaseAssignment, alice: User) -> None:
    mine = claim(stranger, alice, notes="tall", id_number="A-17", language="Spanish")
    assert bodies(mine) == ["Hello", "Who is this?", "It's Maria Lopez"]
    mine.refresh_from_db()
    stranger.refresh_from_db()
    assert (mine.case_manager, mine.unread_count, mine.notes, str(mine.status)) == (alice, 2, "tall", "Active")
    assert (stranger.is_open, stranger.end_reason, stranger.unread_count) == (False, "claimed", 0)
    client = Client.objects.get()
    assert (client.full_name, client.id_number, client.language) == ("Maria Lopez", "A-17", "Spanish")
    assert client.search_key == "maria lopez a-17"


def test_a_claim_stands_in_the_conversation_and_in_the_log(stranger: CaseAssignment, alice: User) -> None:
    claim(stranger, alice)
    event = ConversationEvent.objects.get()
    assert (event.kind, event.by, event.to_person) == ("claimed", alice, alice)
    entry = logged("client.claimed")
    assert (entry.by, entry.subject, entry.details) == (
        alice, f"client:{stranger.client_id}", {"case_manager": alice.pk},
    )  # fmt: skip
    assert not OutgoingEmail.objects.exists()


def test_a_claimed_client_is_gone_for_everybody_else_at_once(
    stranger: CaseAssignment, alice: User, bob: User, charlie: User
) -> None:
    assert access.conversation_for(bob, stranger.client_id).can_answer
    claim(stranger, alice)
    for person in (bob, charlie):
        with pytest.raises(Http404):
            access.conversation_for(person, stranger.client_id)
    assert access.own_conversation_for(alice, stranger.client_id).is_own


def test_of_two_claims_the_second_is_refused_and_told_who_has_the_client(
    stranger: CaseAssignment, alice: User, bob: User
) -> None:
    claim(stranger, alice)
    with pytest.raises(NotUnclaimed):
        claim(stranger, bob, last_name="Other")
    assert access.taken_by(bob, stranger.client_id, timezone.now()) == alice
    assert Client.objects.get().last_name == "Lopez"


def test_who_has_a_client_is_told_only_of_one_that_was_unclaimed_lately_and_only_in_the_department(
    stranger: CaseAssignment, alice: User, bob: User, charlie: User
) -> None:
    claim(stranger, alice)
    never_unclaimed = builders.make_client(alice)
    now = timezone.now()
    for asker, client_id, at in [
        (charlie, stranger.client_id, now),
        (bob, never_unclaimed.client_id, now),
        (bob, stranger.client_id, now + timedelta(days=2)),
        (bob, 10**40, now),
    ]:
        with pytest.raises(Http404):
            access.taken_by(asker, client_id, at)


def test_nobody_of_another_department_claims(stranger: CaseAssignment, charlie: User) -> None:
    with pytest.raises(NotYours):
        claim(stranger, charlie)
    stranger.refresh_from_db()
    assert stranger.is_open


def test_a_claim_takes_up_an_earlier_assignment_and_drops_no_notes(stranger: CaseAssignment, alice: User) -> None:
    earlier = CaseAssignment.objects.create(
        client=stranger.client, case_manager=alice, notes="old", ended_at=builders.minutes_ago(900), end_reason="left"
    )
    mine = claim(stranger, alice, notes="new")
    assert mine == earlier
    assert mine.notes.startswith("old\n\n")
    assert mine.notes.endswith("\nnew")


def test_what_is_held_comes_along_and_can_be_settled(stranger: CaseAssignment, alice: User) -> None:
    builders.make_outgoing(stranger, "held", state=State.HELD, hold_reason="too_late")
    mine = claim(stranger, alice)
    mine.refresh_from_db()
    assert mine.held_count == 1


# --- Give ---


def test_a_supervisor_gives_the_client_to_a_colleague_who_is_told(
    stranger: CaseAssignment, alice: User, supervisor: User
) -> None:
    builders.make_incoming(stranger, "a secret word")
    given = claim(stranger, supervisor, alice)
    assert given.case_manager == alice
    event = ConversationEvent.objects.get()
    assert (event.by, event.to_person) == (supervisor, alice)
    mail = OutgoingEmail.objects.get()
    assert mail.to == alice.email
    assert f"/conversations/{stranger.client_id}/" in mail.text_body
    assert "Sue Stone" in mail.text_body
    assert "Maria Lopez" in mail.html_body
    assert "secret" not in mail.subject + mail.text_body + mail.html_body


def test_only_a_supervisor_gives(stranger: CaseAssignment, alice: User, bob: User) -> None:
    with pytest.raises(NotYours):
        claim(stranger, alice, bob)


def test_nobody_gets_a_client_whose_account_is_closed_or_elsewhere(
    stranger: CaseAssignment, alice: User, charlie: User, supervisor: User
) -> None:
    alice.is_active = False
    alice.save()
    for person in (alice, charlie):
        with pytest.raises(NotAColleague):
            claim(stranger, supervisor, person)
    stranger.refresh_from_db()
    assert stranger.is_open


# --- Join ---


def test_joining_brings_the_texts_along_and_texts_the_new_number(stranger: CaseAssignment, alice: User) -> None:
    own = builders.make_client(alice)
    before = builders.number_of(own)
    builders.make_incoming(own, "from the old phone", at=builders.minutes_ago(25))
    scheduled = builders.make_scheduled(own)
    join(stranger, own, alice)
    assert bodies(own)[:4] == ["Hello", "from the old phone", "Who is this?", "It's Maria Lopez"]
    assert (own.unread_count, own.scheduled_count) == (3, 1)
    assert builders.number_of(own).address == STRANGER
    event = ConversationEvent.objects.get()
    assert (event.kind, event.by, event.client) == ("number_changed", alice, own.client)
    assert (event.old_address, event.new_address) == (before.address, STRANGER)
    scheduled.refresh_from_db()
    assert scheduled.state == State.WAITING
    entry = logged("client.joined")
    assert entry.details["number_before"] == before.pk
    assert entry.details["joined"] == stranger.client_id


def test_joining_may_keep_the_old_number_and_both_lead_here(stranger: CaseAssignment, alice: User) -> None:
    own = builders.make_client(alice)
    before = builders.number_of(own)
    text = builders.inbound_text(stranger, "once more")
    join(stranger, own, alice, texts_new_number=False)
    assert builders.number_of(own) == before
    event = ConversationEvent.objects.get()
    assert (event.old_address, event.new_address) == ("", STRANGER)
    assert receive_text(text=text, now=timezone.now()).assignment == own


def test_joining_a_client_who_is_on_no_number_takes_the_new_one(stranger: CaseAssignment, alice: User) -> None:
    own = builders.make_client(alice)
    PhoneNumber.objects.filter(client=own.client).update(is_current=False)
    join(stranger, own, alice, texts_new_number=False)
    assert builders.number_of(own).address == STRANGER


def test_nothing_goes_out_to_a_new_number_that_has_opted_out(stranger: CaseAssignment, alice: User) -> None:
    PhoneNumber.objects.filter(address=STRANGER).update(opted_out_at=timezone.now(), opted_out_source="keyword")
    own = builders.make_client(alice)
    scheduled = builders.make_scheduled(own)
    join(stranger, own, alice)
    scheduled.refresh_from_db()
    assert (scheduled.state, scheduled.hold_reason) == ("held", "opted_out")


def test_one_joins_only_to_ones_own(stranger: CaseAssignment, alice: User, bob: User, charlie: User) -> None:
    of_bob, of_charlie = builders.make_client(bob), builders.make_client(charlie)
    for own in (of_bob, of_charlie, stranger):
        with pytest.raises(NotYours):
            join(stranger, own, alice)
    with pytest.raises(NotYours):
        join(stranger, of_charlie, charlie)
    stranger.refresh_from_db()
    assert stranger.is_open


def test_who_joins_too_late_is_refused_and_told_who_has_the_client(
    stranger: CaseAssignment, alice: User, bob: User
) -> None:
    own, of_bob = builders.make_client(alice), builders.make_client(bob)
    join(stranger, own, alice)
    with pytest.raises(NotUnclaimed):
        join(stranger, of_bob, bob)
    assert access.taken_by(bob, stranger.client_id, timezone.now()) == alice
    assert len(bodies(own)) == 3


# --- Dismiss ---


def test_a_dismissed_number_is_off_the_list_and_what_waits_is_cancelled(
    stranger: CaseAssignment, supervisor: User, bob: User
) -> None:
    waiting = builders.make_outgoing(stranger, "Tomorrow", at=timezone.now() + timedelta(hours=9))
    held = builders.make_outgoing(stranger, "held", state=State.HELD, hold_reason="too_late")
    dismiss(stranger, supervisor)
    assert (stranger.is_open, stranger.end_reason, stranger.held_count) == (False, "dismissed", 0)
    assert PhoneNumber.objects.get().dismissed_at is not None
    assert set(Message.objects.filter(pk__in=[waiting.pk, held.pk]).values_list("state", flat=True)) == {"cancelled"}
    assert ConversationEvent.objects.get().kind == "dismissed"
    assert logged("client.dismissed").by == supervisor
    with pytest.raises(Http404):
        access.conversation_for(bob, stranger.client_id)
    shown = access.conversation_for(supervisor, stranger.client_id)
    assert (shown.is_dismissed, shown.can_answer) == (True, False)


def test_only_supervisors_of_the_department_dismiss(stranger: CaseAssignment, alice: User, charlie: User) -> None:
    other = builders.make_user(charlie.department, "Sam Stone", role=User.Role.SUPERVISOR)
    for person in (alice, charlie, other):
        with pytest.raises(NotYours):
            dismiss(stranger, person)
        with pytest.raises(NotYours):
            undo(stranger, person)
    assert stranger.is_open


def test_a_case_managers_client_is_not_dismissed(alice: User, supervisor: User) -> None:
    with pytest.raises(NotUnclaimed):
        dismiss(builders.make_client(alice), supervisor)


def test_a_dismissed_number_that_texts_again_is_back_with_its_texts_and_gets_no_reply(
    stranger: CaseAssignment, supervisor: User
) -> None:
    Department.objects.update(automatic_reply="Who are you?")
    text = builders.inbound_text(stranger, "me again")
    Message.objects.filter(direction="out").update(author=None)  # nobody has written there
    dismiss(stranger, supervisor)
    message = receive_text(text=text, now=timezone.now())
    stranger.refresh_from_db()
    assert (message.assignment, stranger.is_open) == (stranger, True)
    assert bodies(stranger) == ["Hello", "Who is this?", "It's Maria Lopez", "me again"]


def test_undoing_puts_it_back_as_if_it_had_waited_all_the_time(stranger: CaseAssignment, supervisor: User) -> None:
    since = stranger.started_at
    dismiss(stranger, supervisor)
    undo(stranger, supervisor)
    assert (stranger.is_open, stranger.started_at, stranger.end_reason) == (True, since, "")
    assert PhoneNumber.objects.get().dismissed_at is None
    assert logged("client.dismissal_undone").by == supervisor
    with pytest.raises(NotDismissed):
        undo(stranger, supervisor)


def test_a_dismissal_that_a_text_undid_is_not_undone_again(stranger: CaseAssignment, supervisor: User) -> None:
    dismiss(stranger, supervisor)
    receive_text(text=builders.inbound_text(stranger), now=timezone.now())
    with pytest.raises(NotDismissed):
        undo(stranger, supervisor)


def test_a_dismissed_client_can_still_be_added_by_number(stranger: CaseAssignment, supervisor: User) -> None:
    dismiss(stranger, supervisor)
    assert routing.number_for(supervisor.department, STRANGER, timezone.now()).client == stranger.client  # type: ignore[arg-type]
