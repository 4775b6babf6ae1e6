"""How a demo conversation is written down: who says what, how long ago, and what became of it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clients.models import ConversationEvent
from messaging.failures import FailureReason, HoldReason
from messaging.models import Message

OPENS_AT, OPEN_MINUTES = 8, 13 * 60  # texting hours: 8 am to 9 pm

_AGO = re.compile(r"(?:(\d+)d)? ?(?:(\d+)h)? ?(?:(\d+)m)?")
_WHY = {
    FailureReason.PHONE_OFF: (Message.State.UNDELIVERED, 30003),
    FailureReason.UNKNOWN_NUMBER: (Message.State.UNDELIVERED, 30005),
    FailureReason.BLOCKED: (Message.State.UNDELIVERED, 30410),
    FailureReason.UNEXPLAINED: (Message.State.FAILED, 30008),
    FailureReason.NOT_A_MOBILE: (Message.State.FAILED, 21614),
}


@dataclass(frozen=True)
class Line:
    """A text, and with `event` what it brought about. minutes_ago counts open minutes only: a day has 13 hours."""

    minutes_ago: int
    body: str
    state: Message.State
    reason: str = ""
    error_code: int | None = None
    is_unread: bool = False
    event: ConversationEvent.Kind | None = None

    @property
    def is_incoming(self) -> bool:
        return self.state is Message.State.RECEIVED


def us(ago: str, body: str, state: Message.State = Message.State.DELIVERED) -> Line:
    """A text of the case manager: ago is written like "3d 2h 5m"."""
    return Line(minutes(ago), body, state)


def us_failed(ago: str, body: str, reason: FailureReason) -> Line:
    """A text that did not arrive, with the code that the carrier gives for this reason."""
    state, code = _WHY[reason]
    return Line(minutes(ago), body, state, reason, code)


def us_held(ago: str, body: str, reason: HoldReason) -> Line:
    """A text that still waited when something stood in its way."""
    return Line(minutes(ago), body, Message.State.HELD, reason)


def them(ago: str, body: str, *, unread: bool = False) -> Line:
    """A text of the client."""
    return Line(minutes(ago), body, Message.State.RECEIVED, is_unread=unread)


def stop(ago: str) -> Line:
    """The client's STOP; the event and the mark on the number are made of it."""
    return Line(minutes(ago), "STOP", Message.State.RECEIVED, event=ConversationEvent.Kind.OPTED_OUT)


def start(ago: str) -> Line:
    """The client's START after a STOP."""
    return Line(minutes(ago), "START", Message.State.RECEIVED, event=ConversationEvent.Kind.OPTED_IN)


def minutes(ago: str) -> int:
    match = _AGO.fullmatch(ago)
    if not match or not ago:
        raise ValueError(ago)
    days, hours, rest = (int(part or 0) for part in match.groups())
    return days * OPEN_MINUTES + hours * 60 + rest


def open_time(now: datetime, zone: ZoneInfo, minutes_ago: int) -> datetime:
    """The moment that lies this many open minutes (at least one) before now: never in the future, never at night."""
    local = now.astimezone(zone)
    since_opening = (local.hour - OPENS_AT) * 60 + local.minute
    days, minute = divmod(min(max(since_opening, 0), OPEN_MINUTES) - minutes_ago, OPEN_MINUTES)
    today = datetime(local.year, local.month, local.day, OPENS_AT, tzinfo=zone)
    return today + timedelta(days=days, minutes=minute)
