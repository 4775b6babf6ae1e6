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
    since, try_at = (clock_time(at, now, zone) for at in (stop.since, max(stop.try_at, now)))
    kept = _("Nothing is lost: texts wait, and one that becomes too late is held for its author.")
    again = _("ClientComm tries again by itself, next at %(try_at)s.") % {"try_at": try_at}
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
        Figure(
            _("Last compared"),
            relative_time(status.compared_at, now),
            _("Every few minutes ClientComm compares its texts with the phone company's list."),
        ),
        Figure(_("Arrived late"), str(status.late_arrivals), _("Texts of clients that only the list told of, ever.")),
        Figure(_("Reported late"), str(status.late_reports), _("Texts whose outcome only the list told of, ever.")),
        Figure(
            _("Unknown to ClientComm"),
            str(status.orphans),
            _("Texts in the phone company's list that are not here. Whoever runs ClientComm for you can look them up."),
            needs_a_look=status.orphans > 0,
        ),
        Figure(
            _("Last text passed on"),
            relative_time(status.last_text_at, now),
            _("By the phone company, to any department here."),
        ),
        Figure(
            _("Last outcome reported"),
            relative_time(status.last_report_at, now),
            _("By the phone company, to any department here."),
        ),
    ]
    if status.not_erased:
        words = _("Texts that the phone company has not erased yet in spite of many attempts.")
        figures.append(Figure(_("Not erased"), str(status.not_erased), words, needs_a_look=True))
    return figures
