"""A person schedules a text, and changes, sends or deletes it until the moment it goes out."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import delivery, schedule
from messaging.actions import scheduling, sending, settling
from messaging.actions.receiving import receive_text
from messaging.failures import HoldReason
from messaging.models import MassMessage, Message
from messaging.schedule import WallClock
from messaging.tests.carriers import Carrier
from tests.builders import inbound_text, make_client, make_department, make_incoming, make_outgoing, number_of

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture
def department(db: None) -> Department:
    return make_department(phone_number="+18015550100", opens_at=time(8), closes_at=time(21))


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return make_client(alice)


@pytest.fixture
def nine(alice: User) -> WallClock:
    assert alice.department is not None
    return schedule.default(alice.department.zone, timezone.now())


def at_night(when: WallClock) -> WallClock:
    return WallClock(when.date, time(22, 40), when.zone)


def scheduled(maria: CaseAssignment, when: WallClock, body: str = "Court at 9", **fields: Any) -> Message:
    """As the page does it."""
    assert maria.case_manager is not None
    usual: dict[str, Any] = {"by": maria.case_manager, "submission_key": uuid.uuid4(), "now": timezone.now()}
    return scheduling.schedule_message(client_id=maria.client_id, body=body, when=when, **(usual | fields))


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def test_a_scheduled_text_waits_for_its_time_and_the_list_counts_it(maria: CaseAssignment, nine: WallClock) -> None:
    message = scheduled(maria, nine)
    maria.refresh_from_db()
    assert (message.state, message.when) == (State.WAITING, nine)
    assert message.due_at == message.placed_at == nine.due_at
    assert (maria.scheduled_count, maria.next_scheduled_at) == (1, nine.due_at)
    assert (maria.last_contact_at, maria.snippet) == (None, "")


def test_nothing_goes_out_before_its_time_and_then_it_does(maria: CaseAssignment, nine: WallClock) -> None:
    scheduled(maria, nine)
    carrier = Carrier()
    with travel(nine.due_at - timedelta(seconds=1), tick=False):
        assert delivery.deliver_due(carrier) == 0
    with travel(nine.due_at, tick=False):
        assert delivery.deliver_due(carrier) == 1
    assert carrier.bodies == ["Court at 9"]


def test_its_place_in_the_talk_is_when_it_went_out(maria: CaseAssignment, nine: WallClock) -> None:
    message = scheduled(maria, nine)
    later = nine.due_at + timedelta(minutes=3)
    with travel(later, tick=False):
        delivery.deliver_due(Carrier())
    assert fresh(message).placed_at == later
    maria.refresh_from_db()
    assert (maria.scheduled_count, maria.next_scheduled_at) == (0, None)


def test_the_same_form_twice_schedules_once(maria: CaseAssignment, nine: WallClock) -> None:
    key = uuid.uuid4()
    assert scheduled(maria, nine, submission_key=key) == scheduled(maria, nine, submission_key=key)
    assert Message.objects.count() == 1


def test_the_same_form_with_another_time_is_a_question(maria: CaseAssignment, nine: WallClock) -> None:
    key = uuid.uuid4()
    scheduled(maria, nine, submission_key=key)
    ten = WallClock(nine.date, time(10), nine.zone)
    with pytest.raises(sending.AlreadySentOtherWords):
        scheduled(maria, ten, submission_key=key)
    with pytest.raises(sending.AlreadySentOtherWords):
        sending.send_message(
            client_id=maria.client_id,
            body="Court at 9",
            by=maria.case_manager,  # type: ignore[arg-type]  # Alice
            submission_key=key,
            now=timezone.now(),
        )


@pytest.mark.parametrize("body", ["", " \n", "x" * 1601])
def test_what_cannot_be_sent_cannot_be_scheduled(maria: CaseAssignment, nine: WallClock, body: str) -> None:
    with pytest.raises(sending.NotSent):
        scheduled(maria, nine, body)


def test_a_time_that_has_passed_meanwhile_is_refused(maria: CaseAssignment, nine: WallClock) -> None:
    with pytest.raises(schedule.InThePast):
        scheduled(maria, nine, now=nine.due_at)
    assert not Message.objects.exists()


def test_nothing_is_scheduled_for_a_client_who_has_opted_out(maria: CaseAssignment, nine: WallClock) -> None:
    number = number_of(maria)
    number.opted_out_at, number.opted_out_source = timezone.now(), "keyword"
    number.save()
    with pytest.raises(sending.RefusedByGate):
        scheduled(maria, nine)


def test_nothing_is_scheduled_for_a_colleagues_client(maria: CaseAssignment, nine: WallClock, bob: User) -> None:
    with pytest.raises(sending.NotYours):
        scheduled(maria, nine, by=bob)


def test_scheduling_an_answer_marks_what_was_seen_as_read(maria: CaseAssignment, nine: WallClock) -> None:
    seen = make_incoming(maria)
    scheduled(maria, nine, seen_up_to=seen.pk)
    maria.refresh_from_db()
    assert maria.unread_count == 0


def test_outside_texting_hours_somebody_must_say_so(maria: CaseAssignment, nine: WallClock) -> None:
    with pytest.raises(scheduling.OutsideHours):
        scheduled(maria, at_night(nine))
    assert scheduled(maria, at_night(nine), any_hour=True).any_hour
    assert not scheduled(maria, nine, any_hour=True).any_hour


def change(message: Message, when: WallClock, body: str = "Court at 10", **fields: Any) -> Message:
    usual = {"by": message.author, "now": timezone.now()}
    return scheduling.change(message=message, body=body, when=when, **(usual | fields))


def test_a_scheduled_text_gets_other_words_and_another_time(maria: CaseAssignment, nine: WallClock) -> None:
    message = scheduled(maria, nine)
    ten = WallClock(nine.date, time(10), nine.zone)
    changed = change(message, ten, "é" * 200)
    assert (changed.body, changed.segments, changed.due_at, changed.placed_at) == ("é" * 200, 2, ten.due_at, ten.due_at)
    maria.refresh_from_db()
    assert (maria.scheduled_count, maria.next_scheduled_at) == (1, ten.due_at)


def test_a_confirmed_time_is_not_asked_about_again(maria: CaseAssignment, nine: WallClock) -> None:
    message = scheduled(maria, at_night(nine), any_hour=True)
    assert change(message, at_night(nine)).any_hour
    with pytest.raises(scheduling.OutsideHours):
        change(message, WallClock(nine.date, time(23), nine.zone))
    assert not change(message, nine).any_hour


def test_a_held_text_is_scheduled_anew(maria: CaseAssignment, nine: WallClock) -> None:
    held = make_outgoing(maria, state=State.HELD, hold_reason=HoldReason.TOO_LATE, finish_by=timezone.now())
    changed = change(held, nine)
    assert (changed.state, changed.hold_reason, changed.when, changed.finish_by) == (State.WAITING, "", nine, None)
    maria.refresh_from_db()
    assert (maria.held_count, maria.scheduled_count) == (0, 1)


def test_a_held_text_is_not_scheduled_for_one_who_has_opted_out(maria: CaseAssignment, nine: WallClock) -> None:
    held = make_outgoing(maria, state=State.HELD, hold_reason=HoldReason.OPTED_OUT)
    number = number_of(maria)
    number.opted_out_at, number.opted_out_source = timezone.now(), "keyword"
    number.save()
    with pytest.raises(sending.RefusedByGate):
        change(held, nine)
    assert fresh(held).state == State.HELD


GONE = [State.SENDING, State.UNKNOWN, State.ACCEPTED, State.SENT, State.DELIVERED, State.FAILED, State.CANCELLED]


@pytest.mark.parametrize("state", GONE)
def test_who_comes_too_late_changes_nothing(maria: CaseAssignment, nine: WallClock, alice: User, state: str) -> None:
    clock: dict[str, Any] = {"scheduled_date": nine.date, "scheduled_time": nine.time, "scheduled_zone": nine.zone.key}
    message = make_outgoing(maria, "Court at 9", state=State(state), **clock)
    before = Message.objects.filter(pk=message.pk).values().get()
    with pytest.raises(settling.TooLate):
        change(message, nine)
    with pytest.raises(settling.TooLate):
        scheduling.send_now(message=message, by=alice, now=timezone.now())
    with pytest.raises(settling.TooLate):
        scheduling.delete(message=message, by=alice, now=timezone.now())
    assert Message.objects.filter(pk=message.pk).values().get() == before


def test_a_text_that_was_never_scheduled_cannot_be_changed(maria: CaseAssignment, nine: WallClock) -> None:
    with pytest.raises(settling.TooLate):
        change(make_outgoing(maria), nine)


def test_a_scheduled_text_is_sent_now(maria: CaseAssignment, nine: WallClock, alice: User) -> None:
    message = scheduled(maria, at_night(nine), any_hour=True)
    now = timezone.now()
    sent = scheduling.send_now(message=message, by=alice, now=now)
    assert (sent.due_at, sent.placed_at, sent.when) == (now, now, None)
    carrier = Carrier()
    assert delivery.deliver_due(carrier) == 1


def test_a_deleted_text_never_goes_out(maria: CaseAssignment, nine: WallClock, alice: User) -> None:
    message = scheduled(maria, nine)
    scheduling.delete(message=message, by=alice, now=timezone.now())
    assert fresh(message).state == State.CANCELLED
    with travel(nine.due_at, tick=False):
        assert delivery.deliver_due(Carrier()) == 0
    maria.refresh_from_db()
    assert maria.scheduled_count == 0


def test_a_text_of_a_mass_message_is_only_dropped(maria: CaseAssignment, nine: WallClock, alice: User) -> None:
    mass = MassMessage.objects.create(department=maria.client.department, author=alice, body="Office closed")
    message = scheduled(maria, nine)
    Message.objects.filter(pk=message.pk).update(mass_message=mass)
    with pytest.raises(scheduling.PartOfMassMessage):
        change(message, nine)
    with pytest.raises(scheduling.PartOfMassMessage):
        scheduling.send_now(message=message, by=alice, now=timezone.now())
    scheduling.delete(message=message, by=alice, now=timezone.now())
    assert fresh(message).state == State.CANCELLED


def test_only_the_case_manager_changes_it(maria: CaseAssignment, nine: WallClock, bob: User) -> None:
    message = scheduled(maria, nine)
    with pytest.raises(sending.NotYours):
        change(message, nine, by=bob)
    with pytest.raises(sending.NotYours):
        scheduling.send_now(message=message, by=bob, now=timezone.now())
    with pytest.raises(sending.NotYours):
        scheduling.delete(message=message, by=bob, now=timezone.now())


def test_an_opt_out_holds_what_is_scheduled_and_start_releases_nothing(maria: CaseAssignment, nine: WallClock) -> None:
    message = scheduled(maria, nine)
    for word in ("STOP", "START"):
        receive_text(text=inbound_text(maria, word), now=timezone.now())
    assert (fresh(message).state, fresh(message).hold_reason) == (State.HELD, HoldReason.OPTED_OUT)
    maria.refresh_from_db()
    assert (maria.held_count, maria.scheduled_count) == (1, 0)


@pytest.mark.parametrize(("minutes", "reason"), [(60, ""), (61, HoldReason.TOO_LATE)])
def test_what_is_taken_up_too_late_is_held(maria: CaseAssignment, nine: WallClock, minutes: int, reason: str) -> None:
    message = scheduled(maria, nine)
    with travel(nine.due_at + timedelta(minutes=minutes), tick=False):
        delivery.deliver_due(Carrier())
    assert fresh(message).hold_reason == reason


def test_it_goes_to_the_number_that_the_client_has_then(maria: CaseAssignment, nine: WallClock) -> None:
    scheduled(maria, nine)
    number = number_of(maria)
    number.address = "+18015550144"
    number.save()
    carrier = Carrier()
    with travel(nine.due_at, tick=False):
        delivery.deliver_due(carrier)
    assert [text.to_number for text in carrier.taken] == ["+18015550144"]


@pytest.mark.parametrize(
    ("now", "day", "utc_hour"),
    [
        (datetime(2026, 3, 6, 12, tzinfo=UTC), date(2026, 3, 8), 15),
        (datetime(2026, 10, 30, 12, tzinfo=UTC), date(2026, 11, 1), 16),
    ],
)
def test_a_text_scheduled_across_a_change_of_hours_goes_out_at_nine(
    maria: CaseAssignment, now: datetime, day: date, utc_hour: int
) -> None:
    zone = maria.client.department.zone
    with travel(now, tick=False):
        message = scheduled(maria, schedule.at(day, time(9), zone, now))
    assert message.due_at is not None
    assert message.due_at.hour == utc_hour
