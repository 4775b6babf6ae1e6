"""A department's texting hours, on the clock of its own zone: when the question is asked, and what waits till when."""

from datetime import UTC, date, datetime, time, timedelta

from accounts.models import Department


def is_open(department: Department, at: datetime) -> bool:
    """Whether texts may go out by themselves at that moment. The closing minute itself is outside."""
    clock = at.astimezone(department.zone).time()
    return department.opens_at <= clock < department.closes_at


def next_opening(department: Department, at: datetime) -> datetime:
    """The first moment from `at` on at which it is open: `at` itself, if it is."""
    if is_open(department, at):
        return at
    day = at.astimezone(department.zone).date()
    today = _on(department, day, department.opens_at)
    return today if today >= at else _on(department, day + timedelta(days=1), department.opens_at)


def last_closing(department: Department, at: datetime) -> datetime:
    """When it last closed: since then it is the same evening, up to the next opening."""
    day = at.astimezone(department.zone).date()
    today = _on(department, day, department.closes_at)
    return today if today <= at else _on(department, day - timedelta(days=1), department.closes_at)


def next_closing(department: Department, at: datetime) -> datetime:
    """The first closing after `at`."""
    day = at.astimezone(department.zone).date()
    today = _on(department, day, department.closes_at)
    return today if today > at else _on(department, day + timedelta(days=1), department.closes_at)


def _on(department: Department, day: date, clock: time) -> datetime:
    """That moment, in UTC: arithmetic in a zone would forget its changes of hours."""
    return datetime.combine(day, clock, department.zone).astimezone(UTC)
