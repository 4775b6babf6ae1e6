"""Outside texting hours goes out what a person meant to go out then; the rest waits, and is not late for it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import claims, delivery
from messaging.claims import Claim, Held, PutOff
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EVENING = datetime(2026, 3, 4, 4, 30, tzinfo=UTC)  # 9:30 pm in Denver, where the hours ended at 9
OPENING = datetime(2026, 3, 4, 15, tzinfo=UTC)
MASS = Message.Priority.MASS


@pytest.fixture
def department(db: None) -> Department:
    return builders.make_department(phone_number="+18015550100", opens_at=time(8), closes_at=time(21))


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def make(assignment: CaseAssignment, *, minutes_late: float = 0, **fields: Any) -> Message:
    return builders.make_outgoing(assignment, at=EVENING - timedelta(minutes=minutes_late), **fields)


def claim(now: datetime = EVENING) -> str:
    """What became of the next one, in a word."""
    return type(claims.claim_next(now)).__name__


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "Claim"),
        ({"minutes_late": 5}, "Claim"),
        ({"minutes_late": 5.1}, "PutOff"),
        ({"minutes_late": 5.1, "any_hour": True}, "Claim"),
        ({"priority": MASS}, "PutOff"),
        ({"priority": MASS, "any_hour": True}, "Claim"),
    ],
)
def test_in_the_evening(maria: CaseAssignment, how: dict[str, Any], expected: str) -> None:
    make(maria, **how)
    assert claim() == expected


def test_what_is_put_off_waits_until_the_opening_and_goes_out_then(maria: CaseAssignment) -> None:
    message = make(maria, minutes_late=30)
    assert claims.claim_next(EVENING) == PutOff(message.pk)
    message.refresh_from_db()
    assert (message.state, message.try_at, message.finish_by, message.attempts) == ("waiting", OPENING, OPENING, 0)
    assert claim(OPENING - timedelta(seconds=1)) == "NoneType"
    assert delivery.hold_overdue(now=OPENING + timedelta(minutes=59)) == 0
    assert claim(OPENING) == "Claim"


def test_a_back_off_that_ends_after_the_closing_waits_too(maria: CaseAssignment) -> None:
    make(maria, minutes_late=31, try_at=EVENING - timedelta(seconds=1), attempts=3)
    assert claim() == "PutOff"


def test_what_became_too_late_before_is_held_and_not_put_off(maria: CaseAssignment) -> None:
    make(maria, minutes_late=61)
    assert claim() == "Held"


def test_after_the_opening_it_may_be_too_late_again(maria: CaseAssignment) -> None:
    message = make(maria, minutes_late=30)
    claims.claim_next(EVENING)
    assert claims.claim_next(OPENING + timedelta(minutes=60, seconds=1)) == Held(message.pk)


def test_what_waits_for_the_morning_is_not_ahead_of_what_a_person_sends_now(maria: CaseAssignment) -> None:
    make(maria, minutes_late=30)
    now = make(maria)
    assert claim() == "PutOff"
    taken = claims.claim_next(EVENING)
    assert isinstance(taken, Claim)
    assert taken.message_id == now.pk


def test_two_that_wait_for_the_morning_keep_their_order(maria: CaseAssignment) -> None:
    first, second = make(maria, minutes_late=30), make(maria, minutes_late=29)
    while claim() == "PutOff":
        pass
    taken = claims.claim_next(OPENING)
    assert isinstance(taken, Claim)
    assert (taken.message_id, claim(OPENING)) == (first.pk, "NoneType")
    Message.objects.filter(pk=first.pk).update(state="accepted")
    assert getattr(claims.claim_next(OPENING), "message_id", None) == second.pk


def test_all_of_a_department_are_put_off_by_one_look(alice: User, charlie: User) -> None:
    ids = {make(builders.make_client(alice), priority=MASS).pk for _ in range(4)}
    ids.add(make(builders.make_client(alice), minutes_late=10).pk)
    now, theirs = make(builders.make_client(alice), minutes_late=1), make(builders.make_client(charlie), priority=MASS)
    Department.objects.filter(people=charlie).update(closes_at="23:00")
    while claims.claim_next(EVENING) not in (None, PutOff(theirs.pk)):
        pass
    assert set(Message.objects.filter(try_at=OPENING).values_list("pk", flat=True)) == ids
    assert set(Message.objects.filter(state="sending").values_list("pk", flat=True)) == {now.pk, theirs.pk}


def test_the_rest_of_a_mass_message_takes_its_time_in_the_morning(alice: User) -> None:
    """3,600 segments: an hour at the pace, and only then the limit."""
    messages = [make(builders.make_client(alice), priority=MASS) for _ in range(2)]
    Message.objects.update(segments=1_800)
    assert claim() == "PutOff"
    assert set(Message.objects.values_list("finish_by", flat=True)) == {OPENING + timedelta(hours=1)}
    assert delivery.hold_overdue(now=OPENING + timedelta(minutes=119)) == 0
    assert delivery.hold_overdue(now=OPENING + timedelta(minutes=121)) == len(messages)


def test_a_later_finish_that_the_check_page_named_stands(maria: CaseAssignment) -> None:
    named = OPENING + timedelta(hours=5)
    message = make(maria, priority=MASS, finish_by=named)
    assert claim() == "PutOff"
    message.refresh_from_db()
    assert (message.try_at, message.finish_by) == (OPENING, named)


def test_what_was_planned_takes_its_place_when_it_goes_out(maria: CaseAssignment) -> None:
    make(maria, minutes_late=30)
    claims.claim_next(EVENING)
    claims.claim_next(OPENING)
    assert Message.objects.get().placed_at == OPENING


def test_what_was_typed_to_go_now_keeps_its_place(maria: CaseAssignment) -> None:
    message = make(maria, minutes_late=2)
    claims.claim_next(EVENING)
    assert Message.objects.get().placed_at == message.placed_at
