"""After an outage or a restored backup nothing goes out before the carrier's list was compared."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from clients.models import CaseAssignment
from messaging import delivery, gaps
from messaging.models import BeatTick, Message
from messaging.sms import CarrierRecord, CarrierUnreachable, InboundText, ReportedState
from tests.builders import make_client, make_department, make_outgoing, make_user, minutes_ago, number_of

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


class ListOf:
    """A carrier that has these texts."""

    def __init__(self, *records: CarrierRecord) -> None:
        self.records = records

    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        return (record for record in self.records if record.our_number == our_number and record.created_at >= since)

    def incoming_since(self, our_number: str, since: datetime) -> Iterator[tuple[InboundText, datetime]]:
        return iter(())


class OutOfReach:
    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        raise CarrierUnreachable

    def incoming_since(self, our_number: str, since: datetime) -> Iterator[tuple[InboundText, datetime]]:
        raise CarrierUnreachable


@pytest.fixture
def maria() -> CaseAssignment:
    return make_client(make_user(make_department()))


def record_of(message: Message, *, carrier_id: str = "SM1", after: timedelta = timedelta(seconds=2)) -> CarrierRecord:
    assert message.due_at is not None
    return CarrierRecord(
        carrier_id=carrier_id,
        our_number=message.department.phone_number,
        their_number=number_of(message.assignment).address,
        body=message.body,
        created_at=message.due_at + after,
        state=ReportedState.DELIVERED,
    )


def test_a_first_tick_is_no_gap(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    gaps.tick(now=timezone.now())
    assert isinstance(delivery.claim_next(timezone.now()), delivery.Claim)


def test_nothing_is_claimed_while_the_last_tick_is_old(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    gaps.tick(now=minutes_ago(11))
    assert delivery.claim_next(timezone.now()) is None


def test_a_tick_after_a_gap_keeps_the_sending_stopped(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    gaps.tick(now=minutes_ago(11))
    gaps.tick(now=timezone.now())
    gaps.tick(now=timezone.now())
    assert delivery.claim_next(timezone.now()) is None


def test_short_silence_is_no_gap(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    gaps.tick(now=minutes_ago(9))
    gaps.tick(now=timezone.now())
    assert isinstance(delivery.claim_next(timezone.now()), delivery.Claim)


def test_what_the_carrier_has_is_not_sent_again(maria: CaseAssignment) -> None:
    sent, unsent = make_outgoing(maria, "Court at 9", at=minutes_ago(30)), make_outgoing(maria, "Bring your ID")
    gaps.tick(now=minutes_ago(40))
    gaps.tick(now=timezone.now())
    assert gaps.close(ListOf(record_of(sent)), now=timezone.now()) == 1
    sent.refresh_from_db()
    assert (sent.state, sent.carrier_id) == (Message.State.DELIVERED, "SM1")
    claim = delivery.claim_next(timezone.now())
    assert isinstance(claim, delivery.Claim)
    assert claim.message_id == unsent.pk


def test_two_equal_texts_need_two_records(maria: CaseAssignment) -> None:
    first, second = (make_outgoing(maria, "Ok", at=minutes_ago(minutes)) for minutes in (30, 29))
    gaps.tick(now=minutes_ago(40))
    gaps.tick(now=timezone.now())
    gaps.close(ListOf(record_of(first)), now=timezone.now())
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (Message.State.DELIVERED, Message.State.WAITING)


def test_an_earlier_text_with_the_same_words_is_not_taken_for_it(maria: CaseAssignment) -> None:
    waiting = make_outgoing(maria, "See you", at=minutes_ago(5))
    gaps.tick(now=minutes_ago(40))
    gaps.tick(now=timezone.now())
    assert gaps.close(ListOf(record_of(waiting, after=timedelta(minutes=-20))), now=timezone.now()) == 0


def test_a_record_that_a_row_has_is_not_given_to_another(maria: CaseAssignment) -> None:
    known = make_outgoing(maria, "Ok", state=Message.State.DELIVERED, at=minutes_ago(30), carrier_id="SM1")
    make_outgoing(maria, "Ok", at=minutes_ago(31))
    gaps.tick(now=minutes_ago(40))
    gaps.tick(now=timezone.now())
    assert gaps.close(ListOf(record_of(known)), now=timezone.now()) == 0


def test_the_gap_stays_open_while_the_carrier_is_out_of_reach(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    gaps.tick(now=minutes_ago(11))
    gaps.tick(now=timezone.now())
    with pytest.raises(CarrierUnreachable):
        gaps.close(OutOfReach(), now=timezone.now())
    assert delivery.claim_next(timezone.now()) is None


def test_without_a_gap_the_carrier_is_not_asked() -> None:
    gaps.tick(now=timezone.now())
    assert gaps.close(OutOfReach(), now=timezone.now()) == 0


def test_after_restore_stops_the_sending_however_fresh_the_backup(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    gaps.tick(now=timezone.now())
    call_command("after_restore", since="2026-03-03T09:00Z")
    assert delivery.claim_next(timezone.now()) is None
    assert BeatTick.objects.get().gap_since == datetime.fromisoformat("2026-03-03T09:00+00:00")


def test_after_restore_wants_a_zone() -> None:
    with pytest.raises(SystemExit):
        call_command("after_restore", since="2026-03-03T09:00")


def test_after_restore_of_an_unused_database_changes_nothing() -> None:
    call_command("after_restore")
    assert not BeatTick.objects.exists()
