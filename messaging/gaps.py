"""After an outage or a restored backup: nothing goes out before the carrier's list was compared with our rows.

A backup knows a text as waiting that was handed over after it was taken. Handing it over again would send it twice; so
the rows that stand in the carrier's list are found there by number and words, and take the carrier's word from then on.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet

from accounts.models import Department
from clients.models import PhoneNumber
from messaging import states, summaries
from messaging.models import BeatTick, Message
from messaging.sms import CarrierList, CarrierRecord, ReportedState

logger = logging.getLogger(__name__)

LONG = timedelta(minutes=10)
OVERLAP = timedelta(hours=1)  # a tick may have been written just before the end; rows that are known drop out anyway
CLOCKS_DIFFER_BY = timedelta(minutes=1)

_MAY_HAVE_GONE_OUT = [Message.State.WAITING, Message.State.HELD, Message.State.SENDING, Message.State.UNKNOWN]


def tick(*, now: datetime) -> None:
    """Writes down that beat is alive; if it was silent for long, since when."""
    known = BeatTick.objects.filter(pk=1)
    known.filter(at__lt=now - LONG, gap_since__isnull=True).update(gap_since=F("at"))
    if not known.update(at=now):
        BeatTick.objects.bulk_create([BeatTick(pk=1, at=now)], ignore_conflicts=True)


def open_gap(now: datetime) -> Exists:
    """A condition for the claim: there is a gap that nobody has compared yet (or noticed yet)."""
    return Exists(BeatTick.objects.filter(Q(gap_since__isnull=False) | Q(at__lt=now - LONG)))


def declare(*, since: datetime | None = None) -> bool:
    """Stops all sending until the carrier's list was compared: for a restored backup. False without a tick to go by.

    since: from when on texts may be missing here; by default the last tick, which came with the backup.
    """
    tick_row = BeatTick.objects.filter(pk=1).first()
    if tick_row is None:
        return False
    BeatTick.objects.filter(pk=1).update(gap_since=since or tick_row.gap_since or tick_row.at)
    return True


def close(carrier: CarrierList, *, now: datetime) -> int:
    """Compares, then lets the sending go on. Returns how many rows the carrier turned out to have.

    Raises CarrierUnreachable; then the gap stays open.
    """
    row = BeatTick.objects.filter(pk=1, gap_since__isnull=False).first()
    if row is None or row.gap_since is None:
        return 0
    found = 0
    for number in Department.objects.order_by("pk").values_list("phone_number", flat=True):
        found += match(carrier.outgoing_since(number, row.gap_since - OVERLAP), now=now)
    BeatTick.objects.filter(pk=1, gap_since=row.gap_since).update(gap_since=None)
    logger.warning("a gap since %s is closed: %s texts had gone out unknown to us", row.gap_since.isoformat(), found)
    return found


def match(records: Iterable[CarrierRecord], *, now: datetime) -> int:
    """Gives each record that no row of ours has to the row that it fits, one to one, oldest first. Returns how many."""
    unknown = _unknown(records)
    by_text: dict[tuple[str, str], list[CarrierRecord]] = defaultdict(list)
    for record in sorted(unknown, key=lambda record: record.created_at):
        by_text[record.their_number, record.body].append(record)
    return sum(_match(row, by_text, now) for row in _candidates(unknown))


def _unknown(records: Iterable[CarrierRecord]) -> list[CarrierRecord]:
    by_id = {record.carrier_id: record for record in records}
    known = set(Message.objects.filter(carrier_id__in=list(by_id)).values_list("carrier_id", flat=True))
    return [record for carrier_id, record in by_id.items() if carrier_id not in known]


def _candidates(records: Iterable[CarrierRecord]) -> QuerySet[Message]:
    """Our rows without a carrier id that may have gone out to one of these numbers, oldest first."""
    clients = PhoneNumber.objects.filter(address__in={record.their_number for record in records}).values("client")
    rows = Message.objects.filter(state__in=_MAY_HAVE_GONE_OUT, carrier_id__isnull=True, client__in=clients)
    return rows.order_by("due_at", "pk")


@transaction.atomic
def _match(row: Message, by_text: dict[tuple[str, str], list[CarrierRecord]], now: datetime) -> bool:
    record = _taken_for(row, by_text)
    if record is None:
        return False
    assignment_id = summaries.lock_for(row.pk)
    if not states.learn_carrier_id(row.pk, record.carrier_id):
        return False
    Message.objects.filter(pk=row.pk, their_number="").update(
        our_number=record.our_number, their_number=record.their_number
    )
    why = {"failure_reason": record.reason or "", "error_code": record.error_code}
    states.advance(row.pk, to=Message.State(record.state or ReportedState.ACCEPTED), now=now, **why)
    summaries.recompute(assignment_id, now=now)
    return True


def _taken_for(row: Message, by_text: dict[tuple[str, str], list[CarrierRecord]]) -> CarrierRecord | None:
    """The oldest record with the row's words to one of its numbers, made after the row was due; it is used up."""
    addresses = PhoneNumber.objects.filter(client=row.client_id).values_list("address", flat=True)
    for address in [row.their_number] if row.their_number else list(addresses):
        records = by_text.get((address, row.body), [])
        for record in records:
            if row.due_at is not None and record.created_at >= row.due_at - CLOCKS_DIFFER_BY:
                records.remove(record)
                return record
    return None
