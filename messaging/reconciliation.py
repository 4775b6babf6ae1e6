"""Compares each number's texts with the carrier's own list, both ways, every few minutes.

Finds what never reached us: texts that came while the web server was down, final states whose callback was lost, and
the truth about texts whose hand-over was unclear. A text of ours that is unclear and stands in no list, twice, some
minutes apart, is left to a person; it is never sent again by a machine.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import Department
from messaging import delivery, gaps, states, summaries
from messaging.actions.receiving import receive_text
from messaging.models import Message, SenderNumber
from messaging.sms import CarrierList, CarrierRecord, DeliveryReport

logger = logging.getLogger(__name__)

State = Message.State

OVERLAP = timedelta(hours=1)
FIRST_LOOK = timedelta(hours=48)
LIST_LAGS = timedelta(minutes=4)  # a text may stand in the list only minutes after it was taken
SECOND_LOOK = timedelta(minutes=9)


def compare_all(carrier: CarrierList, *, now: datetime) -> None:
    """Compares every department's number. One that fails doesn't keep the others from being compared."""
    for department in Department.objects.order_by("pk"):
        try:
            compare(department, carrier, now=now)
        except Exception as error:  # its kind alone: its words could hold a text
            logger.error("comparing the number of department %s failed: %s", department.pk, type(error).__name__)
    leave_to_a_person(now=now)


def compare(department: Department, carrier: CarrierList, *, now: datetime) -> None:
    """Takes from the carrier's list what this number's rows lack. Raises CarrierUnreachable."""
    sender, _made = SenderNumber.objects.get_or_create(department=department)
    since = (sender.compared_until or now - FIRST_LOOK) - OVERLAP
    outgoing = list(carrier.outgoing_since(department.phone_number, since))
    found = gaps.match(outgoing, now=now)
    late_reports = _take_reports(outgoing, now)
    late_arrivals = _take_arrivals(department, carrier, since, now)
    SenderNumber.objects.filter(pk=sender.pk).update(
        compared_until=now,
        late_arrivals=F("late_arrivals") + late_arrivals,
        late_reports=F("late_reports") + late_reports + found,
        strangers=_strangers(outgoing),
    )


def _take_reports(records: Iterable[CarrierRecord], now: datetime) -> int:
    """Moves on each row that the carrier knows to be further than we do. Returns how many."""
    by_id = {record.carrier_id: record for record in records if record.state is not None}
    rows = Message.objects.filter(carrier_id__in=list(by_id), state__in=states.BEFORE_HAND_OVER | states.ON_THE_WAY)
    moved = 0
    for public_id, carrier_id, state in rows.values_list("public_id", "carrier_id", "state"):
        record = by_id[carrier_id or ""]
        if record.state is None or record.state == state:
            continue
        report = DeliveryReport(public_id, record.carrier_id, record.state, record.reason, record.error_code)
        delivery.record_delivery_report(report, now=now)
        moved += 1
    return moved


def _take_arrivals(department: Department, carrier: CarrierList, since: datetime, now: datetime) -> int:
    """Stores the texts that the webhook missed, oldest first, each at its time. Returns how many."""
    listed = list(carrier.incoming_since(department.phone_number, since))
    known = set(
        Message.objects.filter(carrier_id__in=[text.carrier_id for text, _at in listed]).values_list(
            "carrier_id", flat=True
        )
    )
    missed = [(text, sent_at) for text, sent_at in reversed(listed) if text.carrier_id not in known]
    for text, sent_at in missed:
        receive_text(text=text, now=now, sent_at=sent_at)
    return len(missed)


def _strangers(records: Iterable[CarrierRecord]) -> int:
    """How many texts went out from our number of which we have no row at all."""
    ids = {record.carrier_id for record in records}
    return len(ids - set(Message.objects.filter(carrier_id__in=ids).values_list("carrier_id", flat=True)))


def leave_to_a_person(*, now: datetime) -> int:
    """Unclear texts that the carrier's list was asked for twice, in vain, and that no callback cleared up."""
    asked_twice = Message.objects.filter(state=State.UNKNOWN, claimed_at__lt=now - SECOND_LOOK)
    left = 0
    for pk in list(asked_twice.values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            assignment_id = summaries.lock_for(pk)
            if _was_compared_since(pk):
                left += states.move(pk, to=State.UNCONFIRMED, from_states=frozenset({State.UNKNOWN}), now=now)
                summaries.recompute(assignment_id, now=now)
    return left


def _was_compared_since(pk: int) -> bool:
    """Whether the number's list was read late enough after the claim to have held this text."""
    late_enough = F("claimed_at") + LIST_LAGS
    return Message.objects.filter(pk=pk, department__sender__compared_until__gt=late_enough).exists()
