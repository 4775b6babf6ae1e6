"""After an outage or a restored backup: nothing goes out before the carrier's list was compared with our rows.

A backup knows a text as waiting that was handed over after it was taken. Handing it over again would send it twice; so
the rows that stand in the carrier's list are found there by number and words, and take the carrier's word from then on.

Where the list doesn't tell which row it was, a person is asked and nothing is sent: words that were erased there
(messaging.erasing) fit every row to that number, and fewer records than rows with the same words fit each of them.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Department
from clients.models import PhoneNumber
from messaging import states, summaries
from messaging.models import BeatTick, Message
from messaging.sms import CarrierList, CarrierRecord, ReportedState

logger = logging.getLogger(__name__)

LONG = timedelta(minutes=10)
OVERLAP = timedelta(hours=1)  # a tick may have been written just before the end; rows that are known drop out anyway
CLOCKS_DIFFER_BY = timedelta(minutes=1)

# A condition for the claim, in SQL; gap_before is LONG ago: there is a gap that nobody has compared or noticed yet.
OPEN_GAP = "EXISTS (SELECT 1 FROM messaging_beattick t WHERE t.gap_since IS NOT NULL OR t.at < %(gap_before)s)"

_MAY_HAVE_GONE_OUT = [Message.State.WAITING, Message.State.HELD, Message.State.SENDING, Message.State.UNKNOWN]


def tick(*, now: datetime) -> None:
    """Writes down that beat is alive; if it was silent for long, since when."""
    known = BeatTick.objects.filter(pk=1)
    known.filter(at__lt=now - LONG, gap_since__isnull=True).update(gap_since=F("at"))
    if not known.update(at=now):
        BeatTick.objects.bulk_create([BeatTick(pk=1, at=now)], ignore_conflicts=True)


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
        listed = carrier.outgoing_since(number, row.gap_since - OVERLAP)
        found += match(listed, now=now, after_gap=True)
    BeatTick.objects.filter(pk=1, gap_since=row.gap_since).update(gap_since=None)
    logger.warning("a gap since %s is closed: %s texts had gone out unknown to us", row.gap_since.isoformat(), found)
    return found


def match(records: Iterable[CarrierRecord], *, now: datetime, after_gap: bool = False) -> int:
    """Gives each record that no row of ours has to the row that it fits, one to one, oldest first. Returns how many.

    after_gap: rows that wait here may have gone out, so those that a record could be, too, are left to a person.
    """
    unknown = _unknown(records)
    by_text: dict[tuple[str, str], list[CarrierRecord]] = defaultdict(list)
    for record in sorted(unknown, key=lambda record: record.created_at):
        by_text[record.their_number, record.body].append(record)
    free = {key: list(listed) for key, listed in by_text.items() if key[1]}  # no words: erased there
    rows = list(_candidates(unknown))
    unmatched = [row for row in rows if not _match(row, free, now)]
    for row in unmatched:
        if _may_be_one_of(row, by_text, free, after_gap=after_gap):
            _leave_to_a_person(row, now)
    return len(rows) - len(unmatched)


def _unknown(records: Iterable[CarrierRecord]) -> list[CarrierRecord]:
    by_id = {record.carrier_id: record for record in records}
    known = set(Message.objects.filter(carrier_id__in=list(by_id)).values_list("carrier_id", flat=True))
    return [record for carrier_id, record in by_id.items() if carrier_id not in known]


def _candidates(records: Iterable[CarrierRecord]) -> QuerySet[Message]:
    """Our rows without a carrier id that may have gone out to one of these numbers, oldest first."""
    clients = PhoneNumber.objects.filter(address__in={record.their_number for record in records}).values("client")
    unsettled = Q(state=Message.State.UNCONFIRMED, arrived_at__isnull=True, retried_as__isnull=True)
    rows = Message.objects.filter(Q(state__in=_MAY_HAVE_GONE_OUT) | unsettled, carrier_id__isnull=True)
    return rows.filter(client__in=clients).order_by("due_at", "pk")


@transaction.atomic
def _match(row: Message, free: dict[tuple[str, str], list[CarrierRecord]], now: datetime) -> bool:
    record = _taken_for(row, free)
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


def _taken_for(row: Message, free: dict[tuple[str, str], list[CarrierRecord]]) -> CarrierRecord | None:
    """The oldest record with the row's words to one of its numbers, made after the row was due; it is used up."""
    for address in _addresses(row):
        records = free.get((address, row.body), [])
        for record in records:
            if _was_due(row, record):
                records.remove(record)
                return record
    return None


def _addresses(row: Message) -> list[str]:
    """Where it went, or may have gone."""
    if row.their_number:
        return [row.their_number]
    return list(PhoneNumber.objects.filter(client=row.client_id).values_list("address", flat=True))


def _was_due(row: Message, record: CarrierRecord) -> bool:
    since = row.claimed_at or row.due_at
    return since is not None and record.created_at >= since - CLOCKS_DIFFER_BY


def _may_be_one_of(
    row: Message,
    listed: dict[tuple[str, str], list[CarrierRecord]],
    free: dict[tuple[str, str], list[CarrierRecord]],
    *,
    after_gap: bool,
) -> bool:
    """Whether the list leaves open that it went out: erased there; or its words did, for another row or too early.

    Too early: what is due tomorrow may have been sent at once, after the backup was taken.
    """
    addresses = _addresses(row)
    fitting = [record for address in addresses for record in listed.get((address, ""), [])]
    if after_gap:
        fitting += [record for address in addresses for record in listed.get((address, row.body), [])]
        if any(free.get((address, row.body)) for address in addresses):
            return True
    return any(_was_due(row, record) for record in fitting)


@transaction.atomic
def _leave_to_a_person(row: Message, now: datetime) -> None:
    assignment_id = summaries.lock_for(row.pk)
    waiting = frozenset({Message.State.WAITING, Message.State.HELD, Message.State.UNKNOWN})
    fresh = {"hold_reason": "", "placed_at": min(row.placed_at, now)}
    if states.move(row.pk, to=Message.State.UNCONFIRMED, from_states=waiting, now=now, **fresh):
        logger.warning("message %s may have gone out already: a person is asked", row.pk)
        summaries.recompute(assignment_id, now=now)
