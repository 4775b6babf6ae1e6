"""The carrier's word for a text of ours: in any order, doubled, early, for texts that we don't have."""

import logging
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from clients.models import CaseAssignment, ConversationEvent
from messaging import delivery, states
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import DeliveryReport, ReportedState
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
RANKED = list(ReportedState)  # declared in the order in which the highest wins
FAILURES = (ReportedState.FAILED, ReportedState.UNDELIVERED)


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def sending(client_of_alice: CaseAssignment) -> Message:
    return builders.make_outgoing(client_of_alice, state=State.SENDING)


def report(
    message: Message, state: ReportedState, *, carrier_id: str = "SM1", reason: FailureReason | None = None
) -> Message:
    """The message after this callback. A failure has a reason, as telephony sees to."""
    if state in FAILURES:
        reason = reason or FailureReason.PHONE_OFF
    code = 30003 if reason else None
    delivery.record_delivery_report(
        DeliveryReport(message.public_id, carrier_id, state, reason, code), now=timezone.now()
    )
    message.refresh_from_db()
    return message


@pytest.mark.parametrize("state", RANKED)
def test_a_report_moves_the_text_and_tells_the_carriers_id(state: ReportedState, sending: Message) -> None:
    message = report(sending, state)
    assert (message.state, message.carrier_id) == (state, "SM1")
    assert (message.failure_reason, message.error_code) == (("phone_off", 30003) if state in FAILURES else ("", None))


def test_the_list_knows_what_became_of_it(sending: Message, client_of_alice: CaseAssignment) -> None:
    report(sending, ReportedState.UNDELIVERED)
    client_of_alice.refresh_from_db()
    assert (client_of_alice.last_outgoing_failed, client_of_alice.last_contact_at) == (True, None)
    report(sending, ReportedState.DELIVERED)
    client_of_alice.refresh_from_db()
    assert (client_of_alice.last_outgoing_failed, client_of_alice.last_contact_at) == (False, sending.placed_at)


def test_a_text_that_arrived_after_all_has_no_failure_any_more(sending: Message) -> None:
    report(sending, ReportedState.UNDELIVERED)
    message = report(sending, ReportedState.DELIVERED)
    assert (message.failure_reason, message.error_code) == ("", None)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sampled_from(sorted(states.BEFORE_HAND_OVER | {State.ACCEPTED})),
    words=st.lists(st.sampled_from(RANKED), min_size=1, max_size=6),
)
def test_any_order_of_reports_doubled_or_not_ends_in_the_highest_and_never_moves_back(
    client_of_alice: CaseAssignment, first: Message.State, words: list[ReportedState]
) -> None:
    with transaction.atomic():
        hold_reason = "too_late" if first == State.HELD else ""
        message = builders.make_outgoing(client_of_alice, state=first, hold_reason=hold_reason)
        reached = -1
        for word in words:
            rank = RANKED.index(ReportedState(report(message, word).state))
            assert rank >= reached
            reached = rank
        assert message.state == max(words, key=RANKED.index)
        assert bool(message.failure_reason) == (message.state in FAILURES)
        transaction.set_rollback(True)


def test_a_report_for_a_text_that_we_do_not_have_is_noted(db: None, caplog: pytest.LogCaptureFixture) -> None:
    unknown = DeliveryReport(uuid.uuid4(), "SM1", ReportedState.SENT)
    delivery.record_delivery_report(unknown, now=timezone.now())
    (record,) = caplog.records
    assert (record.levelno, str(unknown.public_id) in record.getMessage()) == (logging.WARNING, True)


def test_a_report_for_an_incoming_text_changes_nothing(client_of_alice: CaseAssignment) -> None:
    message = builders.make_incoming(client_of_alice)
    carrier_id = message.carrier_id
    report(message, ReportedState.DELIVERED)
    assert (message.state, message.carrier_id) == ("received", carrier_id)


def test_a_report_under_another_id_changes_no_state_and_is_an_alarm(
    sending: Message, caplog: pytest.LogCaptureFixture
) -> None:
    report(sending, ReportedState.SENT)
    message = report(sending, ReportedState.DELIVERED, carrier_id="SM2")
    assert (message.state, message.carrier_id) == ("sent", "SM1")
    (record,) = caplog.records
    assert (record.levelno, "went out twice" in record.getMessage()) == (logging.CRITICAL, True)


def test_a_report_of_an_opt_out_marks_the_number_and_holds_what_waits(
    sending: Message, client_of_alice: CaseAssignment
) -> None:
    waiting = builders.make_outgoing(client_of_alice)
    report(sending, ReportedState.FAILED, reason=FailureReason.OPTED_OUT)
    number = builders.number_of(client_of_alice)
    assert (number.is_opted_out, number.opted_out_source) == (True, "carrier")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.hold_reason) == ("held", "opted_out")


def test_an_old_report_of_an_opt_out_marks_nobody_twice(sending: Message, client_of_alice: CaseAssignment) -> None:
    for _ in range(2):
        report(sending, ReportedState.UNDELIVERED, reason=FailureReason.OPTED_OUT)
    assert ConversationEvent.objects.count() == 1


def test_any_other_failure_marks_no_number(sending: Message, client_of_alice: CaseAssignment) -> None:
    report(sending, ReportedState.FAILED, reason=FailureReason.BLOCKED)
    assert not builders.number_of(client_of_alice).is_opted_out


@pytest.mark.django_db(transaction=True)
def test_reports_that_come_at_once_end_in_the_highest(alice: User) -> None:
    assignment = builders.make_client(alice)
    message = builders.make_outgoing(assignment, state=State.SENDING)
    words = [*RANKED, *RANKED]

    def callback() -> None:
        copy = Message.objects.get(pk=message.pk)
        report(copy, words.pop())

    at_once(callback, times=len(words))
    message.refresh_from_db()
    assignment.refresh_from_db()
    assert (message.state, message.carrier_id) == ("delivered", "SM1")
    assert (assignment.last_contact_at, assignment.last_outgoing_failed) == (message.placed_at, False)


def test_a_report_for_a_text_that_this_database_never_handed_over_is_taken(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    report = DeliveryReport(message.public_id, "SM1", ReportedState.ACCEPTED)
    delivery.record_delivery_report(report, now=timezone.now())
    message.refresh_from_db()
    assert message.state == "accepted"


def test_a_report_for_a_text_put_back_from_a_backup_opts_out_too(alice: User) -> None:
    """The backup was made before the text went out: no number is written down yet."""
    maria = builders.make_client(alice)
    text = builders.make_outgoing(maria)
    assert text.their_number == ""
    report = DeliveryReport(text.public_id, "SM-of-the-carrier", ReportedState.FAILED, FailureReason.OPTED_OUT, 21610)
    delivery.record_delivery_report(report, now=timezone.now())
    assert builders.number_of(maria).is_opted_out
