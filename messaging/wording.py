"""What a case manager reads of a message's state, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from messaging import schedule
from messaging.failures import ADVICE, FailureReason, HoldReason
from messaging.models import Message

State = Message.State

UNCONFIRMED_AFTER = timedelta(days=3)  # some phone companies never confirm


@dataclass(frozen=True)
class StateWords:
    """tone: quiet (all is well), waiting (not there yet) or problem (needs a person)."""

    text: str
    tone: str
    advice: str = ""


def state_words(message: Message, now: datetime, zone: ZoneInfo, *, again_at: datetime | None = None) -> StateWords:
    """The words for an outgoing message. again_at: when somebody sent it once more, as a new message."""
    at = clock_time(message.state_at, message.placed_at, zone)
    match message.state:
        case State.WAITING | State.SENDING | State.ACCEPTED:
            return StateWords(_("Sending…"), "waiting")
        case State.SENT if now - message.state_at > UNCONFIRMED_AFTER:
            return StateWords(_("Sent, delivery not confirmed"), "quiet")
        case State.SENT:
            return StateWords(_("Sent %(at)s") % {"at": at}, "quiet")
        case State.DELIVERED:
            return StateWords(_("Delivered %(at)s") % {"at": at}, "quiet")
        case State.UNKNOWN:
            return StateWords(_("Checking whether this was sent"), "waiting")
        case State.UNCONFIRMED if message.arrived_at:
            return StateWords(_("Arrived, as the client says"), "quiet")
        case State.UNCONFIRMED:
            before = _("Ask the client before you send it again.")
            return StateWords(_("May not have been sent"), "problem", _again(again_at, message, zone) or before)
        case State.HELD:
            return _held(message)
        case State.CANCELLED:
            return StateWords(_("Not sent: cancelled"), "quiet")
    return _not_delivered(message, _again(again_at, message, zone))


def _again(again_at: datetime | None, message: Message, zone: ZoneInfo) -> str:
    return _("Tried again %(at)s") % {"at": clock_time(again_at, message.placed_at, zone)} if again_at else ""


def _held(message: Message) -> StateWords:
    if message.hold_reason == HoldReason.OPTED_OUT:
        return StateWords(
            _("Not sent: this client has opted out by replying STOP."),
            "problem",
            _("They can text START to come back."),
        )
    return StateWords(_("Not sent yet: %(reason)s") % {"reason": HoldReason(message.hold_reason).label}, "problem")


def _not_delivered(message: Message, again: str) -> StateWords:
    reason = FailureReason(message.failure_reason)
    before = _("Not sent: %(reason)s") if reason is FailureReason.OPTED_OUT else _("Not delivered: %(reason)s")
    return StateWords(before % {"reason": reason.label}, "problem", again or str(ADVICE[reason].next_step))


def clock_time(at: datetime, beside: datetime, zone: ZoneInfo) -> str:
    """The time of day in the zone, "2:05 pm"; with the day if that differs from the day it stands under."""
    at, beside = at.astimezone(zone), beside.astimezone(zone)
    time = time_of_day(at)
    return time if at.date() == beside.date() else f"{formats.date_format(at, 'M j')}, {time}"


def time_of_day(at: datetime) -> str:
    return schedule.clock_words(at)


def refusal_words(reason: HoldReason, *, opted_out_by_person: bool = False) -> str:
    """Why one can't write to this client now, above the box."""
    if reason is HoldReason.OPTED_OUT and opted_out_by_person:
        return _("Not sent: this client wants no texts, as a colleague or you recorded. See “Opt-out or wrong number”.")
    words = {
        HoldReason.OPTED_OUT: _(
            "Not sent: this client has opted out by replying STOP. They can text START to come back."
        ),
        HoldReason.WRONG_NUMBER: _("Not sent: this number is marked as wrong. Ask the client for another number."),
        HoldReason.NOT_TEXTABLE: _("Texts can't be sent to this kind of number. Reach the client another way."),
        HoldReason.NO_CLIENT: _("This client has no phone number any more."),
    }
    return words[reason]
