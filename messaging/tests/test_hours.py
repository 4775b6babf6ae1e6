"""Texting hours, also on the days on which the clocks change."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Department
from messaging import hours

DENVER = Department(name="Probation", time_zone="America/Denver")  # 8 am to 9 pm


def denver(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=DENVER.zone)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (denver(3, 7, 59), False),
        (denver(3, 8), True),
        (denver(3, 20, 59), True),
        (denver(3, 21), False),
        (denver(3, 0), False),
    ],
)
def test_it_is_open_from_the_first_minute_to_the_last(at: datetime, is_open: bool) -> None:
    assert hours.is_open(DENVER, at) is is_open


def test_before_the_opening_it_is_todays_and_after_the_closing_tomorrows() -> None:
    assert hours.next_opening(DENVER, denver(3, 6)) == denver(3, 8)
    assert hours.next_opening(DENVER, denver(3, 12)) == denver(3, 12)
    assert hours.next_opening(DENVER, denver(3, 22)) == denver(4, 8)


def test_the_evening_before_the_clocks_change_still_ends_at_eight() -> None:
    assert hours.next_opening(DENVER, denver(7, 22)) == denver(8, 8)
    assert hours.next_opening(DENVER, denver(7, 22)) - denver(7, 22).astimezone(UTC) == timedelta(hours=9)


def test_the_evening_began_at_the_last_closing() -> None:
    assert hours.last_closing(DENVER, denver(3, 22)) == denver(3, 21)
    assert hours.last_closing(DENVER, denver(4, 6)) == denver(3, 21)
    assert hours.last_closing(DENVER, denver(4, 12)) == denver(3, 21)


def test_the_next_closing_is_this_evenings_or_tomorrows() -> None:
    assert hours.next_closing(DENVER, denver(3, 12)) == denver(3, 21)
    assert hours.next_closing(DENVER, denver(3, 21)) == denver(4, 21)


@given(
    at=st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    zone=st.sampled_from(["America/Denver", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/Dublin"]),
    opens=st.times(time(5), time(11)),
    closes=st.times(time(12), time(23)),
)
def test_the_next_opening_is_open_near_and_not_before(at: datetime, zone: str, opens: time, closes: time) -> None:
    office = Department(name="Any", time_zone=zone, opens_at=opens, closes_at=closes)
    opening = hours.next_opening(office, at)
    assert at <= opening <= at + timedelta(hours=26)
    assert hours.is_open(office, opening)
    assert at - timedelta(hours=26) <= hours.last_closing(office, at) <= at
    assert not hours.is_open(office, hours.last_closing(office, at))
