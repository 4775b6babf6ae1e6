"""ScheduleType=fixed and SendAt: the window in which a message may be scheduled (section 1)."""

from datetime import UTC, datetime

from multidict import MultiMapping

from telephony.simulator.api.errors import ApiError

SOONEST_SECONDS = 300
LATEST_SECONDS = 35 * 24 * 3600


def send_at(form: MultiMapping[str], now: float) -> float | None:
    """The moment asked for, in seconds since 1970; None for a message to go at once. Times without a zone are UTC."""
    if not form.get("ScheduleType") and not form.get("SendAt"):
        return None
    if not form.get("MessagingServiceSid"):
        raise ApiError(35118)
    if not form.get("SendAt"):
        raise ApiError(35111)
    try:
        moment = datetime.fromisoformat(form["SendAt"])
    except ValueError:
        raise ApiError(35114) from None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not SOONEST_SECONDS < seconds - now <= LATEST_SECONDS:
        raise ApiError(35114)
    return seconds
