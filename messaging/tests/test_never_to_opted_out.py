"""Whatever happens in whatever order: nothing is claimed for a client who has opted out, and no text goes out twice."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from time_machine import travel

from clients.models import CaseAssignment, PhoneNumber
from messaging import delivery
from messaging.actions import sending
from messaging.actions.receiving import receive_text
from messaging.delivery import Claim
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import Accepted, DeliveryReport, NotTaken, Outcome, Refused, ReportedState, Unclear
from messaging.tests.carriers import Carrier
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPTED_OUT = Refused(FailureReason.OPTED_OUT, 21610)
OUTCOMES = [NotTaken(), Accepted(""), Unclear(), OPTED_OUT, Refused(FailureReason.SET_UP, 21211)]


class AnyOrder(RuleBasedStateMachine):
    """One client, and what may happen around it. What is right is kept apart from the product: in plain attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = travel(NINE, tick=False)
        self.traveller = self.clock.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.opted_out = self.wrong = self.deleted = False
        self.claims: list[Claim] = []
        self.typed: list[str] = []
        self.handed_over: list[str] = []
        self.may_not_come_again: set[str] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.clock.stop()

    @property
    def must_not_be_texted(self) -> bool:
        return self.opted_out or self.wrong or self.deleted

    @initialize()
    def someone_has_a_client(self) -> None:
        self.alice = builders.make_user(builders.make_department())
        self.client = builders.make_client(self.alice)

    @rule()
    def a_person_sends(self) -> None:
        body = f"text {len(self.typed)}"
        try:
            sending.send_message(
                client_id=self.client.client_id,
                body=body,
                by=self.alice,
                submission_key=uuid.uuid4(),
                now=timezone.now(),
            )
        except sending.NotSent:
            assert self.must_not_be_texted
        else:
            assert not self.must_not_be_texted
            self.typed.append(body)

    def client_texts(self, body: str) -> None:
        receive_text(text=builders.inbound_text(self.client, body), now=timezone.now())
        self.deleted = False  # a text brings the client back

    @rule(word=st.sampled_from(["STOP", "end", "Unsubscribe"]))
    def the_client_opts_out(self, word: str) -> None:
        self.client_texts(word)
        self.opted_out = True

    @rule(word=st.sampled_from(["START", "unstop", "yes"]))
    def the_client_comes_back(self, word: str) -> None:
        self.client_texts(word)
        self.opted_out = False

    @rule()
    def the_client_says_something_else(self) -> None:
        self.client_texts("don't stop now")

    @rule(wrong=st.booleans())
    def a_person_marks_the_number(self, wrong: bool) -> None:
        marked = {"wrong_at": timezone.now() if wrong else None}
        PhoneNumber.objects.filter(client=self.client.client_id).update(**marked)
        self.wrong = wrong

    @rule()
    def a_person_deletes_the_client(self) -> None:
        ended: dict[str, Any] = {"ended_at": timezone.now(), "end_reason": CaseAssignment.EndReason.DELETED}
        CaseAssignment.objects.filter(pk=self.client.pk).update(**ended)
        self.deleted = True

    @rule(seconds=st.sampled_from([1, 4, 30, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.traveller.shift(timedelta(seconds=seconds))

    @rule()
    def a_worker_claims(self) -> None:
        claim = delivery.claim_next(timezone.now())
        if isinstance(claim, Claim):
            assert not self.must_not_be_texted
            earlier = Message.objects.filter(direction="out", pk__lt=claim.message_id)
            assert not earlier.filter(state__in=[Message.State.WAITING, Message.State.SENDING]).exists()
            self.claims.append(claim)

    @precondition(lambda self: self.claims)
    @rule(outcome=st.sampled_from(OUTCOMES))
    def a_worker_hands_over(self, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            outcome = Accepted(uuid.uuid4().hex)
        carrier, claim = Carrier(outcome), self.claims.pop(0)
        delivery.hand_over(claim, carrier)
        for body in carrier.bodies:
            assert body not in self.may_not_come_again
            if not isinstance(outcome, NotTaken):
                self.may_not_come_again.add(body)
                self.handed_over.append(body)
            self.opted_out = self.opted_out or outcome == OPTED_OUT

    @rule(state=st.sampled_from(ReportedState))
    def the_carrier_reports_on_the_last_text(self, state: ReportedState) -> None:
        message = Message.objects.filter(direction="out", carrier_id__isnull=False).order_by("-pk").first()
        if message is not None and message.carrier_id is not None:
            failed = state in (ReportedState.FAILED, ReportedState.UNDELIVERED)
            reason = FailureReason.PHONE_OFF if failed else None
            report = DeliveryReport(message.public_id, message.carrier_id, state, reason)
            delivery.record_delivery_report(report, now=timezone.now())

    @rule()
    def the_sweep_runs(self) -> None:
        delivery.sweep_unclear(now=timezone.now())

    @invariant()
    def order_is_kept(self) -> None:
        assert self.handed_over == [body for body in self.typed if body in self.handed_over]


def test_nothing_goes_to_a_client_who_opted_out_whatever_the_order() -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
