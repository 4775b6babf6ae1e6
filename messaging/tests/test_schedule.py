"""Times as the clock on the wall says them: on every zone's changes of hours, leap days, and what is refused."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import schedule
from messaging.schedule import InThePast, SkippedTime, TooFarAhead, WallClock

DENVER = ZoneInfo("America/Denver")  # changes its hours on the second Sunday of March and the first of November
ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})
TODAY = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def denver(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=DENVER)  # type: ignore[arg-type,misc]  # year, month, …


NOW = denver(2026, 3, 2, 10, 15)  # a Monday


def changes_of_hours(zone: ZoneInfo) -> Iterator[datetime]:
    """The moments of the coming two years, to the minute, at which the zone's clocks jump."""
    minutes = [timedelta(minutes=minute) for minute in range(24 * 60 + 1)]
    for days in range(2 * 366):
        begin = TODAY + timedelta(days=days)
        if begin.astimezone(zone).utcoffset() != (begin + minutes[-1]).astimezone(zone).utcoffset():
            offsets = [(begin + minute).astimezone(zone).utcoffset() for minute in minutes]
            yield from (begin + minutes[m] for m in range(1, len(minutes)) if offsets[m] != offsets[m - 1])


def test_around_every_change_of_hours_a_text_goes_out_when_the_clock_shows_its_time() -> None:
    taken = skipped = 0
    for zone in map(ZoneInfo, ZONES):
        for change in changes_of_hours(zone):
            before = change - timedelta(hours=6)
            wall = before.astimezone(zone).replace(tzinfo=None, fold=0)
            for minute in range(10, 12 * 60, 10):
                wanted = wall + timedelta(minutes=minute)
                try:
                    when = schedule.at(wanted.date(), wanted.time(), zone, before)
                except SkippedTime:
                    skipped += 1
                    assert never_shown(wanted, zone, change)
                else:
                    shown = when.due_at.astimezone(zone)
                    assert (shown.replace(tzinfo=None), shown.fold) == (wanted, 0)
                    taken += 1
    assert taken > skipped > 100


def never_shown(wall: datetime, zone: ZoneInfo, change: datetime) -> bool:
    """Asked of the clock itself, minute by minute, and of no arithmetic."""
    moments = (change + timedelta(minutes=minute) for minute in range(-13 * 60, 13 * 60))
    return all(moment.astimezone(zone).replace(tzinfo=None) != wall for moment in moments)


@given(
    st.sampled_from(ZONES).map(ZoneInfo),
    st.integers(1, 363 * 24 * 60),
    st.integers(0, 59),
)
def test_any_minute_of_the_coming_year_goes_out_at_that_minute(zone: ZoneInfo, minutes: int, second: int) -> None:
    moment = TODAY + timedelta(minutes=minutes)
    wall = moment.astimezone(zone).replace(tzinfo=None, second=0)
    now = TODAY - timedelta(days=1)
    when = schedule.at(wall.date(), wall.time().replace(second=second, fold=0), zone, now)
    assert when.due_at.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0)
    assert when.due_at <= moment


@given(st.dates(), st.times(), st.sampled_from(ZONES).map(ZoneInfo))
def test_whatever_is_typed_is_taken_or_refused_by_name(day: date, clock: time, zone: ZoneInfo) -> None:
    try:
        due_at = schedule.at(day, clock, zone, NOW).due_at
    except schedule.CannotSchedule:
        return
    assert NOW < due_at < NOW + timedelta(days=367)


def test_a_time_that_comes_twice_means_the_first() -> None:
    when = schedule.at(date(2026, 11, 1), time(1, 30), DENVER, NOW)
    assert when.due_at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_a_time_that_is_skipped_is_named_with_the_next_that_there_is() -> None:
    with pytest.raises(SkippedTime) as refused:
        schedule.at(date(2026, 3, 8), time(2, 30), DENVER, NOW)
    assert schedule.refusal_words(refused.value) == (
        "There is no 2:30 am on Sunday, March 8: clocks go forward to 3:00 am. Choose another time."
    )


@pytest.mark.parametrize("clock", [time(1, 59), time(3, 0)])
def test_the_minutes_beside_a_skipped_hour_are_taken(clock: time) -> None:
    assert schedule.at(date(2026, 3, 8), clock, DENVER, NOW).time == clock


