"""What never reached us is found in the carrier's own list, both ways."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Department
from clients.models import CaseAssignment
from messaging import delivery, orphans, reconciliation
from messaging.actions.receiving import receive_text
from messaging.models import Message, Orphan, SenderNumber
from messaging.sms import CarrierRecord, CarrierUnreachable, DeliveryReport, InboundText, ReportedState
from tests.builders import (
    inbound_text,
    make_client,
    make_department,
    make_incoming,
    make_outgoing,
    make_user,
    minutes_ago,
    number_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@dataclass
class Carrier:
    """What the carrier's list holds, newest first."""

    outgoing: list[CarrierRecord] = field(default_factory=list)
    incoming: list[tuple[InboundText, datetime]] = field(default_factory=list)
    by_id: dict[str, CarrierRecord] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        return (record for record in self.outgoing if record.our_number == our_number and record.created_at >= since)

    def incoming_since(self, our_number: str, since: datetime) -> Iterator[tuple[InboundText, datetime]]:
        return (pair for pair in self.incoming if pair[0].to_number == our_number and pair[1] >= since)

    def outgoing_text(self, carrier_id: str) -> CarrierRecord | None:
        self.asked.append(carrier_id)
        return self.by_id.get(carrier_id)


class FailsFor(Carrier):
    """A carrier whose list can't be had for one number."""

    bad_number = ""

    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        if our_number == self.bad_number:
            raise CarrierUnreachable
        return super().outgoing_since(our_number, since)


@pytest.fixture
def maria() -> CaseAssignment:
    return make_client(make_user(make_department()))


def listed(message: Message, state: ReportedState = ReportedState.DELIVERED, carrier_id: str = "SM1") -> CarrierRecord:
    assert message.due_at is not None
    return CarrierRecord(
        carrier_id=message.carrier_id or carrier_id,
        our_number=message.department.phone_number,
        their_number=number_of(message.assignment).address,
        body=message.body,
        created_at=message.due_at + timedelta(seconds=1),
        state=state,
    )


def test_a_text_that_the_webhook_missed_is_stored_at_its_time(maria: CaseAssignment) -> None:
    later = make_incoming(maria, "After", at=minutes_ago(10))
    missed = inbound_text(maria, "Missed")
    reconciliation.compare_all(Carrier(incoming=[(missed, minutes_ago(40))]), now=timezone.now())
    talk = Message.objects.order_by("placed_at").values_list("body", "carrier_id")
    assert list(talk) == [("Missed", missed.carrier_id), ("After", later.carrier_id)]
    maria.refresh_from_db()
    assert (maria.unread_count, SenderNumber.objects.get().late_arrivals) == (2, 1)


def test_comparing_twice_stores_it_once(maria: CaseAssignment) -> None:
    carrier = Carrier(incoming=[(inbound_text(maria), minutes_ago(40))])
    for _ in range(2):
        reconciliation.compare_all(carrier, now=timezone.now())
    assert Message.objects.count() == 1


def test_missed_texts_arrive_in_the_order_in_which_they_were_sent(maria: CaseAssignment) -> None:
    newest_first = [(inbound_text(maria, str(n)), minutes_ago(n)) for n in range(1, 6)]
    reconciliation.compare_all(Carrier(incoming=newest_first), now=timezone.now())
    assert list(Message.objects.order_by("pk").values_list("body", flat=True)) == ["5", "4", "3", "2", "1"]


def test_a_missed_stop_counts_by_its_own_time(maria: CaseAssignment) -> None:
    reconciliation.compare_all(Carrier(incoming=[(inbound_text(maria, "STOP"), minutes_ago(40))]), now=timezone.now())
    opted_out_at = number_of(maria).opted_out_at
    assert opted_out_at is not None
    assert opted_out_at < minutes_ago(39)


def test_a_lost_final_state_is_fetched(maria: CaseAssignment) -> None:
    sent = make_outgoing(maria, state=Message.State.SENT, at=minutes_ago(30), carrier_id="SM1")
    reconciliation.compare_all(Carrier(outgoing=[listed(sent)]), now=timezone.now())
    sent.refresh_from_db()
    assert sent.state == Message.State.DELIVERED
    assert SenderNumber.objects.get().late_reports == 1


def test_the_list_takes_no_state_back(maria: CaseAssignment) -> None:
    sent = make_outgoing(maria, state=Message.State.SENT, at=minutes_ago(30), carrier_id="SM1")
    reconciliation.compare_all(Carrier(outgoing=[listed(sent, ReportedState.ACCEPTED)]), now=timezone.now())
    sent.refresh_from_db()
    assert sent.state == Message.State.SENT


