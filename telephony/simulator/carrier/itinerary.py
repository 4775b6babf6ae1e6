"""How a message that has left the queue ends, and the steps on its way there."""

from dataclasses import dataclass
from enum import StrEnum

from telephony.simulator.carrier.messages import Status
from telephony.simulator.carrier.settings import Timing


class End(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    STUCK_SENT = "stuck_sent"


@dataclass(frozen=True, slots=True)
class Fate:
    """`error_code` goes with undelivered and failed."""

    end: End = End.DELIVERED
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`after`: seconds since the step before (the first: since leaving). A step without status changes none."""

    after: float
    status: Status | None = None
    error_code: int | None = None
    arrives: bool = False


def itinerary(fate: Fate, timing: Timing) -> list[Step]:
    """The way to this fate. A message without a delivery receipt reaches its phone all the same."""
    sent = Step(timing.sent, Status.SENT)
    later = timing.delivered - timing.sent
    match fate.end:
        case End.FAILED:
            return [Step(timing.sent, Status.FAILED, fate.error_code)]
        case End.UNDELIVERED:
            return [sent, Step(later, Status.UNDELIVERED, fate.error_code)]
        case End.STUCK_SENT:
            return [sent, Step(later, arrives=True)]
        case End.DELIVERED:
            return [sent, Step(later, Status.DELIVERED, arrives=True)]
