"""How a call ended is written down, whatever was heard of the text meanwhile."""

import logging

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, ConversationEvent, PhoneNumber
from messaging import delivery
from messaging.actions.receiving import receive_text
from messaging.delivery import Claim
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import Accepted, DeliveryReport, NotTaken, Outcome, Refused, ReportedState, Unclear
from messaging.tests.carriers import Carrier
from tests import builders
from tests.threads import in_background

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
LANDLINE = Refused(FailureReason.NOT_A_MOBILE, 21614)
OPTED_OUT = Refused(FailureReason.OPTED_OUT, 21610)


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def claim(client_of_alice: CaseAssignment) -> Claim:
    """A text on its way to the carrier."""
    builders.make_outgoing(client_of_alice, "the words of the text")
    taken = delivery.claim_next(timezone.now())
    assert isinstance(taken, Claim)
    return taken


def after(claim: Claim, outcome: Outcome) -> Message:
    """The message once this outcome is written down."""
    delivery.record_outcome(claim, outcome, now=timezone.now())
    return Message.objects.get(pk=claim.message_id)


def report(claim: Claim, state: ReportedState, *, carrier_id: str = "SM1", reason: FailureReason | None = None) -> None:
    """The carrier's callback for the text comes in."""
    delivery.record_delivery_report(
        DeliveryReport(claim.text.public_id, carrier_id, state, reason, 30003 if reason else None), now=timezone.now()
    )


def set_state(claim: Claim, state: Message.State) -> None:
    Message.objects.filter(pk=claim.message_id).update(state=state)


def test_what_the_carrier_took_is_accepted_under_its_id(claim: Claim, client_of_alice: CaseAssignment) -> None:
    message = after(claim, Accepted("SM1"))
    assert (message.state, message.carrier_id, message.failure_reason) == ("accepted", "SM1", "")
    client_of_alice.refresh_from_db()
    assert client_of_alice.last_contact_at == message.placed_at


def test_what_the_carrier_refused_failed_with_the_reason(claim: Claim, client_of_alice: CaseAssignment) -> None:
    message = after(claim, LANDLINE)
    assert (message.state, message.failure_reason, message.error_code) == ("failed", "not_a_mobile", 21614)
    client_of_alice.refresh_from_db()
    assert (client_of_alice.last_outgoing_failed, client_of_alice.last_contact_at) == (True, None)


def test_what_the_carrier_did_not_take_waits_again(claim: Claim) -> None:
    message = after(claim, NotTaken())
    assert (message.state, message.claimed_at, message.attempts) == ("waiting", None, 1)
    assert message.try_at is not None


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (5, 16), (6, 32), (7, 60), (20, 60), (32_000, 60)])
def test_the_pause_doubles_with_each_attempt_up_to_a_minute(attempts: int, seconds: float, claim: Claim) -> None:
    Message.objects.update(attempts=attempts)
    now = timezone.now()
    delivery.record_outcome(claim, NotTaken(), now=now)
    try_at = Message.objects.get().try_at
    assert try_at is not None
    assert 0.9 * seconds <= (try_at - now).total_seconds() <= 1.1 * seconds


def test_what_nobody_can_say_is_unknown(claim: Claim) -> None:
    message = after(claim, Unclear())
    assert (message.state, message.carrier_id) == ("unknown", None)
    assert message.claimed_at is not None


