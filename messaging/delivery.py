"""Handing texts to the carrier, and taking its word for what became of them (docs/architecture.md, "a message's life").

A loop, not a task for each message: claim one due row, call, write down the outcome, until nothing is due. Any number
of loops may run at once, in any number of processes.
"""

import logging
import random
import threading
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts.models import Department
from clients import routing
from clients.models import PhoneNumber
from messaging import holds, opt_outs, states, summaries
from messaging.claims import Claim as Claim
from messaging.claims import Held as Held
from messaging.claims import claim_next as claim_next
from messaging.due import NotYet
from messaging.failures import FailureReason, HoldReason
from messaging.models import READY_AT, Message
from messaging.sms import (
    Accepted,
    DeliveryReport,
    NotTaken,
    Outcome,
    Refused,
    SmsBackend,
    Unclear,
    get_backend,
)

logger = logging.getLogger(__name__)

State = Message.State

STALE_CLAIM = timedelta(seconds=5)  # claimed, but the call didn't begin: certainly not sent, goes back
UNCLEAR_AFTER = timedelta(seconds=60)  # a call ends after 20 s: who still has it then has died
MAX_BACK_OFF = timedelta(seconds=60)
AT_ONCE = 1_000

_draining = threading.Event()


def drain() -> None:
    """Lets every loop of this process end after the text in hand: a shutdown leaves nothing unclear."""
    _draining.set()


def is_draining() -> bool:
    return _draining.is_set()


def wait_for_drain(seconds: float) -> bool:
    """So long at most. Whether the process is to end."""
    return _draining.wait(seconds)


def deliver_due(backend: SmsBackend | None = None) -> int:
    """Hands over until nothing is due (or the process is to stop). Returns how many the carrier was asked to take."""
    backend = backend or get_backend()  # made here: to make it may take seconds, or fail, with a text in hand
    handed_over = 0
    while not _draining.is_set():
        claim = claim_next(timezone.now())
        if claim is None or isinstance(claim, NotYet):
            break
        if isinstance(claim, Claim):
            hand_over(claim, backend)
            handed_over += 1
    return handed_over


def hand_over(claim: Claim, backend: SmsBackend) -> None:
    """Makes the one call for this claim and writes down what came of it."""
    outcome = call(claim, backend)
    record_outcome(claim, outcome, now=timezone.now())


def call(claim: Claim, backend: SmsBackend) -> Outcome:
    """Makes the one call for this claim; its outcome is to be written down. Raises nothing."""
    if timezone.now() - claim.claimed_at > STALE_CLAIM:
        return NotTaken()
    try:
        return backend.send(claim.text)
    except Exception as error:  # only its kind is logged: its words could hold the text
        logger.error("the backend raised %s; message %s is unclear", type(error).__name__, claim.message_id)
        return Unclear()


@transaction.atomic
def record_outcome(claim: Claim, outcome: Outcome, *, now: datetime) -> None:
    """Writes down how a call ended. Whatever a callback has said meanwhile stands."""
    pending = frozenset({State.SENDING, State.UNKNOWN})
    opted_out = isinstance(outcome, Refused) and outcome.reason is FailureReason.OPTED_OUT
    number = _lock_number_of(claim.message_id) if opted_out else None
    assignment_id = summaries.lock_for(claim.message_id)
    match outcome:
        case Accepted(carrier_id):
            if not states.accept(claim.message_id, carrier_id, now=now):
                _learn_carrier_id(claim.message_id, carrier_id)
                states.move(claim.message_id, to=State.ACCEPTED, from_states=pending, now=now)
            if claim.is_trial:
                holds.lift(claim.text.from_number)
        case Refused(reason, error_code):
            _record_refusal(claim, reason, error_code, now)
        case NotTaken():
            try_at = now + _back_off(claim.message_id)
            states.move(
                claim.message_id, to=State.WAITING, from_states=pending, now=now, try_at=try_at, claimed_at=None
            )
        case Unclear():
            states.move(claim.message_id, to=State.UNKNOWN, from_states=frozenset({State.SENDING}), now=now)
    if number is not None:
        opt_outs.opt_out(number, source=opt_outs.OptOutSource.CARRIER, at=now, now=now)
    summaries.recompute(assignment_id, now=now)


def _record_refusal(claim: Claim, reason: FailureReason, error_code: int, now: datetime) -> None:
    """Refused because of this text: it failed. Because of who sends it: it waits, and all sending stops with it."""
    pending = frozenset({State.SENDING, State.UNKNOWN})
    stopped = holds.scope_of(reason, claim.text.from_number)
    if stopped is not None:
        states.move(claim.message_id, to=State.WAITING, from_states=pending, now=now, claimed_at=None)
        holds.put(stopped, reason=reason, error_code=error_code, now=now)
        return
    why = {"failure_reason": reason, "error_code": error_code}
    states.move(claim.message_id, to=State.FAILED, from_states=pending, now=now, **why)
    if claim.is_trial:
        holds.lift(claim.text.from_number)


