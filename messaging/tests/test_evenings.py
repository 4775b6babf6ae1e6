"""Outside texting hours a person is asked, once an evening, and what they answer is what happens."""

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging.actions import sending, settling
from messaging.actions.sending import AlreadySentOtherWords, OpeningHasPassed, OutsideHours, RefusedByGate
from messaging.evenings import Answer
from messaging.failures import HoldReason
from messaging.models import Message
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

NINE_PM = datetime(2026, 3, 4, 4, tzinfo=UTC)  # Tuesday, March 3 in Denver, when texting hours end
EVENING = NINE_PM + timedelta(minutes=100)  # 10:40 pm
EIGHT_AM = datetime(2026, 3, 4, 15, tzinfo=UTC)
NOW, MORNING = Answer(), Answer(EIGHT_AM)


@pytest.fixture
def department(db: None) -> Department:
    return builders.make_department(phone_number="+18015550100", opens_at=time(8), closes_at=time(21))


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def send(maria: CaseAssignment, body: str = "Hello", *, at: datetime = EVENING, **details: Any) -> Message:
    details.setdefault("submission_key", uuid.uuid4())
    by = maria.case_manager
    assert by is not None
    return sending.send_message(client_id=maria.client_id, body=body, by=by, now=at, **details)


def asks(maria: CaseAssignment, *, at: datetime = EVENING) -> bool:
    try:
        send(maria, at=at)
    except OutsideHours:
        return True
    return False


def test_outside_texting_hours_nothing_is_stored_before_the_answer(maria: CaseAssignment) -> None:
    with pytest.raises(OutsideHours) as question:
        send(maria)
    assert question.value.opening == EIGHT_AM
    assert not Message.objects.exists()


@pytest.mark.parametrize("at", [NINE_PM - timedelta(seconds=1), EIGHT_AM, EIGHT_AM + timedelta(hours=5)])
def test_within_them_nobody_is_asked_and_no_text_goes_at_any_hour(maria: CaseAssignment, at: datetime) -> None:
    message = send(maria, at=at)
    assert (message.due_at, message.any_hour) == (at, False)


@pytest.mark.parametrize("at", [NINE_PM, EVENING, EIGHT_AM - timedelta(seconds=1)])
def test_send_now_goes_out_at_once_whatever_the_hour(maria: CaseAssignment, at: datetime) -> None:
    message = send(maria, at=at, answer=NOW)
    assert (message.state, message.due_at, message.placed_at, message.any_hour) == ("waiting", at, at, True)
    assert message.scheduled_date is None


def test_at_the_opening_it_is_scheduled_by_the_clock_on_the_wall(maria: CaseAssignment) -> None:
    message = send(maria, answer=MORNING)
    assert (message.state, message.due_at, message.placed_at) == ("waiting", EIGHT_AM, EIGHT_AM)
    assert message.scheduled_date is not None
    assert message.scheduled_time is not None
    assert (message.scheduled_date.isoformat(), message.scheduled_time) == ("2026-03-04", time(8))
    assert (message.scheduled_zone, message.any_hour) == ("America/Denver", False)
    maria.refresh_from_db()
    assert (maria.scheduled_count, maria.next_scheduled_at, maria.snippet) == (1, EIGHT_AM, "")


def test_after_send_now_the_rest_of_the_evening_goes_without_asking(maria: CaseAssignment) -> None:
    send(maria, answer=NOW)
    for at in (EVENING + timedelta(minutes=1), EIGHT_AM - timedelta(minutes=1)):
        assert send(maria, at=at).any_hour
    assert asks(maria, at=EVENING + timedelta(days=1))


def test_an_answer_counts_for_that_conversation_alone(maria: CaseAssignment, alice: User) -> None:
    send(maria, answer=NOW)
    assert asks(builders.make_client(alice))


def test_at_eight_answers_for_that_text_alone(maria: CaseAssignment) -> None:
    send(maria, answer=MORNING)
    assert asks(maria)


