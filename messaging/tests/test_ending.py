"""Taking a client off one's list and back, in every order."""

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent
from messaging import delivery
from messaging.actions.caseload import AccountClosed, NewClient, add_client
from messaging.actions.ending import NewTexts, Restored, delete_client, restore_client
from messaging.actions.people import HasActiveClients, disable_person
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours
from messaging.known_numbers import SAME_PERSON, ColleaguesClient
from messaging.mass_choice import LeftOut
from messaging.models import MassMessageRecipient, Message
from messaging.sms import NotTaken, OutboundText
from messaging.tests.carriers import Carrier
from messaging.tests.mass import make_mass
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EndReason = CaseAssignment.EndReason


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def delete(assignment: CaseAssignment, *, seen_up_to: int = 2**62, by: User | None = None) -> int:
    case_manager = by or assignment.case_manager
    assert case_manager is not None
    cancelled = delete_client(
        client_id=assignment.client_id, seen_up_to=seen_up_to, by=case_manager, now=timezone.now()
    )
    assignment.refresh_from_db()
    return cancelled


def restore(client: Client, by: User) -> Restored:
    return restore_client(client_id=client.pk, by=by, now=timezone.now())


def text(assignment: CaseAssignment, body: str = "Hello") -> CaseAssignment:
    """Where a text from the client ends up."""
    return receive_text(text=builders.inbound_text(assignment, body), now=timezone.now()).assignment


def kinds(client: Client) -> list[str]:
    return list(ConversationEvent.objects.filter(client=client).order_by("pk").values_list("kind", flat=True))


def test_a_deleted_client_leaves_the_list_and_the_messages_are_kept(maria: CaseAssignment, alice: User) -> None:
    message = builders.make_incoming(maria)
    delete(maria)
    message.refresh_from_db()
    assert (maria.is_open, maria.end_reason, message.assignment) == (False, "deleted", maria)
    event = ConversationEvent.objects.get()
    assert (event.kind, event.by) == ("deleted", alice)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.by) == ("client.deleted", f"client:{maria.client_id}", alice)
    assert entry.details == {"before": {"status": "Active", "unread": 1}, "cancelled": 0}


def test_what_waits_and_what_was_held_is_cancelled(maria: CaseAssignment) -> None:
    builders.make_scheduled(maria)
    builders.make_outgoing(maria)
    builders.make_outgoing(maria, state=Message.State.HELD, hold_reason="too_late")
    sent = builders.make_outgoing(maria, state=Message.State.DELIVERED)
    assert delete(maria) == 3
    states = Message.objects.exclude(pk=sent.pk).values_list("state", "hold_reason").distinct()
    assert list(states) == [("cancelled", "")]
    assert (maria.scheduled_count, maria.held_count) == (0, 0)
    sent.refresh_from_db()
    assert sent.state == "delivered"


def test_a_text_of_a_mass_message_says_why_it_was_not_sent(maria: CaseAssignment, alice: User) -> None:
    make_mass(alice, [maria])
    delete(maria)
    assert MassMessageRecipient.objects.get().left_out == LeftOut.NOT_YOURS


def test_a_text_in_hand_that_comes_back_is_cancelled(maria: CaseAssignment) -> None:
    message = builders.make_outgoing(maria, at=builders.minutes_ago(1))

    def delete_meanwhile(_text: OutboundText) -> None:
        delete(maria)

    carrier = Carrier(NotTaken(), during_call=delete_meanwhile)
    delivery.deliver_due(carrier)
    Message.objects.update(try_at=None)
    delivery.deliver_due(carrier)
    message.refresh_from_db()
    assert (message.state, len(carrier.taken)) == ("cancelled", 1)


def test_a_text_that_was_not_shown_keeps_the_client(maria: CaseAssignment) -> None:
    shown = builders.make_incoming(maria)
    builders.make_incoming(maria, "wait, one more thing")
    with pytest.raises(NewTexts):
        delete(maria, seen_up_to=shown.pk)
    maria.refresh_from_db()
    assert (maria.is_open, ConversationEvent.objects.count()) == (True, 0)


