"""The words by which a client opts out and back in, as the carrier reads them: the whole message, any case.

Source: Twilio's help, "Twilio support for opt-out keywords" (the carrier answers them itself, we don't reply).
"""

from enum import Enum, auto

_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP"})
_START_IF_OPTED_OUT = frozenset({"YES"})  # lifts the carrier's block, but is mostly just an answer


class OptWord(Enum):
    STOP = auto()
    START = auto()
    YES = auto()


def read(body: str) -> OptWord | None:
    """What the text asks for, if it is one of these words and nothing else."""
    word = body.strip().upper()
    if word in _STOP:
        return OptWord.STOP
    if word in _START:
        return OptWord.START
    return OptWord.YES if word in _START_IF_OPTED_OUT else None