def test_send_now_within_texting_hours_answers_nothing_for_the_evening(maria: CaseAssignment) -> None:
    send(maria, at=NINE_PM - timedelta(minutes=1), answer=NOW)
    assert asks(maria)


@pytest.mark.parametrize(("minutes", "is_asked"), [(0, False), (59, False), (60, True), (120, True)])
def test_who_answers_a_client_within_the_hour_is_not_asked(maria: CaseAssignment, minutes: int, is_asked: bool) -> None:
    builders.make_incoming(maria, at=EVENING - timedelta(minutes=minutes))
    assert asks(maria) == is_asked
    if not is_asked:
        assert Message.objects.get(direction="out").any_hour
        assert asks(maria, at=EVENING + timedelta(hours=2))  # nobody has confirmed anything


def test_what_another_client_wrote_spares_nobody_the_question(maria: CaseAssignment, alice: User) -> None:
    builders.make_incoming(builders.make_client(alice), at=EVENING)
    assert asks(maria)


def test_an_opening_that_has_passed_sends_nothing(maria: CaseAssignment) -> None:
    with pytest.raises(OpeningHasPassed):
        send(maria, at=EIGHT_AM + timedelta(minutes=5), answer=MORNING)
    assert not Message.objects.exists()


@pytest.mark.parametrize("opening", [EIGHT_AM - timedelta(days=1), EIGHT_AM + timedelta(hours=1), EVENING])
def test_an_answer_of_another_evening_is_asked_for_again(maria: CaseAssignment, opening: datetime) -> None:
    with pytest.raises(OutsideHours) as question:
        send(maria, answer=Answer(opening))
    assert question.value.opening == EIGHT_AM


def test_the_gate_comes_before_the_question(maria: CaseAssignment) -> None:
    number = builders.number_of(maria)
    number.opted_out_at, number.opted_out_source = EVENING, "keyword"
    number.save()
    for answer in (None, NOW, MORNING):
        with pytest.raises(RefusedByGate):
            send(maria, answer=answer)


@pytest.mark.parametrize("answer", [NOW, MORNING])
def test_a_double_click_on_an_answer_makes_one_text(maria: CaseAssignment, answer: Answer) -> None:
    key = uuid.uuid4()
    assert send(maria, submission_key=key, answer=answer) == send(maria, submission_key=key, answer=answer)


@pytest.mark.parametrize(("first", "second"), [(NOW, MORNING), (MORNING, NOW), (MORNING, None)])
def test_the_other_answer_to_the_same_form_makes_no_second_text(
    maria: CaseAssignment, first: Answer, second: Answer | None
) -> None:
    key = uuid.uuid4()
    message = send(maria, submission_key=key, answer=first)
    with pytest.raises(AlreadySentOtherWords) as refusal:
        send(maria, submission_key=key, answer=second)
    assert refusal.value.earlier == message
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_both_answers_at_once_make_one_text(maria: CaseAssignment) -> None:
    key, answers = uuid.uuid4(), [NOW, MORNING] * 3

    def press() -> bool:
        try:
            send(maria, submission_key=key, answer=answers.pop())
        except AlreadySentOtherWords:
            return False
        return True

    assert sum(at_once(press, times=6)) == 3
    assert Message.objects.count() == 1


@pytest.mark.parametrize(("at", "any_hour"), [(EVENING, True), (EIGHT_AM, False)])
def test_who_sends_a_text_again_knows_what_time_it_is(
    maria: CaseAssignment, alice: User, at: datetime, any_hour: bool
) -> None:
    old = builders.make_outgoing(maria, state=Message.State.UNDELIVERED, failure_reason="phone_off")
    held = builders.make_outgoing(maria, state=Message.State.HELD, hold_reason=HoldReason.TOO_LATE)
    new = settling.try_again(message=old, by=alice, now=at)
    settling.send_held(message=held, by=alice, now=at)
    held.refresh_from_db()
    assert (new.any_hour, held.any_hour) == (any_hour, any_hour)
