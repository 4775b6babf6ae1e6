"""Whatever happens in whatever order: nothing is claimed for a client who has opted out, and no text goes out twice."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from time_machine import travel

from clients.models import CaseAssignment, PhoneNumber
from messaging import delivery
from messaging.actions import numbers, sending, settling
from messaging.actions.receiving import receive_text
from messaging.delivery import Claim
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import Accepted, DeliveryReport, NotTaken, Outcome, Refused, ReportedState, Unclear
from messaging.tests import doors
from messaging.tests.carriers import Carrier
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
STRANGER = "+18015550177"
OPTED_OUT = Refused(FailureReason.OPTED_OUT, 21610)
TAKEN = Accepted("")


class Life:
    """One client of Alice's, a stranger, and what may happen around them: each method a step.

    What is right is kept apart from the product, in plain attributes.
    """

    def __init__(self) -> None:
        self.alice = builders.make_user(
            builders.make_department(automatic_reply="Who are you?", segments_per_second=None)
        )
        self.client = builders.make_client(self.alice)
        self.opted_out = self.by_person = self.wrong = self.deleted = self.stranger_opted_out = False
        self.claims: list[Claim] = []
        self.handed_over: list[tuple[datetime, int]] = []
        self.may_not_come_again: set[int] = set()

    @property
    def must_not_be_texted(self) -> bool:
        return self.opted_out or self.wrong or self.deleted

    def newest(self, **fields: Any) -> Message | None:
        return Message.objects.filter(client=self.client.client_id, **fields).order_by("-pk").first()

    # --- The doors ---

    def through(self, door: Callable[[], object]) -> None:
        """One that a person opens: refused if and only if nothing may be sent."""
        try:
            door()
        except sending.NotSent:
            assert self.must_not_be_texted
        else:
            assert not self.must_not_be_texted

    def alice_sends(self) -> None:
        self.through(lambda: doors.typed(self.client))

    def is_stored_for_later(self, door: Callable[..., Message], seconds: int) -> None:
        """As a program does it, which asks nobody."""
        door(self.client, minutes_ago=-seconds / 60)

    def alice_releases_what_was_held(self) -> None:
        if held := self.newest(state=State.HELD):
            self.through(lambda: settling.send_held(message=held, by=self.alice, now=timezone.now()))

    def alice_tries_again(self) -> None:
        failed = self.newest(state__in=[State.FAILED, State.UNDELIVERED])
        if failed and settling.can_try_again(failed):
            self.through(lambda: settling.try_again(message=failed, by=self.alice, now=timezone.now()))

    def stranger_texts(self, body: str) -> None:
        assert self.alice.department is not None
        number = self.alice.department.phone_number
        text = builders.inbound_text(body=body, from_address=STRANGER, to_number=number)
        receive_text(text=text, now=timezone.now())
        self.stranger_opted_out = {"STOP": True, "START": False}.get(body, self.stranger_opted_out)

    # --- Opting out and in ---

    def client_texts(self, body: str, opt_out_type: str = "") -> None:
        text = builders.inbound_text(self.client, body, opt_out_type=opt_out_type)
        receive_text(text=text, now=timezone.now())
        self.deleted = False  # a text brings the client back

    def client_opts_out(self, body: str, opt_out_type: str = "") -> None:
        self.client_texts(body, opt_out_type)
        self.opted_out, self.by_person = True, False

    def client_comes_back(self, body: str) -> None:
        self.client_texts(body)
        if body != "yes" or not self.by_person:  # YES undoes only what the carrier did
            self.opted_out = False

    def alice_records_an_opt_out(self) -> None:
        if not self.deleted:
            numbers.record_opt_out(client_id=self.client.client_id, by=self.alice, reason="said", now=timezone.now())
            self.by_person = self.by_person if self.opted_out else True
            self.opted_out = True

    def alice_lifts_an_opt_out(self) -> None:
        if not self.deleted:
            try:
                numbers.lift_opt_out(client_id=self.client.client_id, by=self.alice, reason="said", now=timezone.now())
            except numbers.OnlyTheClientCan:
                assert self.opted_out
                assert not self.by_person
            else:
                assert self.by_person or not self.opted_out
                self.opted_out = False

    def carrier_says_opted_out(self, client_id: int) -> None:
        if client_id == self.client.client_id:
            self.opted_out, self.by_person = True, False
        else:
            self.stranger_opted_out = True

    # --- What else keeps a text back ---

    def is_marked_wrong(self, wrong: bool) -> None:
        marked = {"wrong_at": timezone.now() if wrong else None}
        PhoneNumber.objects.filter(client=self.client.client_id).update(**marked)
        self.wrong = wrong

    def is_deleted(self) -> None:
        ended: dict[str, Any] = {"ended_at": timezone.now(), "end_reason": CaseAssignment.EndReason.DELETED}
        CaseAssignment.objects.filter(pk=self.client.pk).update(**ended)
        self.deleted = True

    def all_is_well(self) -> None:
        """So that texts go out at all: most steps are there to stop them."""
        self.client_comes_back("START")
        self.is_marked_wrong(False)

    # --- The delivery ---

    def worker_claims(self) -> None:
        claim = delivery.claim_next(timezone.now())
        if isinstance(claim, Claim):
            is_stranger = claim.client_id != self.client.client_id
            assert not (self.stranger_opted_out if is_stranger else self.must_not_be_texted)
            self.claims.append(claim)

    def worker_hands_over(self, outcome: Outcome) -> None:
        if not self.claims:
            return
        carrier = Carrier(Accepted(uuid.uuid4().hex) if isinstance(outcome, Accepted) else outcome)
        claim = self.claims.pop(0)
        message = Message.objects.get(pk=claim.message_id)
        delivery.hand_over(claim, carrier)
        if not carrier.taken or isinstance(outcome, NotTaken):
            return
        assert claim.message_id not in self.may_not_come_again
        self.may_not_come_again.add(claim.message_id)
        if claim.client_id == self.client.client_id and message.priority == Message.Priority.SINGLE:
            assert message.due_at is not None
            self.handed_over.append((message.due_at, message.pk))  # in order; a mass message's may be overtaken
        if outcome == OPTED_OUT:
            self.carrier_says_opted_out(claim.client_id)

    def worker_delivers(self, outcome: Outcome) -> None:
        self.worker_claims()
        self.worker_hands_over(outcome)

    def carrier_reports(self, state: ReportedState, reason: FailureReason | None = None) -> None:
        """On the last text that it took."""
        message = Message.objects.filter(direction="out", carrier_id__isnull=False).order_by("-pk").first()
        if message is not None and message.carrier_id is not None:
            before = message.state
            report = DeliveryReport(message.public_id, message.carrier_id, state, reason)
            delivery.record_delivery_report(report, now=timezone.now())
            message.refresh_from_db()
            if reason is FailureReason.OPTED_OUT and message.state != before:
                self.carrier_says_opted_out(message.client_id)

    def sweep_runs(self) -> None:
        delivery.sweep_unclear(now=timezone.now())

    # --- What must be true after each step ---

    def check(self) -> None:
        assert self.handed_over == sorted(self.handed_over)
        number = builders.number_of(self.client)
        assert number.is_opted_out == self.opted_out
        assert (number.opted_out_source == "person") == (self.opted_out and self.by_person)


Step = tuple[Any, ...]
STEPS: list[Step] = [
    *[(Life.all_is_well,)] * 5,
    *[(Life.alice_sends,)] * 12,
    *[(Life.is_stored_for_later, door, wait) for door in (doors.scheduled, doors.of_a_mass_message) for wait in (0, 2)],
    *[(Life.alice_releases_what_was_held,), (Life.alice_tries_again,)] * 2,
    *[(Life.stranger_texts, body) for body in ("Hello", "STOP", "START", "Me again")],
    *[(Life.client_opts_out, body) for body in ("STOP", "end ", "\nUnsubscribe")],
    (Life.client_opts_out, "arrêt", "STOP"),
    *[(Life.client_comes_back, body) for body in ("START", "START", "unstop", "yes", "yes")],
    *[(Life.client_texts, body) for body in ("don't stop now", "Stop.", "STOP please", "yes, thanks")],
    *[(Life.alice_records_an_opt_out,), (Life.alice_lifts_an_opt_out,), (Life.alice_lifts_an_opt_out,)],
    *[(Life.is_marked_wrong, True), (Life.is_marked_wrong, False), (Life.is_marked_wrong, False), (Life.is_deleted,)],
    *[(Life.worker_claims,)] * 3,
    *[(Life.worker_hands_over, outcome) for outcome in (TAKEN, NotTaken(), Unclear())],
    *[(Life.worker_delivers, outcome) for outcome in [*[TAKEN] * 16, NotTaken(), Unclear(), OPTED_OUT]],
    (Life.worker_delivers, Refused(FailureReason.SET_UP, 21211)),
    *[(Life.carrier_reports, state) for state in (ReportedState.SENT, ReportedState.DELIVERED)],
    (Life.carrier_reports, ReportedState.UNDELIVERED, FailureReason.PHONE_OFF),
    (Life.carrier_reports, ReportedState.UNDELIVERED, FailureReason.OPTED_OUT),
    (Life.sweep_runs,),
]
PAUSES = [*[0, 0, 1, 4, 30] * 4, 4000]  # seconds


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# To shrink an example takes longer than a test may (pytest.ini): the first one found is shown as it is.
@settings(max_examples=25, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(PAUSES)), min_size=30, max_size=80))
def test_nothing_goes_to_a_client_who_opted_out_whatever_the_order(steps: list[tuple[Step, int]]) -> None:
    with undone(), travel(NINE, tick=False) as clock:
        life = Life()
        for (happens, *details), seconds in steps:
            clock.shift(timedelta(seconds=seconds, microseconds=1))  # nothing is released when another one is typed
            happens(life, *details)
            life.check()