def test_a_backend_that_raises_leaves_the_text_unknown_and_its_words_out_of_the_log(
    claim: Claim, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        delivery.hand_over(claim, Carrier(ValueError("the words of the text")))
    assert Message.objects.get().state == "unknown"
    assert "the backend raised ValueError" in caplog.text
    assert "the words" not in caplog.text


@pytest.mark.parametrize(
    ("outcome", "state"), [(Accepted("SM1"), "accepted"), (LANDLINE, "failed"), (NotTaken(), "waiting")]
)
def test_a_definite_answer_after_the_sweep_still_counts(outcome: Outcome, state: str, claim: Claim) -> None:
    set_state(claim, State.UNKNOWN)
    assert after(claim, outcome).state == state


@pytest.mark.parametrize("outcome", [Accepted("SM1"), LANDLINE, NotTaken(), Unclear()])
@pytest.mark.parametrize("state", [State.ACCEPTED, State.SENT, State.DELIVERED, State.UNCONFIRMED])
def test_an_answer_never_moves_a_text_back(outcome: Outcome, state: Message.State, claim: Claim) -> None:
    set_state(claim, state)
    message = after(claim, outcome)
    assert (message.state, message.failure_reason) == (state, "")


@pytest.mark.parametrize("outcome", [Accepted("SM1"), Unclear(), NotTaken()])
def test_a_callback_before_the_answer_stands(outcome: Outcome, claim: Claim) -> None:
    report(claim, ReportedState.DELIVERED)
    message = after(claim, outcome)
    assert (message.state, message.carrier_id) == ("delivered", "SM1")


def test_a_callback_before_the_answer_under_another_id_is_an_alarm(
    claim: Claim, caplog: pytest.LogCaptureFixture
) -> None:
    report(claim, ReportedState.SENT, carrier_id="SM2")
    message = after(claim, Accepted("SM1"))
    assert (message.state, message.carrier_id) == ("sent", "SM2")
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]


def test_a_callback_turns_an_unclear_text_into_a_clear_one(claim: Claim) -> None:
    after(claim, Unclear())
    report(claim, ReportedState.SENT)
    message = Message.objects.get()
    assert (message.state, message.carrier_id) == ("sent", "SM1")


def test_the_carriers_refusal_for_an_opt_out_marks_the_number_and_holds_what_waits(
    claim: Claim, client_of_alice: CaseAssignment
) -> None:
    waiting = builders.make_outgoing(client_of_alice, "the next one")
    message = after(claim, OPTED_OUT)
    number = builders.number_of(client_of_alice)
    assert (message.state, message.failure_reason) == ("failed", "opted_out")
    assert (number.is_opted_out, number.opted_out_source) == (True, "carrier")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.hold_reason) == ("held", "opted_out")
    assert [event.kind for event in ConversationEvent.objects.all()] == ["opted_out"]


def test_an_opt_out_that_is_known_already_is_told_once(claim: Claim, client_of_alice: CaseAssignment) -> None:
    receive_text(text=builders.inbound_text(client_of_alice, "STOP"), now=timezone.now())
    after(claim, OPTED_OUT)
    assert builders.number_of(client_of_alice).opted_out_source == "keyword"
    assert ConversationEvent.objects.count() == 1


def test_the_refusal_belongs_to_the_number_that_was_texted(claim: Claim, client_of_alice: CaseAssignment) -> None:
    """The client got a new number while the call was under way: nothing that waits for the new one is held."""
    PhoneNumber.objects.update(is_current=False)
    PhoneNumber.objects.create(
        department=client_of_alice.client.department, client=client_of_alice.client, address="+18015550188"
    )
    waiting = builders.make_outgoing(client_of_alice, "to the new number")
    after(claim, OPTED_OUT)
    waiting.refresh_from_db()
    assert waiting.state == "waiting"
    assert not builders.number_of(client_of_alice).is_opted_out
    assert PhoneNumber.objects.get(is_current=False).is_opted_out


def test_a_number_that_is_gone_from_the_client_is_marked_nowhere(claim: Claim) -> None:
    PhoneNumber.objects.update(address="+18015550188")
    assert after(claim, OPTED_OUT).state == "failed"
    assert not PhoneNumber.objects.get().is_opted_out


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("outcome", [Accepted("SM1"), LANDLINE, NotTaken()])
def test_an_outcome_does_not_wait_for_a_client_whom_somebody_has_locked(
    outcome: Outcome, claim: Claim, client_of_alice: CaseAssignment
) -> None:
    """Who holds the client may wait for the assignment, as a text that comes in does: else each waits for the other.

    It came about at the commit, where PostgreSQL checks the foreign keys of a row that was written twice.
    """
    with in_background() as start, transaction.atomic():
        routing.lock_client(client_of_alice.client_id)
        state = start(lambda: after(claim, outcome).state).result(10)
    assert state != "sending"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_callback_does_not_wait_for_a_client_whom_somebody_has_locked(
    claim: Claim, client_of_alice: CaseAssignment
) -> None:
    with in_background() as start, transaction.atomic():
        routing.lock_client(client_of_alice.client_id)
        start(lambda: report(claim, ReportedState.DELIVERED)).result(10)
    assert Message.objects.get().state == "delivered"
