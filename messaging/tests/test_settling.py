"""A person settles what a machine must not: texts that failed, were held, or may not have been sent."""

import uuid

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment, PhoneNumber
from messaging import delivery
from messaging.actions import settling
from messaging.actions.sending import NotYours, RefusedByGate
from messaging.failures import FailureReason, HoldReason
from messaging.models import Message
from tests.builders import make_client, make_incoming, make_outgoing, number_of

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return make_client(alice)


def failed(maria: CaseAssignment, reason: FailureReason = FailureReason.PHONE_OFF) -> Message:
    return make_outgoing(maria, "Court at 9", state=State.UNDELIVERED, failure_reason=reason)


def unconfirmed(maria: CaseAssignment) -> Message:
    return make_outgoing(maria, "Court at 9", state=State.UNCONFIRMED)


def held(maria: CaseAssignment, reason: HoldReason = HoldReason.TOO_LATE) -> Message:
    return make_outgoing(maria, "Court at 9", state=State.HELD, hold_reason=reason)


def url(message: Message, choice: str) -> str:
    return reverse("message-settle", args=[message.client_id, message.public_id, choice])


def test_trying_again_makes_a_new_message_and_leaves_the_old_one(maria: CaseAssignment, alice: User) -> None:
    old = failed(maria)
    new = settling.try_again(message=old, by=alice, now=timezone.now())
    old.refresh_from_db()
    assert (old.state, new.state, new.body, new.retry_of) == (State.UNDELIVERED, State.WAITING, old.body, old)


def test_trying_again_twice_sends_once(maria: CaseAssignment, alice: User) -> None:
    old = failed(maria)
    first, second = (settling.try_again(message=old, by=alice, now=timezone.now()) for _ in range(2))
    assert first == second
    assert Message.objects.count() == 2


def test_where_it_cannot_help_it_is_not_tried_again(maria: CaseAssignment, alice: User) -> None:
    with pytest.raises(settling.TooLate):
        settling.try_again(message=failed(maria, FailureReason.NOT_A_MOBILE), by=alice, now=timezone.now())
    assert Message.objects.count() == 1


@pytest.mark.parametrize("state", [State.WAITING, State.SENDING, State.UNKNOWN, State.SENT, State.DELIVERED])
def test_what_may_still_arrive_is_never_sent_again(maria: CaseAssignment, alice: User, state: Message.State) -> None:
    with pytest.raises(settling.TooLate):
        settling.try_again(message=make_outgoing(maria, state=state), by=alice, now=timezone.now())


def test_an_unconfirmed_text_is_sent_again_when_a_person_says_so(maria: CaseAssignment, alice: User) -> None:
    new = settling.try_again(message=unconfirmed(maria), by=alice, now=timezone.now())
    assert new.state == State.WAITING


def test_what_arrived_is_not_sent_again(maria: CaseAssignment, alice: User) -> None:
    message = unconfirmed(maria)
    settling.confirm_arrival(message=message, by=alice, now=timezone.now())
    with pytest.raises(settling.TooLate):
        settling.try_again(message=message, by=alice, now=timezone.now())


def test_what_was_sent_again_can_no_longer_be_said_to_have_arrived(maria: CaseAssignment, alice: User) -> None:
    message = unconfirmed(maria)
    settling.try_again(message=message, by=alice, now=timezone.now())
    with pytest.raises(settling.TooLate):
        settling.confirm_arrival(message=message, by=alice, now=timezone.now())


def test_a_held_text_goes_out_when_a_person_says_so(maria: CaseAssignment, alice: User) -> None:
    message = held(maria)
    settling.send_held(message=message, by=alice, now=timezone.now())
    claim = delivery.claim_next(timezone.now())
    assert isinstance(claim, delivery.Claim)
    assert claim.message_id == message.pk


def test_a_held_text_never_goes_to_one_who_has_opted_out(maria: CaseAssignment, alice: User) -> None:
    message, number = held(maria), number_of(maria)
    number.opted_out_at, number.opted_out_source = timezone.now(), "keyword"
    number.save()
    with pytest.raises(RefusedByGate):
        settling.send_held(message=message, by=alice, now=timezone.now())
    message.refresh_from_db()
    assert message.state == State.HELD


