"""Twilio's words for the state of a message, mapped to ours once."""

from messaging.sms import ReportedState

_REPORTED = {
    "accepted": ReportedState.ACCEPTED,
    "scheduled": ReportedState.ACCEPTED,
    "queued": ReportedState.ACCEPTED,
    "sending": ReportedState.ACCEPTED,
    "sent": ReportedState.SENT,
    "delivered": ReportedState.DELIVERED,
    "read": ReportedState.DELIVERED,
    "undelivered": ReportedState.UNDELIVERED,
    "failed": ReportedState.FAILED,
    "canceled": ReportedState.FAILED,
}


def reported(word: str) -> ReportedState | None:
    """Our word for Twilio's; None for one that we don't know (new ones appear without notice)."""
    return _REPORTED.get(word)


def is_failure(state: ReportedState) -> bool:
    return state in (ReportedState.FAILED, ReportedState.UNDELIVERED)