def test_a_text_that_was_read_elsewhere_meanwhile_is_no_hindrance(maria: CaseAssignment) -> None:
    builders.make_incoming(maria)
    Message.objects.update(read_at=timezone.now())
    delete(maria, seen_up_to=0)
    assert not maria.is_open


def test_a_second_deletion_changes_nothing(maria: CaseAssignment) -> None:
    delete(maria)
    assert delete(maria) == 0
    assert (kinds(maria.client), AuditEntry.objects.count()) == (["deleted"], 1)


def test_nobody_deletes_a_colleagues_client(maria: CaseAssignment, bob: User, supervisor: User) -> None:
    for other in (bob, supervisor):
        with pytest.raises(NotYours):
            delete(maria, by=other)
    assert maria.is_open


def test_a_text_restores_with_the_whole_conversation(maria: CaseAssignment) -> None:
    builders.make_incoming(maria, "from before")
    delete(maria)
    assert text(maria) == maria
    maria.refresh_from_db()
    assert (maria.is_open, maria.unread_count, kinds(maria.client)) == (True, 2, ["deleted", "restored"])


# --- Restored by hand ---


def test_who_deleted_restores(maria: CaseAssignment, alice: User) -> None:
    builders.make_incoming(maria)
    scheduled = builders.make_scheduled(maria)
    delete(maria)
    assert restore(maria.client, alice) == Restored(maria)
    maria.refresh_from_db()
    scheduled.refresh_from_db()
    assert (maria.is_open, maria.unread_count, scheduled.state) == (True, 1, "cancelled")
    assert kinds(maria.client) == ["deleted", "restored"]
    entry = AuditEntry.objects.get(action="client.restored")
    assert (entry.by, entry.details["before"]["was_unclaimed"]) == (alice, False)


def test_a_second_restoration_changes_nothing(maria: CaseAssignment, alice: User) -> None:
    delete(maria)
    restore(maria.client, alice)
    assert restore(maria.client, alice).was_mine
    assert kinds(maria.client) == ["deleted", "restored"]


def test_a_colleague_who_has_the_client_now_is_named(maria: CaseAssignment, alice: User, bob: User) -> None:
    delete(maria)
    add(maria, bob)
    with pytest.raises(ColleaguesClient) as refusal:
        restore(maria.client, alice)
    assert refusal.value.colleague == bob
    maria.refresh_from_db()
    assert not maria.is_open


def add(maria: CaseAssignment, by: User) -> CaseAssignment:
    assert by.department is not None
    status = ClientStatus.objects.filter(department=by.department).first()
    assert status is not None
    new = NewClient("", "Lopez", builders.number_of(maria).address, status)
    return add_client(new=new, by=by, department=by.department, now=timezone.now(), answer=SAME_PERSON).assignment


def test_an_unclaimed_client_comes_back_with_the_texts_of_meanwhile(maria: CaseAssignment, alice: User) -> None:
    delete(maria)
    User.objects.update(is_active=False)  # then a text makes the client unclaimed
    stranger = text(maria, "anybody there?")
    assert stranger.case_manager is None
    User.objects.update(is_active=True)
    assert restore(maria.client, alice) == Restored(maria, was_unclaimed=True)
    maria.refresh_from_db()
    stranger.refresh_from_db()
    assert (maria.unread_count, stranger.unread_count, stranger.end_reason) == (1, 0, "claimed")
    assert Message.objects.get().assignment == maria


def test_a_closed_account_restores_nobody(maria: CaseAssignment, alice: User) -> None:
    delete(maria)
    User.objects.update(is_active=False)
    with pytest.raises(AccountClosed):
        restore(maria.client, alice)


@pytest.mark.parametrize("reason", [reason for reason in EndReason if reason != EndReason.DELETED])
def test_only_what_was_deleted_is_restored(reason: EndReason, maria: CaseAssignment, alice: User) -> None:
    routing.end(maria, reason, timezone.now())
    with pytest.raises(NotYours):
        restore(maria.client, alice)


def test_nobody_restores_what_a_colleague_deleted(maria: CaseAssignment, bob: User, charlie: User) -> None:
    delete(maria)
    for other in (bob, charlie):
        with pytest.raises(NotYours):
            restore(maria.client, other)


