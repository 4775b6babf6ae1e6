"""The words by which a client opts out and back in, as the carrier reads them: the whole message, any case.

Source: Twilio's help, "Twilio support for opt-out keywords" (the carrier answers them itself, we don't reply).
"""

import re
from enum import Enum, auto

_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP"})
_START_IF_OPTED_OUT = frozenset({"YES"})  # lifts the carrier's block, but is mostly just an answer


# Free wording: put before a person, never acted on by the machine (47 CFR 64.1200(a)(10): any reasonable means counts).
_WANTS_NO_TEXTS = re.compile(
    r"\b(?:stop|quit|don'?t|do not|never|no more|cease)\b.{0,20}\b(?:text|texts|texting|messag\w*|contact\w*|writ\w*)\b"
    r"|\b(?:unsubscribe|opt(?:ing|ed)? ?out|take me off|remove (?:me|my number)|leave me alone)\b",
    re.IGNORECASE,
)
_WRONG_NUMBER = re.compile(
    r"\bwrong (?:number|person|phone)\b|\bnot (?:my|his|her|their) (?:number|phone)\b"
    r"|\b(?:who is this|who's this|you have the wrong)\b.{0,40}\bwrong\b|\bn[uú]mero equivocado\b",
    re.IGNORECASE,
)


class Suspicion(Enum):
    """What a text in free words may mean."""

    WANTS_NO_TEXTS = auto()
    WRONG_NUMBER = auto()


def suspect(body: str) -> Suspicion | None:
    """Whether a person should look: the text may ask for no more texts, or come from somebody else."""
    straight = body.replace("\u2019", "'")
    if read(body) is not None:
        return None
    if _WRONG_NUMBER.search(straight):
        return Suspicion.WRONG_NUMBER
    return Suspicion.WANTS_NO_TEXTS if _WANTS_NO_TEXTS.search(straight) else None


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
