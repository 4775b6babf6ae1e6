"""STOP, START and HELP as the carrier treats them (section 7), and who has opted out from whom."""

from dataclasses import dataclass
from enum import StrEnum

from telephony.simulator.carrier.addresses import Ending, ending_of, is_short_code, is_toll_free
from telephony.simulator.carrier.settings import Account
from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE opt_out (
    phone TEXT NOT NULL,
    sender TEXT NOT NULL,
    blocked INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (phone, sender)
);
"""


class Word(StrEnum):
    """What a keyword asks for; the values are those of the webhook's OptOutType."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


KEYWORDS = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), Word.STOP),
    **dict.fromkeys(("START", "YES", "UNSTOP"), Word.START),
    **dict.fromkeys(("HELP", "INFO"), Word.HELP),
}
# On toll-free numbers the network itself listens, for these words only; YES undoes nothing there.
TOLL_FREE_KEYWORDS = {"STOP": Word.STOP, "UNSTOP": Word.START, "START": Word.START}

CONFIRMATIONS = {
    Word.STOP: (
        "You have successfully been unsubscribed. You will not receive any more messages from this number. "
        "Reply START to resubscribe."
    ),
    Word.START: (
        "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
        "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
    ),
    Word.HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
TOLL_FREE_CONFIRMATIONS = {
    Word.STOP: (
        'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
        'Text back "unstop" to receive messages again.'
    ),
    Word.START: 'NETWORK MSG: You have replied "unstop" and will begin receiving messages again from this number.',
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a keyword did: the carrier's own reply and, with Advanced Opt-Out, the webhook's OptOutType ("": none)."""

    reply: str = ""
    opt_out_type: str = ""


def keyword(body: str, department: str) -> Word | None:
    """The keyword that the whole text is, in any case; None for anything longer, and for short codes, where nothing
    is automatic."""
    if is_short_code(department):
        return None
    words = TOLL_FREE_KEYWORDS if is_toll_free(department) else KEYWORDS
    return words.get(body.strip().upper())


class OptOuts:
    """Blocked pairs: a client and one of the account's numbers, or a client and a Messaging Service."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._connection = database.connection
        self._clock = clock

    def blocked(self, phone: str, department: str, account: Account) -> bool:
        """Numbers ending in 555-0104 begin as blocked."""
        row = self._connection.execute(
            "SELECT blocked FROM opt_out WHERE phone = ? AND sender = ?", (phone, _side(department, account))
        ).fetchone()
        return bool(row["blocked"]) if row else ending_of(phone) == Ending.OPTED_OUT

    def hear(self, *, phone: str, department: str, body: str, account: Account) -> Answer:
        """Act on an incoming text that may be a keyword.

        The carrier confirms a change once: a second STOP, and a START or YES from somebody who never stopped, are
        ordinary texts to it.
        """
        word = keyword(body, department)
        if word is None:
            return Answer()
        was_blocked = self.blocked(phone, department, account)
        changes = was_blocked if word == Word.START else not was_blocked
        if word != Word.HELP and changes:
            self._set(phone, _side(department, account), blocked=word == Word.STOP)
        replies = TOLL_FREE_CONFIRMATIONS if is_toll_free(department) else CONFIRMATIONS
        heard = word == Word.HELP or changes
        service = account.service_of(department)
        advanced = service is not None and service.advanced_opt_out
        return Answer(reply=replies.get(word, "") if heard else "", opt_out_type=word if heard and advanced else "")

    def _set(self, phone: str, sender: str, *, blocked: bool) -> None:
        self._connection.execute(
            "REPLACE INTO opt_out (phone, sender, blocked, at) VALUES (?, ?, ?, ?)",
            (phone, sender, blocked, self._clock.now()),
        )


def _side(department: str, account: Account) -> str:
    """What a client opts out from: the whole service if the number is in one."""
    service = account.service_of(department)
    return service.sid if service else department
