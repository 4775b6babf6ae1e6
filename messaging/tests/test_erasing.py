"""Retention at the carrier: what is settled is erased there, once, until it is done; what is still needed stays."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Department
from clients.models import CaseAssignment
from messaging import erasing
from messaging.models import Attachment, Message
from messaging.sms import CarrierUnreachable
from tests.builders import make_client, make_department, make_incoming, make_outgoing, make_user, minutes_ago

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


@dataclass
class Carrier:
    """Forgets what it is asked to, unless told otherwise."""

    answer: Callable[[str], bool] = lambda carrier_id: True
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def erase(self, carrier_id: str, *, with_media: bool) -> bool:
        self.asked.append((carrier_id, with_media))
        return self.answer(carrier_id)

    @property
    def ids(self) -> set[str]:
        return {carrier_id for carrier_id, _with_media in self.asked}


def out_of_reach(carrier_id: str) -> bool:
    raise CarrierUnreachable


@pytest.fixture
def maria() -> CaseAssignment:
    return make_client(make_user(make_department(erase_at_carrier=True)))


def erase(carrier: Carrier, *, after: timedelta = timedelta()) -> int:
    with time_machine.travel(timezone.now() + after, tick=True):
        return erasing.erase_due(carrier, now=timezone.now())


def sent(assignment: CaseAssignment, state: State, carrier_id: str, *, at: datetime | None = None) -> Message:
    return make_outgoing(assignment, state=state, carrier_id=carrier_id, at=at or minutes_ago(2))


@pytest.mark.parametrize("state", [State.DELIVERED, State.UNDELIVERED, State.FAILED])
def test_what_is_final_is_erased_once(maria: CaseAssignment, state: State) -> None:
    message, carrier = sent(maria, state, "SM1"), Carrier()
    assert [erase(carrier), erase(carrier, after=timedelta(hours=1))] == [1, 0]
    assert carrier.asked == [("SM1", True)]
    message.refresh_from_db()
    assert message.erase_at is None
    assert message.erased_at is not None
    assert message.body, "our own copy stays"


def test_what_came_in_is_erased_and_its_files_are_not_asked_for(maria: CaseAssignment) -> None:
    message, carrier = make_incoming(maria), Carrier()
    assert erase(carrier) == 1
    assert carrier.asked == [(message.carrier_id, False)]


def test_without_the_setting_nothing_is_asked(maria: CaseAssignment) -> None:
    Department.objects.update(erase_at_carrier=False)
    sent(maria, State.DELIVERED, "SM1")
    carrier = Carrier()
    assert erase(carrier) == 0
    assert carrier.asked == []


def test_one_departments_setting_leaves_the_others_alone(maria: CaseAssignment) -> None:
    other = make_client(make_user(make_department()))
    sent(maria, State.DELIVERED, "SM1")
    sent(other, State.DELIVERED, "SM2")
    carrier = Carrier()
    erase(carrier)
    assert carrier.ids == {"SM1"}


def test_switched_on_it_takes_older_texts_too_and_switched_off_it_stops(maria: CaseAssignment) -> None:
    Department.objects.update(erase_at_carrier=False)
    old = sent(maria, State.DELIVERED, "SM1", at=minutes_ago(60 * 24 * 300))
    erase(Carrier())
    Department.objects.update(erase_at_carrier=True)
    assert erase(Carrier(answer=out_of_reach)) == 0
    Department.objects.update(erase_at_carrier=False)
    carrier = Carrier()
    assert erase(carrier, after=timedelta(days=1)) == 0
    old.refresh_from_db()
    assert (old.erase_at, old.erase_attempts) == (None, 0)
    Department.objects.update(erase_at_carrier=True)
    assert erase(carrier) == 1


def test_many_older_texts_come_little_by_little(maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BATCH", 2)
    monkeypatch.setattr(erasing, "IDS_COMMIT_WITHIN", 0)
    for number in range(5):
        sent(maria, State.DELIVERED, f"SM{number}")
    carrier = Carrier()
    assert [erase(carrier) for _ in range(4)] == [2, 2, 1, 0]
    assert len(carrier.ids) == 5


def test_no_more_are_taken_up_while_many_are_due(maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "QUEUE_AT_MOST", 1)
    sent(maria, State.DELIVERED, "SM1")
    Message.objects.update(erase_at=minutes_ago(1))
    sent(maria, State.DELIVERED, "SM2")
    carrier = Carrier()
    assert [erase(carrier), erase(carrier)] == [1, 1]


def test_a_row_that_appears_late_below_the_newest_is_not_missed(maria: CaseAssignment) -> None:
    """Its id was given first, its transaction committed last."""
    early, late = sent(maria, State.DELIVERED, "SM1"), sent(maria, State.DELIVERED, "SM2")
    copy = Message.objects.get(pk=early.pk)
    early.delete()
    erase(Carrier())
    copy.save(force_insert=True)
    assert copy.pk < late.pk
    carrier = Carrier()
    assert erase(carrier) == 1
    assert carrier.ids == {"SM1"}


@pytest.mark.parametrize(
    "state", [State.WAITING, State.HELD, State.SENDING, State.UNKNOWN, State.UNCONFIRMED, State.ACCEPTED, State.SENT]
)
def test_what_is_not_final_waits_until_it_is(maria: CaseAssignment, state: State) -> None:
    hold_reason = "too_late" if state == State.HELD else ""
    message, carrier = make_outgoing(maria, state=state, hold_reason=hold_reason), Carrier()
    for hours in (0, 1, 4):
        erase(carrier, after=timedelta(hours=hours))
    assert carrier.asked == []
    Message.objects.filter(pk=message.pk).update(state=State.DELIVERED, carrier_id="SM1", hold_reason="")
    assert erase(carrier, after=timedelta(hours=8)) == 1


def test_what_is_scheduled_is_looked_at_when_it_is_due(maria: CaseAssignment) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    message = make_outgoing(maria, at=tomorrow)
    erase(Carrier())
    message.refresh_from_db()
    assert message.erase_at == tomorrow


def test_what_nobody_confirms_is_final_after_three_days(maria: CaseAssignment) -> None:
    sent(maria, State.SENT, "SM1", at=minutes_ago(60 * 71))
    sent(maria, State.SENT, "SM2", at=minutes_ago(60 * 73))
    carrier = Carrier()
    erase(carrier)
    assert carrier.ids == {"SM2"}


def test_what_was_refused_never_was_there(maria: CaseAssignment) -> None:
    message, carrier = make_outgoing(maria, state=State.FAILED), Carrier()
    erase(carrier)
    message.refresh_from_db()
    assert carrier.asked == []
    assert (message.erase_at, message.erased_at is not None) == (None, True)


def test_files_that_we_never_fetched_keep_their_text_at_the_carrier(maria: CaseAssignment) -> None:
    message, carrier = make_incoming(maria), Carrier()
    Attachment.objects.create(message=message, position=0, carrier_url="https://api.twilio.com/x")
    for days in (0, 1, 30):
        erase(carrier, after=timedelta(days=days))
    assert carrier.asked == []
    message.refresh_from_db()
    assert message.erased_at is None


def test_one_that_the_carrier_refuses_is_tried_again_ever_more_rarely_and_named_when_stuck(
    maria: CaseAssignment, caplog: pytest.LogCaptureFixture
) -> None:
    message = sent(maria, State.DELIVERED, "SM1")
    carrier = Carrier(answer=lambda carrier_id: False)
    tries = []
    for minutes in range(0, 24 * 60, 2):
        before = len(carrier.asked)
        erase(carrier, after=timedelta(minutes=minutes))
        tries += [minutes] * (len(carrier.asked) - before)
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses == sorted(pauses)
    assert 8 < len(tries) < 14
    assert pauses[-1] <= 6 * 60 + 2
    assert erasing.stuck().get() == message
    assert f"message {message.pk} could not be erased" in caplog.text


def test_while_the_carrier_is_out_of_reach_one_text_a_run_asks(maria: CaseAssignment) -> None:
    for number in range(3):
        sent(maria, State.DELIVERED, f"SM{number}")
    carrier = Carrier(answer=out_of_reach)
    assert erase(carrier) == 0
    assert len(carrier.asked) == 1
    again = Carrier()
    assert erase(again, after=timedelta(minutes=5)) == 3


def test_a_run_ends_in_time_for_a_shutdown(maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "RUNS_FOR_SECONDS", 0)
    sent(maria, State.DELIVERED, "SM1")
    assert erase(Carrier()) == 0
    monkeypatch.undo()
    assert erase(Carrier()) == 1
