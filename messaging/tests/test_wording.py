"""What a case manager reads of a text's state."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clients.models import PhoneNumber
from messaging import wording
from messaging.failures import ADVICE, FailureReason, HoldReason
from messaging.models import Message

State = Message.State
DENVER = ZoneInfo("America/Denver")
AT = datetime(2026, 3, 3, 21, 5, tzinfo=UTC)  # 2:05 pm in Denver


def words(
    state: Message.State, *, now: datetime = AT, again_at: datetime | None = None, **fields: Any
) -> wording.StateWords:
    message = Message(direction="out", state=state, state_at=AT, placed_at=AT, **fields)
    return wording.state_words(message, now, DENVER, again_at=again_at)


@pytest.mark.parametrize(
    ("state", "text", "tone"),
    [
        (State.WAITING, "Sending…", "waiting"),
        (State.SENDING, "Sending…", "waiting"),
        (State.ACCEPTED, "Sending…", "waiting"),
        (State.SENT, "Sent 2:05 pm", "quiet"),
        (State.DELIVERED, "Delivered 2:05 pm", "quiet"),
        (State.UNKNOWN, "Checking whether this was sent", "waiting"),
        (State.UNCONFIRMED, "May not have been sent", "problem"),
        (State.CANCELLED, "Not sent: cancelled", "quiet"),
    ],
)
def test_each_state_has_its_words(state: Message.State, text: str, tone: str) -> None:
    said = words(state)
    assert (said.text, said.tone) == (text, tone)


@pytest.mark.parametrize(
    ("after", "text"),
    [(timedelta(days=3), "Sent 2:05 pm"), (timedelta(days=3, seconds=1), "Sent, delivery not confirmed")],
)
def test_after_three_days_a_sent_text_is_not_confirmed(after: timedelta, text: str) -> None:
    assert words(State.SENT, now=AT + after).text == text


OPENING = datetime(2026, 3, 4, 15, tzinfo=UTC)  # 8 am in Denver, on Wednesday


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (AT, "Waits until 8:00 am on Wednesday"),
        (OPENING - timedelta(hours=13), "Waits until 8:00 am on Wednesday"),
        (OPENING - timedelta(hours=13) + timedelta(seconds=1), "Waits until 8:00 am"),
        (OPENING - timedelta(seconds=1), "Waits until 8:00 am"),
        (OPENING, "Sending…"),
    ],
)
def test_what_waits_for_the_opening_says_so(now: datetime, text: str) -> None:
    said = words(State.WAITING, now=now, due_at=AT, try_at=OPENING, finish_by=OPENING)
    assert (said.text, said.tone) == (text, "waiting")


def test_a_text_that_backs_off_is_being_sent() -> None:
    assert words(State.WAITING, due_at=AT, try_at=AT + timedelta(seconds=66)).text == "Sending…"


@pytest.mark.parametrize("reason", [reason for reason in HoldReason if reason is not HoldReason.OPTED_OUT])
def test_a_held_text_says_why(reason: HoldReason) -> None:
    said = words(State.HELD, hold_reason=reason)
    assert (said.text, said.tone) == (f"Not sent yet: {reason.label}", "problem")


def number(source: str = "") -> PhoneNumber:
    """Of the client, as it is now: opted out by this source, or not."""
    return PhoneNumber(opted_out_source=source, opted_out_at=AT if source else None)


def test_a_scheduled_text_says_when() -> None:
    assert words(State.WAITING, due_at=AT + timedelta(days=1)).text == "Scheduled for Wed, Mar 4, 2:05 pm"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("keyword", "Not sent: this client has opted out by replying STOP."),
        ("carrier", "Not sent: this client has opted out by replying STOP."),
        ("person", "Not sent: this client wants no texts, as a colleague or you recorded."),
        ("", "Not sent yet: this client had opted out."),
    ],
)
def test_a_text_held_by_an_opt_out_says_what_holds_now(source: str, text: str) -> None:
    message = Message(direction="out", state=State.HELD, state_at=AT, placed_at=AT, hold_reason="opted_out")
    assert wording.state_words(message, AT, DENVER, number=number(source)).text == text


def test_a_refusal_names_who_recorded_the_opt_out() -> None:
    assert "as a colleague or you recorded" in wording.refusal_words(HoldReason.OPTED_OUT, number("person"))
    assert "by replying STOP" in wording.refusal_words(HoldReason.OPTED_OUT, number("keyword"))


def test_a_text_held_by_an_opt_out_says_how_to_come_back() -> None:
    said = words(State.HELD, hold_reason=HoldReason.OPTED_OUT)
    assert said.text == "Not sent: this client has opted out by replying STOP."
    assert said.advice == "They can text START to come back."


@pytest.mark.parametrize("state", [State.FAILED, State.UNDELIVERED])
@pytest.mark.parametrize("reason", FailureReason)
def test_a_failed_text_says_why_and_what_to_do(reason: FailureReason, state: Message.State) -> None:
    said = words(state, failure_reason=reason)
    assert said.text == f"Not {'sent' if reason is FailureReason.OPTED_OUT else 'delivered'}: {reason.label}"
    assert (said.tone, said.advice) == ("problem", str(ADVICE[reason].next_step))
    assert said.advice


def test_a_text_that_the_client_confirmed_is_no_problem_any_more() -> None:
    said = words(State.UNCONFIRMED, arrived_at=AT)
    assert (said.text, said.tone) == ("Arrived, as the client says", "quiet")


@pytest.mark.parametrize("state", [State.UNCONFIRMED, State.FAILED, State.UNDELIVERED])
def test_a_text_that_was_tried_again_says_when(state: Message.State) -> None:
    said = words(state, failure_reason="phone_off", again_at=AT + timedelta(minutes=5))
    assert said.advice == "Tried again 2:10 pm"


def test_a_text_to_an_opted_out_client_is_not_offered_again() -> None:
    assert not ADVICE[FailureReason.OPTED_OUT].can_try_again


@pytest.mark.parametrize(
    ("at", "time"),
    [
        ((7, 0), "12:00 am"),
        ((7, 5), "12:05 am"),
        ((18, 59), "11:59 am"),
        ((19, 0), "12:00 pm"),
        ((20, 9), "1:09 pm"),
        ((6, 59), "11:59 pm"),
    ],
)
def test_a_time_of_day_is_the_departments(at: tuple[int, int], time: str) -> None:
    moment = datetime(2026, 3, 3, *at, tzinfo=UTC)
    assert wording.clock_time(moment, moment, DENVER) == time


def test_a_time_on_another_day_says_which() -> None:
    assert wording.clock_time(AT + timedelta(days=1), AT, DENVER) == "Mar 4, 2:05 pm"


def test_the_day_changes_at_the_departments_midnight() -> None:
    before_midnight = datetime(2026, 3, 4, 6, 59, tzinfo=UTC)
    assert wording.clock_time(before_midnight, AT, DENVER) == "11:59 pm"
    assert wording.clock_time(before_midnight + timedelta(minutes=1), AT, DENVER) == "Mar 4, 12:00 am"


@pytest.mark.parametrize(
    "reason", [HoldReason.OPTED_OUT, HoldReason.WRONG_NUMBER, HoldReason.NOT_TEXTABLE, HoldReason.NO_CLIENT]
)
def test_every_reason_of_the_composer_has_words(reason: HoldReason) -> None:
    assert wording.refusal_words(reason, None)
