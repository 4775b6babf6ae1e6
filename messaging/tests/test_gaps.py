"""After an outage or a restored backup nothing goes out before the carrier's list was compared."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from clients.models import CaseAssignment
from messaging import delivery, gaps, reconciliation
from messaging.actions import settling
from messaging.models import BeatTick, Message
from messaging.sms import CarrierRecord, CarrierUnreachable, DeliveryReport, InboundText, ReportedState
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

    def outgoing_text(self, carrier_id: str) -> CarrierRecord | None:
        return None


class OutOfReach:
    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        raise CarrierUnreachable

    def incoming_since(self, our_number: str, since: datetime) -> Iterator[tuple[InboundText, datetime]]:
        raise CarrierUnreachable

    def outgoing_text(self, carrier_id: str) -> CarrierRecord | None:
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


def states_after(*records: CarrierRecord, of: list[Message]) -> list[str]:
    """What stands under the messages once the gap was compared with these records."""
    gaps.tick(now=minutes_ago(40))
    gaps.tick(now=timezone.now())
    gaps.close(ListOf(*records), now=timezone.now())
    return [Message.objects.get(pk=message.pk).state for message in of]


def test_two_equal_texts_need_two_records(maria: CaseAssignment) -> None:
    first, second = (make_outgoing(maria, "Ok", at=minutes_ago(minutes)) for minutes in (30, 20))
    assert states_after(record_of(first), of=[first, second]) == [Message.State.DELIVERED, Message.State.WAITING]


def test_one_record_that_fits_two_equal_texts_is_the_older_ones_and_a_person_is_asked_about_the_other(
    maria: CaseAssignment,
) -> None:
    first, second = (make_outgoing(maria, "Ok", at=minutes_ago(minutes)) for minutes in (30, 20))
    record = record_of(second)
    assert states_after(record, of=[first, second]) == [Message.State.DELIVERED, Message.State.UNCONFIRMED]


def test_as_many_records_as_equal_texts_are_theirs(maria: CaseAssignment) -> None:
    texts = [make_outgoing(maria, "Ok", at=minutes_ago(minutes)) for minutes in (30, 20)]
    records = [record_of(texts[0], carrier_id="SM1"), record_of(texts[1], carrier_id="SM2")]
    assert states_after(*reversed(records), of=texts) == [Message.State.DELIVERED] * 2
    assert [Message.objects.get(pk=text.pk).carrier_id for text in texts] == ["SM1", "SM2"]


def test_a_text_for_tomorrow_that_may_have_been_sent_at_once_goes_to_a_person(maria: CaseAssignment) -> None:
    """In the backup it is scheduled; then its author sent it now."""
    text = make_outgoing(maria, at=timezone.now() + timedelta(days=1))
    record = record_of(text, after=timedelta(days=-1, minutes=-5))
    assert states_after(record, of=[text]) == [Message.State.UNCONFIRMED]
    text.refresh_from_db()
    assert text.placed_at <= timezone.now()


# --- Words that were erased at the carrier ---------------------------------------------------------------------------


def blanked(record: CarrierRecord) -> CarrierRecord:
    return dataclasses.replace(record, body="")


@pytest.mark.parametrize("state", [Message.State.WAITING, Message.State.HELD, Message.State.UNKNOWN])
def test_a_text_that_may_be_the_one_erased_at_the_carrier_goes_to_a_person_and_never_out(
    maria: CaseAssignment, state: Message.State
) -> None:
    fields = {"hold_reason": "too_late"} if state == Message.State.HELD else {"claimed_at": minutes_ago(30)}
    text = make_outgoing(maria, at=minutes_ago(30), state=state, **fields)
    assert states_after(blanked(record_of(text)), of=[text]) == [Message.State.UNCONFIRMED]
    assert delivery.claim_next(timezone.now()) is None
    assert settling.can_try_again(Message.objects.get())


def test_every_text_that_an_erased_one_may_have_been_goes_to_a_person(maria: CaseAssignment) -> None:
    texts = [make_outgoing(maria, body, at=minutes_ago(30)) for body in ("Court at 9", "Bring your ID")]
    assert states_after(blanked(record_of(texts[0])), of=texts) == [Message.State.UNCONFIRMED] * 2


def test_an_erased_text_of_before_asks_nobody_about_what_came_after(maria: CaseAssignment) -> None:
    text = make_outgoing(maria, at=minutes_ago(5))
    early = blanked(record_of(text, after=timedelta(minutes=-20)))
    assert states_after(early, of=[text]) == [Message.State.WAITING]


def test_an_erased_text_that_a_row_has_asks_nobody(maria: CaseAssignment) -> None:
    known = make_outgoing(maria, state=Message.State.DELIVERED, at=minutes_ago(30), carrier_id="SM1")
    text = make_outgoing(maria, "Bring your ID", at=minutes_ago(31))
    assert states_after(blanked(record_of(known)), of=[text]) == [Message.State.WAITING]


def test_an_erased_text_to_somebody_else_asks_nobody(maria: CaseAssignment) -> None:
    text, other = (make_outgoing(make_client(maria.case_manager), at=minutes_ago(30)) for _ in range(2))
    records = [blanked(record_of(text))]
    assert states_after(*records, of=[text, other]) == [Message.State.UNCONFIRMED, Message.State.WAITING]


def test_words_that_are_still_there_are_matched_before_anybody_is_asked(maria: CaseAssignment) -> None:
    sent, erased = (make_outgoing(maria, body, at=minutes_ago(30)) for body in ("Court at 9", "Bring your ID"))
    records = [record_of(sent), blanked(record_of(erased, carrier_id="SM2"))]
    assert states_after(*records, of=[sent, erased]) == [Message.State.DELIVERED, Message.State.UNCONFIRMED]


def test_the_ordinary_comparison_asks_a_person_about_an_erased_text_too(maria: CaseAssignment) -> None:
    text = make_outgoing(maria, at=minutes_ago(30))
    reconciliation.compare_all(ListOf(blanked(record_of(text))), now=timezone.now())
    text.refresh_from_db()
    assert text.state == Message.State.UNCONFIRMED


def test_a_late_word_of_the_carrier_still_counts_for_a_text_that_a_person_was_asked_about(
    maria: CaseAssignment,
) -> None:
    text = make_outgoing(maria, at=minutes_ago(30))
    states_after(blanked(record_of(text)), of=[text])
    delivery.record_delivery_report(DeliveryReport(text.public_id, "SM1", ReportedState.DELIVERED), now=timezone.now())
    text.refresh_from_db()
    assert (text.state, text.their_number) == (Message.State.DELIVERED, number_of(maria).address)


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
