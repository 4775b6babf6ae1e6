"""The words by which a client opts out and back in, as the carrier reads them: the whole message, any case.

Source: Twilio's help, "Twilio support for opt-out keywords" (the carrier answers them itself, we don't reply).
"""

import re
from enum import Enum, auto

_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP"})
_START_IF_OPTED_OUT = frozenset({"YES"})  # lifts the carrier's block, but is mostly just an answer
_HELP = frozenset({"HELP", "INFO"})

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


# What is sent to many names a way out of it, or says that nobody reads the answers.
_BY_A_MACHINE = re.compile(
    r"\b(?:reply|text|txt|send) (?:stop|end|quit)\b|\b(?:do not|don'?t) reply\b|\bno-?reply\b|\bNETWORK MSG\b"
    r"|\bauto(?:mated|matic)?[ -]?(?:message|text|reply|response|notification|alert)\b|\bverification code\b"
    r"|\b(?:not|un)[ -]?monitored\b",
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
    wants_none = _WANTS_NO_TEXTS.search(straight) or _letters(body) in _STOP  # "Stop!", "stop all": not the word alone
    return Suspicion.WANTS_NO_TEXTS if wants_none else None


def _letters(body: str) -> str:
    return "".join(character for character in body if character.isalpha()).upper()


def is_for_the_carrier(body: str) -> bool:
    """Whether the carrier may answer this text itself: STOP, START, HELP and their kin."""
    return read(body) is not None or body.strip().upper() in _HELP


def sounds_like_a_machine(body: str) -> bool:
    """Whether a text was most likely sent by a program, which an answer would only set going."""
    return _BY_A_MACHINE.search(body.replace("\u2019", "'")) is not None


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