def test_a_merged_client_is_not_restored(maria: CaseAssignment, alice: User) -> None:
    delete(maria)
    Client.objects.filter(pk=maria.client_id).update(merged_into=builders.make_client(alice).client)
    with pytest.raises(NotYours):
        restore(maria.client, alice)


# --- In turn ---


@pytest.fixture
def in_turn(maria: CaseAssignment, bob: User) -> CaseAssignment:
    """Alice deleted her, then Bob added and deleted her. Gives Bob's assignment."""
    delete(maria)
    theirs = add(maria, bob)
    delete(theirs)
    return theirs


def test_deleted_by_two_in_turn_a_text_restores_for_the_second(in_turn: CaseAssignment) -> None:
    assert text(in_turn) == in_turn


def test_deleted_by_two_in_turn_each_can_restore(in_turn: CaseAssignment, maria: CaseAssignment, alice: User) -> None:
    assert restore(maria.client, alice).assignment == maria
    assert text(in_turn) == maria
    assert CaseAssignment.objects.filter(client=maria.client, ended_at=None).count() == 1


def test_deleted_by_two_in_turn_the_second_disabled_a_text_is_unclaimed(in_turn: CaseAssignment, bob: User) -> None:
    """Not the first one's: who had her last is gone, and a person looks whose she is now."""
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert text(in_turn).case_manager is None


def test_transferred_then_deleted_by_the_new_one_a_text_restores_for_the_new_one(
    maria: CaseAssignment, bob: User
) -> None:
    routing.end(maria, EndReason.TRANSFERRED, builders.minutes_ago(9))
    theirs = CaseAssignment.objects.create(client=maria.client, case_manager=bob)
    delete(theirs)
    assert text(maria) == theirs


def test_transferred_then_deleted_by_the_new_one_the_first_can_not_restore(
    maria: CaseAssignment, alice: User, bob: User
) -> None:
    routing.end(maria, EndReason.TRANSFERRED, builders.minutes_ago(9))
    delete(CaseAssignment.objects.create(client=maria.client, case_manager=bob))
    with pytest.raises(NotYours):
        restore(maria.client, alice)


def test_a_text_for_a_disabled_case_managers_deleted_client_is_where_everybody_sees_it(
    maria: CaseAssignment, alice: User, bob: User, department: Department
) -> None:
    delete(maria)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    stranger = text(maria)
    assert (stranger.case_manager, stranger.is_open, stranger.unread_count) == (None, True, 1)
    mine = add(maria, bob)
    assert Message.objects.get().assignment == mine


STEPS = ("text", "add", "delete", "restore", "disable", "enable")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), max_size=10))
def test_whatever_happened_before_no_text_lies_where_nobody_was_shown_it(
    alice: User, bob: User, steps: list[tuple[str, int]]
) -> None:
    User.objects.update(is_active=True)
    maria, shown = builders.make_client(alice), set[int]()
    for step, which in [*steps, ("text", 0)]:
        person = (alice, bob)[which]
        before = set(unread(maria))
        if _taken(step, maria, person) and step == "delete":
            shown |= before
        assert set(unread(maria, ended=True)) <= shown
        assert CaseAssignment.objects.filter(client=maria.client, ended_at=None).count() <= 1
    newest = (
        Message.objects.filter(client=maria.client).order_by("pk").select_related("assignment__case_manager").last()
    )
    assert newest is not None
    assert newest.assignment.is_open
    assert newest.assignment.case_manager is None or newest.assignment.case_manager.is_active


def unread(maria: CaseAssignment, *, ended: bool = False) -> list[int]:
    found = Message.objects.filter(client=maria.client, direction="in", read_at=None)
    return list((found.filter(assignment__ended_at__isnull=False) if ended else found).values_list("pk", flat=True))


def _taken(step: str, maria: CaseAssignment, person: User) -> bool:
    """Does it, if this person may; whether it was done."""
    try:
        match step:
            case "text":
                text(maria)
            case "add":
                add(maria, person)
            case "delete":
                delete(maria, by=person)
            case "restore":
                restore(maria.client, person)
            case "disable":
                disable_person(person=person, by=builders.make_user(person.department), now=timezone.now())
            case _:
                User.objects.filter(pk=person.pk).update(is_active=True)
    except (NotYours, AccountClosed, ColleaguesClient, HasActiveClients):
        return False
    return True
