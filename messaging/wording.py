"""What a case manager reads of a message's state, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts.models import Department
from clients.models import PhoneNumber
from messaging import schedule
from messaging.failures import ADVICE, FailureReason, HoldReason
from messaging.models import Message

State = Message.State

LONGER_THAN_A_BACK_OFF = timedelta(minutes=2)
UNCONFIRMED_AFTER = timedelta(days=3)  # some phone companies never confirm
NEXT_MORNING = timedelta(hours=13)  # a time that far away is understood without its day


@dataclass(frozen=True)
class StateWords:
    """tone: quiet (all is well), waiting (not there yet) or problem (needs a person)."""

    text: str
    tone: str
    advice: str = ""


def state_words(
    message: Message,
    now: datetime,
    zone: ZoneInfo,
    *,
    again_at: datetime | None = None,
    number: PhoneNumber | None = None,
) -> StateWords:
    """The words for an outgoing message. again_at: when somebody sent it once more, as a new message. number: now."""
    at = clock_time(message.state_at, message.placed_at, zone)
    match message.state:
        case State.WAITING:
            return _waiting(message, now, zone)
        case State.SENDING | State.ACCEPTED:
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
            return _held(message, number)
        case State.CANCELLED:
            return StateWords(_("Not sent: cancelled"), "quiet")
    return _not_delivered(message, _again(again_at, message, zone))


def _again(again_at: datetime | None, message: Message, zone: ZoneInfo) -> str:
    return _("Tried again %(at)s") % {"at": clock_time(again_at, message.placed_at, zone)} if again_at else ""


def _waiting(message: Message, now: datetime, zone: ZoneInfo) -> StateWords:
    """Scheduled, or until texting hours begin (no back-off takes so long), or on its way."""
    due_at, try_at = message.due_at, message.try_at
    if due_at is not None and due_at > now:
        return StateWords(_("Scheduled for %(at)s") % {"at": _day_and_time(due_at, zone)}, "waiting")
    if try_at is not None and try_at > now and try_at - message.state_at > LONGER_THAN_A_BACK_OFF:
        return StateWords(_("Waits until %(at)s") % {"at": _next_time(try_at, now, zone)}, "waiting")
    return StateWords(_("Sending…"), "waiting")


def _held(message: Message, number: PhoneNumber | None) -> StateWords:
    if message.hold_reason == HoldReason.OPTED_OUT:
        return _held_by_opt_out(number)
    return StateWords(_("Not sent yet: %(reason)s") % {"reason": HoldReason(message.hold_reason).label}, "problem")


def _held_by_opt_out(number: PhoneNumber | None) -> StateWords:
    """By what holds now: a client who came back releases nothing, but can be written to."""
    if number is not None and not number.is_opted_out:
        back = _("They want texts again. It goes out only if you send it.")
        return StateWords(_("Not sent yet: this client had opted out."), "problem", back)
    if _is_opted_out_by_person(number):
        how = _("See “Opt-out or wrong number”.")
        return StateWords(_("Not sent: this client wants no texts, as a colleague or you recorded."), "problem", how)
    by_stop = _("Not sent: this client has opted out by replying STOP.")
    return StateWords(by_stop, "problem", _("They can text START to come back."))


def _is_opted_out_by_person(number: PhoneNumber | None) -> bool:
    return number is not None and number.opted_out_source == PhoneNumber.OptOutSource.PERSON


def _not_delivered(message: Message, again: str) -> StateWords:
    reason = FailureReason(message.failure_reason)
    before = _("Not sent: %(reason)s") if reason is FailureReason.OPTED_OUT else _("Not delivered: %(reason)s")
    return StateWords(before % {"reason": reason.label}, "problem", again or str(ADVICE[reason].next_step))


def clock_time(at: datetime, beside: datetime, zone: ZoneInfo) -> str:
    """The time of day in the zone, "2:05 pm"; with the day if that differs from the day it stands under."""
    at, beside = at.astimezone(zone), beside.astimezone(zone)
    time = time_of_day(at)
    return time if at.date() == beside.date() else f"{formats.date_format(at, 'M j')}, {time}"


def _day_and_time(at: datetime, zone: ZoneInfo) -> str:
    at = at.astimezone(zone)
    return f"{formats.date_format(at, 'D, M j')}, {time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    return schedule.clock_words(at)


def refusal_words(reason: HoldReason, number: PhoneNumber | None) -> str:
    """Why one can't write to this client now, above the box. number: who opted it out makes the difference."""
    if reason is HoldReason.OPTED_OUT and _is_opted_out_by_person(number):
        return _("Not sent: this client wants no texts, as a colleague or you recorded. See “Opt-out or wrong number”.")
    words = {
        HoldReason.OPTED_OUT: _(
            "Not sent: this client has opted out by replying STOP. They can text START to come back."
        ),
        HoldReason.WRONG_NUMBER: _("Not sent: this number is marked as wrong. Ask the client for another number."),
        HoldReason.NOT_TEXTABLE: _("Texts can't be sent to this kind of number. Reach the client another way."),
        HoldReason.NO_CLIENT: _(
            "This client has no phone number any more. Ask for one, and enter it under “Manage client”."
        ),
    }
    return words[reason]


@dataclass(frozen=True)
class EveningQuestion:
    """What the composer asks outside texting hours. value: the opening, as the second button sends it back."""

    text: str
    at_opening: str
    value: str


def evening_question(opening: datetime, now: datetime, department: Department) -> EveningQuestion:
    """As people ask it: "It is 10:40 pm: send now or at 8:00 am?", in the clock of the department."""
    zone = department.zone
    when = _next_time(opening, now, zone)
    return EveningQuestion(
        _("It is %(now)s: send now or at %(opening)s?") % {"now": time_of_day(now.astimezone(zone)), "opening": when},
        _("Send at %(opening)s") % {"opening": when},
        opening.isoformat(),
    )


def _next_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The time of day, with the day only if it is not the one that comes to mind."""
    there = at.astimezone(zone)
    if at - now < NEXT_MORNING:
        return time_of_day(there)
    return _("%(time)s on %(day)s") % {"time": time_of_day(there), "day": formats.date_format(there, "l")}


def already_sent(earlier: Message, now: datetime) -> str:
    """The form was sent before, with another text or for another time."""
    text = {"text": Truncator(earlier.body).chars(80)}
    if earlier.state == State.WAITING and earlier.due_at is not None and earlier.due_at > now:
        at = _day_and_time(earlier.due_at, earlier.department.zone)
        return _("“%(text)s” is scheduled for %(at)s already. Send this too?") % {**text, "at": at}
    return _("You already sent “%(text)s”. Send this too?") % text
