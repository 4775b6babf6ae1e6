"""How long what waits for a number takes, by its pace and within texting hours."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from time_machine import travel

from accounts.models import Department, User
from messaging import hours, pace
from messaging.models import Message, SenderNumber
from messaging.pace import Waiting
from tests import builders

NOON = datetime(2026, 3, 3, 19, tzinfo=UTC)  # in Denver, where texting hours end at 9 pm
MASS = Message.Priority.MASS


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def department(db: None) -> Department:
    return builders.make_department(phone_number="+18015550100", opens_at=time(8), closes_at=time(21))


def set_pace(department: Department, rate: float | None) -> Department:
    department.segments_per_second = None if rate is None else Decimal(str(rate))
    department.save()
    return department


def wait_for(case_manager: User, due_at: datetime, segments: int = 1, priority: int = MASS) -> Message:
    message = builders.make_outgoing(builders.make_client(case_manager), at=due_at, priority=priority)
    Message.objects.filter(pk=message.pk).update(segments=segments)
    return message


@pytest.mark.django_db
def test_segments_take_their_time_at_the_pace(department: Department) -> None:
    assert pace.finish_time(set_pace(department, 2), segments=100, begins_at=NOON) == NOON + timedelta(seconds=50)
    assert pace.finish_time(set_pace(department, None), segments=100, begins_at=NOON) == NOON


@pytest.mark.django_db
def test_they_begin_when_they_are_told_to(department: Department) -> None:
    later = NOON + timedelta(hours=2)
    assert pace.finish_time(department, segments=60, begins_at=later) == later + timedelta(minutes=1)


@pytest.mark.django_db
def test_what_waits_and_is_due_by_then_goes_first(department: Department, alice: User) -> None:
    wait_for(alice, NOON - timedelta(minutes=1), segments=600)
    wait_for(alice, NOON + timedelta(minutes=30), segments=60)
    wait_for(alice, NOON + timedelta(hours=4), segments=7)
    half_past = NOON + timedelta(minutes=30)
    assert pace.finish_time(department, segments=60, begins_at=NOON) == NOON + timedelta(minutes=11)
    assert pace.finish_time(department, segments=60, begins_at=half_past) == half_past + timedelta(minutes=2)


@pytest.mark.django_db
def test_single_texts_other_departments_and_what_is_sent_are_not_ahead(
    department: Department, alice: User, charlie: User
) -> None:
    wait_for(alice, NOON, segments=9, priority=Message.Priority.SINGLE)
    wait_for(charlie, NOON, segments=9)
    Message.objects.filter(pk=wait_for(alice, NOON).pk).update(state=Message.State.CANCELLED)
    assert pace.finish_time(department, segments=1, begins_at=NOON) == NOON + timedelta(seconds=1)


@pytest.mark.django_db
def test_the_number_may_be_busy_yet(department: Department) -> None:
    SenderNumber.objects.create(department=department, next_mass_at=NOON + timedelta(seconds=5))
    assert pace.finish_time(department, segments=1, begins_at=NOON) == NOON + timedelta(seconds=6)


@pytest.mark.django_db
def test_the_rest_waits_for_the_morning(department: Department) -> None:
    """Nine hours to the closing are 32,400 segments."""
    opening = NOON + timedelta(hours=20)
    assert pace.finish_time(department, segments=32_400, begins_at=NOON) == NOON + timedelta(hours=9)
    assert pace.finish_time(department, segments=32_460, begins_at=NOON) == opening + timedelta(minutes=1)
    closed = NOON + timedelta(hours=10)
    assert pace.finish_time(department, segments=60, begins_at=closed) == opening + timedelta(minutes=1)
    assert pace.finish_time(set_pace(department, None), segments=60, begins_at=closed) == opening


@given(segments=st.integers(1, 200_000), minutes=st.integers(0, 3 * 24 * 60), rate=st.sampled_from([0.5, 1, 3, 100]))
def test_it_ends_within_hours_and_not_before_the_pace_allows(segments: int, minutes: int, rate: float) -> None:
    office = Department(time_zone="America/Denver", opens_at=time(8), closes_at=time(21))
    office.segments_per_second = Decimal(str(rate))
    begins_at = NOON + timedelta(minutes=minutes)
    ends_at = pace._advance(office, begins_at, segments)
    assert ends_at - begins_at >= pace.seconds_for(office, segments)
    assert hours.is_open(office, ends_at - timedelta(microseconds=1))


@pytest.mark.django_db
def test_what_waits_is_counted_with_its_end(department: Department, alice: User) -> None:
    assert pace.waiting(department, NOON) == Waiting(0, 0, None)
    wait_for(alice, NOON - timedelta(minutes=1), segments=2)
    wait_for(alice, NOON, segments=3)
    wait_for(alice, NOON + timedelta(minutes=1))
    assert pace.waiting(department, NOON) == Waiting(2, 5, NOON + timedelta(seconds=5))
