"""What a department's page says of its sending, in words."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from messaging.relative_times import relative_time
from messaging.sending_status import DepartmentStatus, Stop
from messaging.wording import clock_time


@dataclass(frozen=True)
class StateOfSending:
    """tone: success, warning or error."""

    tone: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Figure:
    """A line of the page; note says what it means. needs_a_look: somebody should do something about it."""

    name: str
    value: str
    note: str
    needs_a_look: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    figures: list[Figure]


def state_of_sending(status: DepartmentStatus, now: datetime, zone: ZoneInfo) -> StateOfSending:
    """Whether texts go out, and if not, why, and what happens next."""
    if status.stop is not None:
        return _stopped(status.stop, now, zone)
    if status.gap_since is not None:
        return StateOfSending(
            "warning",
            _("Texts wait a moment."),
            _("ClientComm was down. It compares its texts with the phone company's list first: none goes out twice."),
        )
    if not status.is_ticking:
        return StateOfSending(
            "error",
            _("No texts go out at the moment: ClientComm is not working as it should."),
            _("Nothing is lost. Tell whoever runs ClientComm for you."),
        )
    return StateOfSending("success", _("Texts go out."))


def _stopped(stop: Stop, now: datetime, zone: ZoneInfo) -> StateOfSending:
    since, try_at = (clock_time(at, now, zone) for at in (stop.since, stop.try_at))
    kept = _("Nothing is lost: texts wait, and one that becomes too late is held for its author.")
    again = _("ClientComm tries again by itself, next at %(try_at)s.") % {"try_at": try_at}
    if stop.try_at <= now:
        again = _("The next text tries whether it is settled.")
    what = _("No text has gone out since %(since)s: %(reason)s.") % {"since": since, "reason": stop.reason}
    return StateOfSending("error", what, f"{kept} {again}")


def sections(status: DepartmentStatus, now: datetime, zone: ZoneInfo) -> list[Section]:
    return [
        Section("waiting", _("Texts on their way out"), _outgoing(status, now, zone)),
        Section("compared", _("The phone company"), _compared(status, now)),
    ]


def _outgoing(status: DepartmentStatus, now: datetime, zone: ZoneInfo) -> list[Figure]:
    until = (
        _("Mass messages take until %(at)s.") % {"at": clock_time(status.paced_until, now, zone)}
        if status.paced_until
        else ""
    )
    return [
        Figure(_("Waiting to go out"), str(status.waiting), until or _("Due now and not handed over yet.")),
        Figure(
            _("Held"),
            str(status.held),
            _("They could not go out. Their authors decide, in the conversation."),
            needs_a_look=status.held > 0,
        ),
        Figure(
            _("Being checked"),
            str(status.unknown),
            _("The line broke while they were sent. ClientComm finds out within ten minutes."),
        ),
        Figure(
            _("May not have been sent"),
            str(status.unconfirmed),
            _("Nobody can tell. Their authors ask the client, then send again or say that it arrived."),
            needs_a_look=status.unconfirmed > 0,
        ),
    ]


def _compared(status: DepartmentStatus, now: datetime) -> list[Figure]:
    figures = [
        _moment(
            _("Last compared"),
            status.compared_at,
            _("Every few minutes ClientComm compares its texts with the phone company's list."),
            now,
        ),
        Figure(_("Arrived late"), str(status.late_arrivals), _("Texts of clients that only the list told of, ever.")),
        Figure(_("Reported late"), str(status.late_reports), _("Texts whose outcome only the list told of, ever.")),
        Figure(
            _("Unknown to ClientComm"),
            str(status.orphans),
            _("Texts in the phone company's list that are not here. Whoever runs ClientComm for you can look them up."),
            needs_a_look=status.orphans > 0,
        ),
        _moment(_("Last text passed on"), status.last_text_at, _("By the phone company, to any department."), now),
        _moment(_("Last outcome reported"), status.last_report_at, _("By the phone company, to any department."), now),
    ]
    if status.not_erased:
        words = _("Texts that the phone company has not erased yet in spite of many attempts.")
        figures.append(Figure(_("Not erased"), str(status.not_erased), words, needs_a_look=True))
    return figures


def _moment(name: str, at: datetime | None, note: str, now: datetime) -> Figure:
    return Figure(name, relative_time(at, now) if at else _("Not yet"), note, at=at)