@pytest.mark.parametrize(
    ("day", "clock", "refusal"),
    [
        (date(2026, 3, 2), time(10, 15), InThePast),
        (date(2026, 3, 2), time(10, 14), InThePast),
        (date(2026, 3, 1), time(23, 59), InThePast),
        (date(1, 1, 1), time(0), InThePast),
        (date(2027, 3, 2), time(10, 16), TooFarAhead),
        (date(2027, 3, 3), time(0), TooFarAhead),
        (date(9999, 12, 31), time(23, 59), TooFarAhead),
    ],
)
def test_what_has_passed_or_is_over_a_year_away_is_refused(day: date, clock: time, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        schedule.at(day, clock, DENVER, NOW)


def test_the_next_minute_and_a_year_from_now_are_taken() -> None:
    assert schedule.at(date(2026, 3, 2), time(10, 16), DENVER, NOW).due_at == denver(2026, 3, 2, 10, 16)
    assert schedule.at(date(2027, 3, 2), time(10, 15), DENVER, NOW).due_at == denver(2027, 3, 2, 10, 15)


def test_leap_days_are_days() -> None:
    assert schedule.at(date(2028, 2, 29), time(9), DENVER, denver(2027, 3, 1, 9)).date == date(2028, 2, 29)
    assert schedule.at(date(2029, 3, 1), time(9), DENVER, denver(2028, 2, 29, 9)).date == date(2029, 3, 1)
    with pytest.raises(TooFarAhead):
        schedule.at(date(2029, 3, 2), time(9), DENVER, denver(2028, 2, 29, 9))


@pytest.mark.parametrize(
    ("today", "proposed"),
    [(2, date(2026, 3, 3)), (5, date(2026, 3, 6)), (6, date(2026, 3, 9)), (7, date(2026, 3, 9)), (8, date(2026, 3, 9))],
)
def test_the_next_working_day_at_nine_is_proposed(today: int, proposed: date) -> None:
    assert schedule.default(DENVER, denver(2026, 3, today, 23, 30)) == WallClock(proposed, time(9), DENVER)


def test_the_day_is_the_departments() -> None:
    late_evening_in_denver = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
    assert schedule.default(DENVER, late_evening_in_denver).date == date(2026, 3, 4)


def test_three_times_are_one_press_away() -> None:
    assert [(pick.name, pick.when.date, pick.when.time) for pick in schedule.picks(DENVER, NOW)] == [
        ("tomorrow", date(2026, 3, 3), time(9)),
        ("monday", date(2026, 3, 9), time(9)),
        ("hour", date(2026, 3, 2), time(11, 15)),
    ]


def test_on_a_sunday_monday_is_tomorrow() -> None:
    assert [pick.name for pick in schedule.picks(DENVER, denver(2026, 3, 8, 12))] == ["tomorrow", "hour"]


@given(st.sampled_from(ZONES).map(ZoneInfo), st.integers(0, 365 * 24 * 3600))
def test_every_pick_can_be_scheduled(zone: ZoneInfo, seconds: int) -> None:
    now = TODAY + timedelta(seconds=seconds)
    for pick in schedule.picks(zone, now):
        assert schedule.at(pick.when.date, pick.when.time, zone, now) == pick.when


def test_an_hour_that_comes_a_second_time_is_not_offered() -> None:
    first_time_half_past_one = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    assert [pick.name for pick in schedule.picks(DENVER, first_time_half_past_one)] == ["tomorrow"]


def test_a_time_is_said_back_with_its_zone() -> None:
    when = WallClock(date(2026, 3, 3), time(9), DENVER)
    assert schedule.in_words(when) == "Tuesday, March 3, 9:00 am (Denver time)"
    assert schedule.place(ZoneInfo("America/Argentina/Buenos_Aires")) == "Buenos Aires"


def test_within_a_week_the_name_of_the_day_will_do() -> None:
    assert schedule.short_words(denver(2026, 3, 3, 9), NOW) == "Tue 9:00 am"
    assert schedule.short_words(denver(2026, 3, 9, 14, 5), NOW) == "Mon, Mar 9, 2:05 pm"


@pytest.mark.parametrize(
    ("clock", "words"),
    [(time(0), "12:00 am"), (time(0, 5), "12:05 am"), (time(12), "12:00 pm"), (time(23, 59), "11:59 pm")],
)
def test_midnight_and_noon_are_twelve(clock: time, words: str) -> None:
    assert schedule.clock_words(clock) == words
