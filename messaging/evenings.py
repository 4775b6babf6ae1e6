"""Whether a text that a person types outside texting hours may go without asking, and what the person answered.

The person is asked once an evening in each conversation, and not while the client is writing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.models import CaseAssignment
from messaging import hours
from messaging.models import Message
from messaging.schedule import WallClock

IN_TALK = timedelta(hours=1)  # since the client's last text


@dataclass(frozen=True)
class Answer:
    """What a person chose: to send at that opening, or at once (None)."""

    opening: datetime | None = None


@dataclass(frozen=True)
class Timing:
    """When a text is to go out: at once, or scheduled. any_hour: a person knows that it is outside texting hours."""

    when: WallClock | None = None
    any_hour: bool = False


def must_ask(assignment: CaseAssignment, now: datetime) -> bool:
    """Whether the case manager is to say first: now, or when texting hours begin."""
    department = assignment.client.department
    if hours.is_open(department, now):
        return False
    confirmed_at = assignment.evening_confirmed_at
    if confirmed_at is not None and confirmed_at >= hours.last_closing(department, now):
        return False
    incoming = Message.objects.filter(client=assignment.client_id, direction=Message.Direction.INCOMING)
    return not incoming.filter(assignment=assignment, placed_at__gt=now - IN_TALK).exists()


def at_once(assignment: CaseAssignment, now: datetime) -> Timing:
    """A person knows what time it is: outside texting hours it goes out all the same."""
    return Timing(any_hour=not hours.is_open(assignment.client.department, now))


def at_opening(assignment: CaseAssignment, opening: datetime) -> Timing:
    """Scheduled for the minute in which texting hours begin."""
    zone = assignment.client.department.zone
    clock = opening.astimezone(zone)
    return Timing(WallClock(clock.date(), clock.time().replace(fold=0), zone))


def confirm(assignment: CaseAssignment, now: datetime) -> None:
    """Remembers that the person chose to send outside texting hours: not asked again this evening."""
    CaseAssignment.objects.filter(pk=assignment.pk).update(evening_confirmed_at=now)