def _back_off(message_id: int) -> timedelta:
    """Doubles with each attempt, up to a minute, with a tenth of jitter."""
    attempts = Message.objects.values_list("attempts", flat=True).get(pk=message_id)
    doublings = min(attempts, 10)  # a day of trying makes a number that no float can hold
    seconds = min(0.5 * 2**doublings, MAX_BACK_OFF.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311  # spreads load, guards nothing


@transaction.atomic
def record_delivery_report(report: DeliveryReport, *, now: datetime) -> None:
    """Takes the carrier's word for one of our texts: also for one whose hand-over we are unsure of."""
    message = Message.objects.filter(public_id=report.public_id, direction=Message.Direction.OUTGOING).first()
    if message is None:
        logger.warning("a report for a text that we don't have: %s", report.public_id)
        return
    opted_out = report.reason is FailureReason.OPTED_OUT
    number = _lock_number_of(message.pk) if opted_out else None
    assignment_id = summaries.lock_for(message.pk)
    if not _learn_carrier_id(message.pk, report.carrier_id):
        return
    if not message.their_number:
        _fill_numbers(message)
    why = {"failure_reason": report.reason or "", "error_code": report.error_code}
    if states.advance(message.pk, to=State(report.state), now=now, **why):
        if number is not None:
            opt_outs.opt_out(number, source=opt_outs.OptOutSource.CARRIER, at=now, now=now)
        stopped = holds.scope_of(report.reason, message.our_number)
        if report.reason is not None and stopped is not None:
            holds.put(stopped, reason=report.reason, error_code=report.error_code, now=now)
        summaries.recompute(assignment_id, now=now)


def _fill_numbers(message: Message) -> None:
    """For a text that this database never handed over: it was put back from a backup made before."""
    number = PhoneNumber.objects.filter(client=message.client_id, is_current=True).first()
    message.our_number = message.department.phone_number
    message.their_number = number.address if number else "unknown"
    message.save(update_fields=["our_number", "their_number"])


def _learn_carrier_id(message_id: int, carrier_id: str) -> bool:
    known = states.learn_carrier_id(message_id, carrier_id)
    if not known:
        logger.critical("message %s went out twice, or was mixed up: the carrier's id is not the one known", message_id)
    return known


def _lock_number_of(message_id: int) -> PhoneNumber | None:
    """The number that the text went to, with its client locked, whoever that is by now, and all conversations."""
    message = Message.objects.only("department", "client", "their_number").get(pk=message_id)
    known = PhoneNumber.objects.filter(department=message.department_id, address=message.their_number)
    if not message.their_number:  # put back from a backup made before it went out: see _fill_numbers
        known = PhoneNumber.objects.filter(client=message.client_id, is_current=True)
    number = known.first()
    if number is not None:
        client = routing.lock_client_of(number)
        routing.lock_conversations(client.pk)
    return number


def hold_overdue(*, now: datetime) -> int:
    """Holds what has waited beyond its department's limit, also while sending is stopped: its author is to decide."""
    return sum(_hold_overdue_of(department, now) for department in Department.objects.order_by("pk"))


def _hold_overdue_of(department: Department, now: datetime) -> int:
    late_after = Greatest("due_at", Coalesce("finish_by", "due_at"))
    waiting = Message.objects.filter(department=department, state=State.WAITING).alias(ready_at=READY_AT)
    late = waiting.alias(late_after=late_after).filter(ready_at__lte=now, late_after__lt=now - department.late_limit)
    rows = list(late.order_by("ready_at", "pk").values_list("pk", "assignment"))
    return sum(_hold_all(rows[begin : begin + AT_ONCE], now) for begin in range(0, len(rows), AT_ONCE))


@transaction.atomic
def _hold_all(rows: list[tuple[int, int]], now: datetime) -> int:
    """Assignments first, all at once. A text that was moved to another one meanwhile stays for the next look."""
    ids, assignments = [pk for pk, _ in rows], sorted({assignment for _, assignment in rows})
    summaries.lock_all(assignments)
    late = Message.objects.filter(pk__in=ids, assignment__in=assignments, state=State.WAITING)
    held = late.update(state=State.HELD, hold_reason=HoldReason.TOO_LATE, state_at=now)
    summaries.recompute(*assignments, now=now)
    return held


def sweep_unclear(*, now: datetime) -> int:
    """Names as unknown what a process that died left in `sending`. Returns how many."""
    stuck = Message.objects.filter(state=State.SENDING, claimed_at__lt=now - UNCLEAR_AFTER)
    ids = list(stuck.values_list("pk", flat=True))
    return sum(states.move(pk, to=State.UNKNOWN, from_states=frozenset({State.SENDING}), now=now) for pk in ids)
