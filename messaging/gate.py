"""The one gate in front of the carrier: what must be true at the moment of sending, whichever door the text came by."""

from datetime import datetime

from clients.models import PhoneNumber
from messaging.failures import HoldReason
from messaging.models import Message


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
    if message.due_at is not None and now - message.due_at > message.department.late_limit:
        return HoldReason.TOO_LATE
    return None