def test_nothing_is_tried_again_for_one_who_has_opted_out(maria: CaseAssignment, alice: User) -> None:
    number = number_of(maria)
    number.opted_out_at, number.opted_out_source = timezone.now(), "keyword"
    number.save()
    with pytest.raises(RefusedByGate):
        settling.try_again(message=failed(maria), by=alice, now=timezone.now())


def test_a_dropped_text_is_cancelled_and_gone_from_the_talk(maria: CaseAssignment, as_alice: Browser) -> None:
    message = held(maria)
    page = as_alice.post(url(message, "drop"), follow=True).content.decode()
    message.refresh_from_db()
    assert message.state == State.CANCELLED
    assert "Court at 9" not in page


def test_what_was_sent_meanwhile_cannot_be_dropped(maria: CaseAssignment, alice: User) -> None:
    with pytest.raises(settling.TooLate):
        settling.drop_held(message=make_outgoing(maria, state=State.SENT), by=alice, now=timezone.now())


def test_a_client_who_left_the_list_is_not_written_to(maria: CaseAssignment, alice: User, bob: User) -> None:
    message = failed(maria)
    maria.ended_at, maria.end_reason = timezone.now(), "deleted"
    maria.save()
    for person in (alice, bob):
        with pytest.raises(NotYours):
            settling.try_again(message=message, by=person, now=timezone.now())


@pytest.mark.parametrize("choice", ["try-again", "arrived", "send-now", "drop"])
def test_only_the_case_manager_may(
    maria: CaseAssignment,
    choice: str,
    as_bob: Browser,
    as_charlie: Browser,
    as_supervisor: Browser,
    anonymous: Browser,
) -> None:
    message = failed(maria)
    assert [browser.post(url(message, choice)).status_code for browser in (as_bob, as_charlie, as_supervisor)] == [
        404
    ] * 3
    assert anonymous.post(url(message, choice)).status_code == 302
    assert Message.objects.count() == 1


def test_the_buttons_need_a_post(maria: CaseAssignment, as_alice: Browser) -> None:
    assert as_alice.get(url(failed(maria), "try-again")).status_code == 405


def test_an_unknown_choice_or_message_is_not_found(maria: CaseAssignment, as_alice: Browser) -> None:
    message = failed(maria)
    assert as_alice.post(url(message, "explode")).status_code == 404
    message.public_id = uuid.uuid4()
    assert as_alice.post(url(message, "drop")).status_code == 404


def test_an_incoming_text_cannot_be_settled(maria: CaseAssignment, as_alice: Browser) -> None:
    assert as_alice.post(url(make_incoming(maria), "try-again")).status_code == 404


def opted_out(maria: CaseAssignment) -> None:
    held(maria, HoldReason.OPTED_OUT)
    PhoneNumber.objects.update(opted_out_at=timezone.now(), opted_out_source="keyword")


@pytest.mark.parametrize(
    ("make", "buttons"),
    [
        (failed, ["Try again"]),
        (unconfirmed, ["Send again", "It arrived"]),
        (held, ["Send now", "Drop it"]),
        (lambda maria: failed(maria, FailureReason.NOT_A_MOBILE), []),
        (opted_out, ["Drop it"]),
        (lambda maria: held(maria, HoldReason.OPTED_OUT), ["Send now", "Drop it"]),  # came back since
    ],
)
def test_the_page_offers_what_can_be_done(
    maria: CaseAssignment, as_alice: Browser, as_supervisor: Browser, make: object, buttons: list[str]
) -> None:
    make(maria)  # type: ignore[operator]
    page = as_alice.get(reverse("conversation", args=[maria.client_id])).content.decode()
    everything = ["Try again", "Send again", "It arrived", "Send now", "Drop it"]
    assert [label for label in everything if f">{label}<" in page] == buttons
    seen = as_supervisor.get(reverse("conversation", args=[maria.client_id])).content.decode()
    assert not [label for label in everything if f">{label}<" in seen]


def test_the_old_text_says_when_it_was_tried_again(maria: CaseAssignment, as_alice: Browser) -> None:
    page = as_alice.post(url(failed(maria), "try-again"), follow=True).content.decode()
    assert "Tried again" in page
    assert ">Try again<" not in page


def test_who_comes_late_is_told(maria: CaseAssignment, as_alice: Browser) -> None:
    page = as_alice.post(url(make_outgoing(maria, state=State.SENT), "drop"), follow=True).content.decode()
    assert "moved on meanwhile" in page
