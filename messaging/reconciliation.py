"""Compares each number's texts with the carrier's own list, both ways, every few minutes.

Finds what never reached us: texts that came while the web server was down, final states whose callback was lost, and
the truth about texts whose hand-over was unclear. A text of ours that is unclear and stands in no list, twice, some
minutes apart, is left to a person; it is never sent again by a machine. A text that stands in the list and nowhere here
is an orphan, which the operator is shown.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import phone_numbers
from accounts.models import Department
from messaging import delivery, gaps, orphans, states, summaries
from messaging.actions.receiving import receive_text
from messaging.models import Message, Orphan, SenderNumber
from messaging.sms import CarrierList, CarrierRecord, DeliveryReport, InboundText

logger = logging.getLogger(__name__)

State = Message.State

EVERY = timedelta(minutes=3)
OVERLAP = timedelta(hours=1)
LOOK_BACK = timedelta(hours=48)
LOOK_BACK_EVERY = timedelta(hours=12)  # who has no final state by then is to be asked for (docs/carrier.md, section 2)
NO_LONGER_ASKED = timedelta(days=4)  # some phone companies never confirm
ASKED_AT_ONCE = 500
LIST_LAGS = timedelta(minutes=4)  # a text may stand in the list only minutes after it was taken
SECOND_LOOK = timedelta(minutes=9)


def compare_due(carrier: CarrierList, *, now: datetime) -> None:
    """Compares the numbers that were not compared for three minutes; after an outage that is at once."""
    is_due = Q(sender__compared_until__isnull=True) | Q(sender__compared_until__lte=now - EVERY)
    _compare_each(Department.objects.filter(is_due), carrier, now)


def compare_all(carrier: CarrierList, *, now: datetime) -> None:
    """Compares every department's number."""
    _compare_each(Department.objects.all(), carrier, now)


def _compare_each(departments: QuerySet[Department], carrier: CarrierList, now: datetime) -> None:
    """One that fails doesn't keep the others from being compared."""
    for department in departments.order_by("pk"):
        try:
            compare(department, carrier, now=now)
        except Exception as error:  # its kind alone: its words could hold a text
            logger.error("comparing the number of department %s failed: %s", department.pk, type(error).__name__)
    leave_to_a_person(now=now)


def compare(department: Department, carrier: CarrierList, *, now: datetime) -> None:
    """Takes from the carrier's list what this number's rows lack. Raises CarrierUnreachable."""
    sender, _made = SenderNumber.objects.get_or_create(department=department)
    looks_back = sender.looked_back_at is None or now - sender.looked_back_at >= LOOK_BACK_EVERY
    since = (sender.compared_until or now) - (LOOK_BACK if looks_back else OVERLAP)
    outgoing = list(carrier.outgoing_since(department.phone_number, since))
    found = gaps.match(outgoing, now=now)
    if looks_back:
        outgoing += _asked_one_by_one(department, carrier, outgoing, now)
    late_reports = _take_reports(outgoing, now)
    late_arrivals, not_taken = _take_arrivals(department, carrier, since, now)
    orphans.keep([*_unknown_outgoing(department, outgoing, now), *not_taken], department=department)
    SenderNumber.objects.filter(pk=sender.pk).update(
        compared_until=now,
        looked_back_at=now if looks_back else F("looked_back_at"),
        late_arrivals=F("late_arrivals") + late_arrivals,
        late_reports=F("late_reports") + late_reports + found,
    )


def _asked_one_by_one(
    department: Department, carrier: CarrierList, listed: Iterable[CarrierRecord], now: datetime
) -> list[CarrierRecord]:
    """What became of texts whose final state is missing and that no list reaches any more."""
    on_the_way = Message.objects.filter(
        department=department,
        state__in=states.ON_THE_WAY,
        carrier_id__isnull=False,
        state_at__gt=now - NO_LONGER_ASKED,
        state_at__lt=now - LOOK_BACK_EVERY,
    )
    ids = on_the_way.order_by("state_at").values_list("carrier_id", flat=True)[:ASKED_AT_ONCE]
    in_the_list = {record.carrier_id for record in listed}
    answers = [carrier.outgoing_text(carrier_id) for carrier_id in ids if carrier_id and carrier_id not in in_the_list]
    return [record for record in answers if record is not None]


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


def _take_arrivals(
    department: Department, carrier: CarrierList, since: datetime, now: datetime
) -> tuple[int, list[Orphan]]:
    """Stores what the webhook missed, oldest first, each at its time. Returns how many, and those that it can't."""
    listed = list(carrier.incoming_since(department.phone_number, since))
    known = set(
        Message.objects.filter(carrier_id__in=[text.carrier_id for text, _at in listed]).values_list(
            "carrier_id", flat=True
        )
    )
    missed = [(text, sent_at) for text, sent_at in reversed(listed) if text.carrier_id not in known]
    not_taken = [(text, sent_at) for text, sent_at in missed if not _is_stored(text, sent_at, now)]
    strays = [
        _orphan(department, Message.Direction.INCOMING, text.carrier_id, text.from_address, sent_at, now)
        for text, sent_at in not_taken
    ]
    return len(missed) - len(not_taken), strays


def _is_stored(text: InboundText, sent_at: datetime, now: datetime) -> bool:
    """One that can't be stored keeps no other from being, and is tried again with the next comparison."""
    try:
        receive_text(text=text, now=now, sent_at=sent_at)
    except Exception as error:  # its kind alone: its words could hold the text
        logger.error("storing %s, found at the carrier, failed: %s", text.carrier_id, type(error).__name__)
        return False
    return True


def _unknown_outgoing(department: Department, records: Iterable[CarrierRecord], now: datetime) -> list[Orphan]:
    """What went out from our number and has no row here; not what may just be on its way into one."""
    settled = {record.carrier_id: record for record in records if record.created_at < now - LIST_LAGS}
    known = set(Message.objects.filter(carrier_id__in=list(settled)).values_list("carrier_id", flat=True))
    return [
        _orphan(department, Message.Direction.OUTGOING, carrier_id, record.their_number, record.created_at, now)
        for carrier_id, record in settled.items()
        if carrier_id not in known
    ]


def _orphan(
    department: Department,
    direction: Message.Direction,
    carrier_id: str,
    their_number: str,
    created_at: datetime,
    now: datetime,
) -> Orphan:
    return Orphan(
        carrier_id=carrier_id,
        department=department,
        direction=direction,
        their_number=their_number[: phone_numbers.MAX_ADDRESS_LENGTH],
        created_at=created_at,
        found_at=now,
    )


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
