"""The one gate in front of the carrier: what must be true at the moment of sending, whichever door the text came by."""

from datetime import datetime, timedelta

from django.db.models import Q

from clients.models import PhoneNumber
from messaging import hours
from messaging.failures import HoldReason
from messaging.models import Message

DELAYED_AFTER = timedelta(minutes=5)  # from then on it is our doing that a text goes out at another hour than was meant


def reason_against_number(number: PhoneNumber | None) -> HoldReason | None:
    """Why nothing may go to this number, if so. Also asked when a text is typed, so that the person is told at once."""
    if number is None:
        return HoldReason.NO_CLIENT
    if not number.can_be_texted:
        return HoldReason.NOT_TEXTABLE
    if number.is_opted_out:
        return HoldReason.OPTED_OUT
    return HoldReason.WRONG_NUMBER if number.is_wrong else None


def reason_to_hold(message: Message, number: PhoneNumber | None, now: datetime) -> HoldReason | None:
    """Why this text must not go out now, if so. Message and number are locked by the caller."""
    assignment = message.assignment
    if not assignment.is_open:
        return HoldReason.NO_CLIENT
    if assignment.case_manager is not None and not assignment.case_manager.is_active:
        return HoldReason.NO_CASE_MANAGER
    if reason := reason_against_number(number):
        return reason
    return HoldReason.TOO_LATE if is_too_late(message, now) else None


def is_too_late(message: Message, now: datetime) -> bool:
    """Waiting for the pace or for the opening is not lateness: finish_by says until when that was to take."""
    assert message.due_at is not None  # it goes out
    return now - max(message.due_at, message.finish_by or message.due_at) > message.department.late_limit


def waits_for_opening(message: Message, now: datetime) -> datetime | None:
    """Until when a text must wait that nobody meant to go out at this hour; None: it may go now."""
    assert message.due_at is not None
    is_mass = message.priority == Message.Priority.MASS
    if message.any_hour or not (is_mass or now - message.due_at > DELAYED_AFTER):
        return None
    opening = hours.next_opening(message.department, now)
    return opening if opening > now else None


def delayed_or_mass(now: datetime) -> Q:
    """The same rule as a condition on messages, but for any_hour and the hours."""
    return Q(priority=Message.Priority.MASS) | Q(due_at__lt=now - DELAYED_AFTER)
