"""When a text is to go out, as a person says it: a day and a time on the clock on the department's wall.

What counts is what that clock shows, so a change of hours, or of the zone's rules, moves the moment and not the words.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

MORNING = time(9)
SATURDAY = 5  # as datetime counts: Monday is 0


class CannotSchedule(Exception):
    """Nothing can be scheduled for that time."""


class InThePast(CannotSchedule):
    """It is that late already."""


class TooFarAhead(CannotSchedule):
    """It is more than a year away."""


class SkippedTime(CannotSchedule):
    """The clocks go forward and never show that time. goes_on_at: what they show instead."""

    def __init__(self, skipped: "WallClock", goes_on_at: "WallClock") -> None:
        super().__init__()
        self.skipped, self.goes_on_at = skipped, goes_on_at


@dataclass(frozen=True)
class WallClock:
    """A day and a time, to the minute, on the clocks of a zone."""

    date: date
    time: time
    zone: ZoneInfo

    @property
    def due_at(self) -> datetime:
        """The moment, in UTC. If clocks show the time twice, the first; if never, as long after the change of hours."""
        return datetime.combine(self.date, self.time, self.zone).astimezone(UTC)

    @property
    def is_skipped(self) -> bool:
        return _shown(self.due_at, self.zone) != self


def at(day: date, clock: time, zone: ZoneInfo, now: datetime) -> WallClock:
    """That day and time in the zone; seconds are dropped. Raises InThePast, TooFarAhead, SkippedTime."""
    wanted = WallClock(day, clock.replace(second=0, microsecond=0, tzinfo=None, fold=0), zone)
    today = now.astimezone(zone)
    # The days first: next to the ends of the calendar there is no moment to compare.
    if day < today.date():
        raise InThePast
    if (day, wanted.time) > (_a_year_after(today.date()), today.time()):
        raise TooFarAhead
    if wanted.is_skipped:
        raise SkippedTime(wanted, _first_shown_after(wanted))
    if wanted.due_at <= now:
        raise InThePast
    return wanted


def default(zone: ZoneInfo, now: datetime) -> WallClock:
    """What is proposed: the next working day at nine."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return WallClock(day, MORNING, zone)


@dataclass(frozen=True)
class Pick:
    """A time that is one press away. name: what its button sends."""

    name: str
    label: str
    when: WallClock


def picks(zone: ZoneInfo, now: datetime) -> list[Pick]:
    """Tomorrow at nine, Monday at nine (unless that is tomorrow), and in one hour."""
    today = now.astimezone(zone).date()
    tomorrow = today + timedelta(days=1)
    monday = today + timedelta(days=7 - today.weekday())
    offered = [Pick("tomorrow", _("Tomorrow 9:00 am"), WallClock(tomorrow, MORNING, zone))]
    if monday != tomorrow:
        offered.append(Pick("monday", _("Monday 9:00 am"), WallClock(monday, MORNING, zone)))
    in_an_hour = _shown(now + timedelta(minutes=60, seconds=59), zone)
    if in_an_hour.due_at > now:  # when an hour comes twice, its second time can't be named
        offered.append(Pick("hour", _("In one hour"), in_an_hour))
    return offered


def in_words(when: WallClock) -> str:
    """ "Tuesday, March 3, 9:00 am (Denver time)". Without the year: it is never more than one away."""
    words = {"when": f"{day_words(when.date)}, {clock_words(when.time)}", "place": place(when.zone)}
    return _("%(when)s (%(place)s time)") % words


def short_words(when: datetime, now: datetime) -> str:
    """ "Tue 9:00 am" within a week, else "Tue, Mar 3, 9:00 am". Both moments in the reader's zone."""
    is_near = when.date() - now.date() < timedelta(days=7)
    day = formats.date_format(when, "D") if is_near else formats.date_format(when, "D, M j") + ","
    return f"{day} {clock_words(when.time())}"


def refusal_words(refusal: CannotSchedule) -> str:
    """Why nothing can be scheduled for that time, and what to do."""
    match refusal:
        case InThePast():
            return _("This time has passed. Choose a later one.")
        case TooFarAhead():
            return _("This is more than a year away. Choose an earlier time.")
        case SkippedTime(skipped=skipped, goes_on_at=goes_on_at):
            words = {
                "time": clock_words(skipped.time),
                "day": day_words(skipped.date),
                "next": clock_words(goes_on_at.time),
            }
            return _("There is no %(time)s on %(day)s: clocks go forward to %(next)s. Choose another time.") % words
    return _("Nothing can be scheduled for this time. Choose another one.")


def day_words(day: date) -> str:
    return formats.date_format(day, "l, F j")


def clock_words(clock: time | datetime) -> str:
    """ "2:05 pm". By hand: a page of a conversation needs a hundred of them, and Django's formatter takes its time."""
    return f"{clock.hour % 12 or 12}:{clock.minute:02} {'am' if clock.hour < 12 else 'pm'}"


def place(zone: ZoneInfo) -> str:
    """ "Denver" for America/Denver: what people call the zone by."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def _shown(moment: datetime, zone: ZoneInfo) -> WallClock:
    """What clocks show at that moment, to the minute."""
    there = moment.astimezone(zone)
    return WallClock(there.date(), there.time().replace(second=0, microsecond=0, fold=0), zone)


def _first_shown_after(skipped: WallClock) -> WallClock:
    moment = datetime.combine(skipped.date, skipped.time)
    while (later := WallClock(moment.date(), moment.time(), skipped.zone)).is_skipped:
        moment += timedelta(minutes=1)
    return later


def _a_year_after(day: date) -> date:
    """The same day next year; for the 29th of February the 1st of March."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)