def test_an_unclear_text_that_stands_in_the_list_was_sent(maria: CaseAssignment) -> None:
    unclear = make_outgoing(maria, state=Message.State.UNKNOWN, at=minutes_ago(3), claimed_at=minutes_ago(3))
    reconciliation.compare_all(Carrier(outgoing=[listed(unclear)]), now=timezone.now())
    unclear.refresh_from_db()
    assert (unclear.state, unclear.carrier_id) == (Message.State.DELIVERED, "SM1")


def test_an_unclear_text_is_given_time_to_appear_in_the_list(maria: CaseAssignment) -> None:
    unclear = make_outgoing(maria, state=Message.State.UNKNOWN, at=minutes_ago(3), claimed_at=minutes_ago(3))
    reconciliation.compare_all(Carrier(), now=timezone.now())
    unclear.refresh_from_db()
    assert unclear.state == Message.State.UNKNOWN


def test_one_that_stays_absent_is_left_to_a_person_and_never_sent_again(maria: CaseAssignment) -> None:
    unclear = make_outgoing(maria, state=Message.State.UNKNOWN, at=minutes_ago(10), claimed_at=minutes_ago(10))
    reconciliation.compare_all(Carrier(), now=timezone.now())
    unclear.refresh_from_db()
    assert unclear.state == Message.State.UNCONFIRMED


def test_while_the_list_cant_be_had_an_unclear_text_stays_unclear(maria: CaseAssignment) -> None:
    unclear = make_outgoing(maria, state=Message.State.UNKNOWN, at=minutes_ago(10), claimed_at=minutes_ago(10))
    carrier = FailsFor()
    carrier.bad_number = maria.client.department.phone_number
    reconciliation.compare_all(carrier, now=timezone.now())
    unclear.refresh_from_db()
    assert unclear.state == Message.State.UNKNOWN


def test_one_number_out_of_reach_doesnt_keep_the_others_from_being_compared(maria: CaseAssignment) -> None:
    other = make_client(make_user(make_department()))
    carrier = FailsFor(incoming=[(inbound_text(other), minutes_ago(5))])
    carrier.bad_number = maria.client.department.phone_number
    reconciliation.compare_all(carrier, now=timezone.now())
    assert Message.objects.get().assignment == other


def test_a_number_is_due_three_minutes_after_its_last_comparison(maria: CaseAssignment) -> None:
    new, just_compared, due = maria.client.department, make_department(), make_department()
    SenderNumber.objects.create(department=just_compared, compared_until=minutes_ago(2.9))
    SenderNumber.objects.create(department=due, compared_until=minutes_ago(3.1))
    now = timezone.now()
    reconciliation.compare_due(Carrier(), now=now)
    compared = SenderNumber.objects.filter(compared_until=now).values_list("department", flat=True)
    assert set(compared) == {new.pk, due.pk}


def test_an_unconfirmed_text_that_appears_in_the_list_after_all_was_sent(maria: CaseAssignment) -> None:
    fields: dict[str, Any] = {"state": Message.State.UNCONFIRMED, "at": minutes_ago(30), "claimed_at": minutes_ago(30)}
    late = make_outgoing(maria, "Late", **fields)
    settled = make_outgoing(maria, "Settled", **fields)
    make_outgoing(maria, "Settled", state=Message.State.WAITING, retry_of=settled)
    records = [listed(late), listed(settled, carrier_id="SM2")]
    reconciliation.compare_all(Carrier(outgoing=records), now=timezone.now())
    assert [Message.objects.get(pk=it.pk).state for it in (late, settled)] == ["delivered", "unconfirmed"]


def test_the_next_look_begins_an_hour_before_the_last(maria: CaseAssignment) -> None:
    department = Department.objects.get()
    last = timezone.now()
    reconciliation.compare(department, Carrier(), now=last)
    too_old = inbound_text(maria, "Known to be missing before"), last - timedelta(minutes=61)
    in_time = inbound_text(maria, "Late"), last - timedelta(minutes=59)
    reconciliation.compare(department, Carrier(incoming=[in_time, too_old]), now=timezone.now())
    assert [message.body for message in Message.objects.all()] == ["Late"]


def hours_ago(hours: float) -> datetime:
    return minutes_ago(60 * hours)


def test_twice_a_day_two_days_are_compared_at_once(maria: CaseAssignment) -> None:
    department = Department.objects.get()
    carrier = Carrier(incoming=[(inbound_text(maria, "Two days old"), hours_ago(47))])
    SenderNumber.objects.create(department=department, compared_until=minutes_ago(3), looked_back_at=hours_ago(11))
    reconciliation.compare(department, carrier, now=timezone.now())
    assert not Message.objects.exists()
    SenderNumber.objects.update(looked_back_at=hours_ago(13))
    reconciliation.compare(department, carrier, now=timezone.now())
    assert Message.objects.count() == 1
    assert (SenderNumber.objects.get().looked_back_at or hours_ago(99)) > minutes_ago(1)


