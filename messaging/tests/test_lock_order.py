"""Everything that touches a conversation, at once and in any order: nobody waits for ever, and the lists stay true."""

import contextlib
import random
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import delivery, notifications, summaries
from messaging.actions import reading, sending, settling
from messaging.actions.receiving import receive_text
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import Accepted, DeliveryReport, NotTaken, OutboundText, Outcome, Refused, ReportedState, Unclear
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]

THREADS = 6
STEPS = 12
OUTCOMES: list[Callable[[], Outcome]] = [
    lambda: Accepted(uuid.uuid4().hex),
    lambda: Accepted(uuid.uuid4().hex),
    NotTaken,
    Unclear,
    lambda: Refused(FailureReason.OPTED_OUT, 21610),
]


class AnyCarrier:
    """Answers by the throw of a die."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def send(self, text: OutboundText) -> Outcome:
        return self.dice.choice(OUTCOMES)()


class Life:
    """What one thread does to the clients, one thing after the other."""

    def __init__(self, clients: list[CaseAssignment], seed: int) -> None:
        self.clients, self.dice = clients, random.Random(seed)  # noqa: S311  # a test's dice

    def any_client(self) -> CaseAssignment:
        return self.dice.choice(self.clients)

    def live(self) -> None:
        steps = [self.send, self.receive, self.deliver, self.report, self.settle, self.mark_read, self.sweep, self.tell]
        for _ in range(STEPS):
            self.dice.choice(steps)()

    def send(self) -> None:
        assignment = self.any_client()
        assert assignment.case_manager is not None
        with contextlib.suppress(sending.RefusedByGate):
            sending.send_message(
                client_id=assignment.client_id,
                body="Hello",
                by=assignment.case_manager,
                submission_key=uuid.uuid4(),
                now=timezone.now(),
                seen_up_to=2**62,
            )

    def receive(self) -> None:
        body = self.dice.choice(["Hello", "STOP", "START", "yes"])
        receive_text(text=builders.inbound_text(self.any_client(), body), now=timezone.now())

    def deliver(self) -> None:
        delivery.deliver_due(AnyCarrier(self.dice))

    def report(self) -> None:
        message = Message.objects.filter(direction="out").order_by("?").first()
        if message is not None and message.carrier_id:
            state = self.dice.choice(list(ReportedState))
            failed = state in (ReportedState.FAILED, ReportedState.UNDELIVERED)
            reason = self.dice.choice([FailureReason.OPTED_OUT, FailureReason.PHONE_OFF]) if failed else None
            said = DeliveryReport(message.public_id, message.carrier_id, state, reason)
            delivery.record_delivery_report(said, now=timezone.now())

    def settle(self) -> None:
        message = Message.objects.filter(direction="out").order_by("?").first()
        action = self.dice.choice(
            [settling.try_again, settling.confirm_arrival, settling.send_held, settling.drop_held]
        )
        if message is not None and message.author is not None:
            with contextlib.suppress(settling.TooLate, sending.NotSent):
                action(message=message, by=message.author, now=timezone.now())

    def mark_read(self) -> None:
        reading.mark_read(assignment=self.any_client(), up_to=2**62, now=timezone.now())

    def sweep(self) -> None:
        delivery.sweep_unclear(now=timezone.now())

    def tell(self) -> None:
        tomorrow = timezone.now() + timedelta(days=1)
        self.dice.choice([notifications.tell_at_once, notifications.tell_summaries])(now=tomorrow)


def test_many_things_at_once_neither_block_each_other_for_ever_nor_leave_a_wrong_list(
    alice: User, department: Department
) -> None:
    clients = [builders.make_client(alice), builders.make_client(alice)]
    lives = [Life(clients, seed) for seed in range(THREADS)]
    at_once(lambda: lives.pop().live(), times=THREADS)
    for assignment in clients:
        assignment.refresh_from_db()
        shown = (assignment.unread_count, assignment.last_contact_at)
        summaries.recompute(assignment.pk, now=timezone.now())
        assignment.refresh_from_db()
        assert (assignment.unread_count, assignment.last_contact_at) == shown