def test_a_final_state_that_no_list_reaches_any_more_is_asked_for_one_by_one(maria: CaseAssignment) -> None:
    old = make_outgoing(maria, state=Message.State.SENT, at=hours_ago(60), carrier_id="SM1")
    make_outgoing(maria, "Too young", state=Message.State.SENT, at=hours_ago(11), carrier_id="SM2")
    make_outgoing(maria, "Never confirmed", state=Message.State.SENT, at=hours_ago(100), carrier_id="SM3")
    listed_anyway = make_outgoing(maria, "In the list", state=Message.State.SENT, at=hours_ago(20), carrier_id="SM4")
    carrier = Carrier(outgoing=[listed(listed_anyway)], by_id={"SM1": listed(old)})
    reconciliation.compare_all(carrier, now=timezone.now())
    assert carrier.asked == ["SM1"]
    old.refresh_from_db()
    assert (old.state, SenderNumber.objects.get().late_reports) == (Message.State.DELIVERED, 2)
    reconciliation.compare_all(carrier, now=timezone.now())
    assert carrier.asked == ["SM1"], "once is enough until the next look back"


def test_a_text_that_the_carrier_has_forgotten_stays_as_it_is(maria: CaseAssignment) -> None:
    old = make_outgoing(maria, state=Message.State.SENT, at=hours_ago(60), carrier_id="SM1")
    reconciliation.compare_all(Carrier(), now=timezone.now())
    old.refresh_from_db()
    assert old.state == Message.State.SENT


class TestOrphans:
    @pytest.fixture
    def ours(self, maria: CaseAssignment) -> Message:
        return make_outgoing(maria, state=Message.State.DELIVERED, at=minutes_ago(30), carrier_id="SM1")

    @staticmethod
    def stranger(ours: Message, *, at: datetime) -> CarrierRecord:
        return CarrierRecord("SM2", ours.department.phone_number, "+13855550199", "Who wrote this?", at)

    def test_a_text_at_the_carrier_that_we_never_knew_is_kept_without_its_words(self, ours: Message) -> None:
        stranger = self.stranger(ours, at=minutes_ago(20))
        for _ in range(2):
            reconciliation.compare_all(Carrier(outgoing=[stranger, listed(ours)]), now=timezone.now())
        orphan = Orphan.objects.get()
        assert (orphan.carrier_id, orphan.department, orphan.direction) == ("SM2", ours.department, "out")
        assert (orphan.their_number, orphan.created_at) == ("+13855550199", stranger.created_at)
        assert orphan.found_at > minutes_ago(1)
        assert "Who wrote" not in str([getattr(orphan, column.attname) for column in Orphan._meta.concrete_fields])
        assert "555" not in str(orphan)

    def test_one_that_may_just_be_on_its_way_into_a_row_is_none_yet(self, ours: Message) -> None:
        stranger = self.stranger(ours, at=minutes_ago(1))
        reconciliation.compare_all(Carrier(outgoing=[stranger]), now=timezone.now())
        assert not Orphan.objects.exists()

    def test_a_callback_that_says_whose_it_is_makes_it_none_at_once(self, ours: Message, maria: CaseAssignment) -> None:
        stranger = self.stranger(ours, at=minutes_ago(20))
        reconciliation.compare_all(Carrier(outgoing=[stranger]), now=timezone.now())
        assert orphans.unclaimed().count() == 1
        unclear = make_outgoing(maria, state=Message.State.UNKNOWN, at=minutes_ago(3), claimed_at=minutes_ago(3))
        report = DeliveryReport(unclear.public_id, "SM2", ReportedState.DELIVERED)
        delivery.record_delivery_report(report, now=timezone.now())
        assert orphans.unclaimed().count() == 0
        reconciliation.compare_all(Carrier(), now=timezone.now())
        assert not Orphan.objects.exists()

    def test_an_incoming_text_that_cant_be_stored_is_one_and_keeps_no_other_back(
        self, maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad, good = inbound_text(maria, "bad"), inbound_text(maria, "good")
        carrier = Carrier(incoming=[(good, minutes_ago(20)), (bad, minutes_ago(30))])
        with monkeypatch.context() as patch:
            patch.setattr(reconciliation, "receive_text", refuse("bad"))
            reconciliation.compare_all(carrier, now=timezone.now())
        assert list(Message.objects.values_list("body", flat=True)) == ["good"]
        assert list(Orphan.objects.values_list("carrier_id", "direction")) == [(bad.carrier_id, "in")]
        reconciliation.compare_all(carrier, now=timezone.now())
        assert Message.objects.count() == 2
        assert not Orphan.objects.exists()


def refuse(body: str) -> Callable[..., Message]:
    def receive(*, text: InboundText, **more: Any) -> Message:
        if text.body == body:
            raise ValueError(body)
        return receive_text(text=text, **more)

    return receive
