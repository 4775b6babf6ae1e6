"""The phones themselves: every number texted or typed in, and what stands on its screen.

A phone keeps its texts for itself: what the account redacts or deletes afterwards stays on it.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from telephony.simulator.carrier.journal import Journal
from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE phone (
    number TEXT PRIMARY KEY,
    added_at REAL NOT NULL,
    last_at REAL NOT NULL
);
CREATE INDEX phone_last ON phone (last_at);
CREATE TABLE text (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    phone TEXT NOT NULL,
    department TEXT NOT NULL,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    media TEXT NOT NULL,
    message_sid TEXT NOT NULL,
    at REAL NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX text_phone ON text (phone, id);
CREATE INDEX text_message ON text (message_sid);
"""

Author = Literal["department", "client", "carrier", "notice"]


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A picture or file as the phone has it; `sid` is its place in the media store."""

    sid: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Text:
    """One text on a phone's screen. `outcome`: what became of it, in words (empty while nothing is known)."""

    id: int
    phone: str
    department: str
    author: Author
    body: str
    media: list[MediaFile]
    message_sid: str
    at: float
    outcome: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone in the list with its newest text, if there is one."""

    number: str
    last_at: float
    last_author: str = ""
    last_body: str = ""


class Phones:
    """All phones and their texts."""

    def __init__(self, database: Database, clock: Clock, journal: Journal) -> None:
        self._connection = database.connection
        self._clock = clock
        self._journal = journal

    def switch_on(self, number: str) -> None:
        """Put a phone on the page; one that is there already stays as it is."""
        now = self._clock.now()
        self._connection.execute(
            "INSERT OR IGNORE INTO phone (number, added_at, last_at) VALUES (?, ?, ?)", (number, now, now)
        )

    def arrive(
        self,
        *,
        phone: str,
        department: str,
        body: str,
        message_sid: str = "",
        media: tuple[MediaFile, ...] = (),
        by: Author,
    ) -> None:
        """A text reaches the phone, from the department or from the carrier itself; it is logged."""
        self._add(phone, department, by, body, media, message_sid)
        files = [{"content_type": file.content_type, "size": file.size} for file in media]
        self._journal.add(
            "arrived", number=phone, **{"from": department}, body=body, media=files, message_sid=message_sid, by=by
        )

    def typed(
        self, *, phone: str, department: str, body: str, message_sid: str, media: tuple[MediaFile, ...] = ()
    ) -> None:
        """The client wrote a text."""
        self._add(phone, department, "client", body, media, message_sid)

    def miss(self, *, phone: str, department: str, reason: str, message_sid: str) -> None:
        """A text that did not reach the phone: a notice for whoever looks at its page, no arrival."""
        self._add(phone, department, "notice", reason, (), message_sid)

    def set_outcome(self, message_sid: str, outcome: str) -> None:
        self._connection.execute("UPDATE text SET outcome = ? WHERE message_sid = ?", (outcome, message_sid))

    def texts(self, phone: str, *, limit: int = 200) -> list[Text]:
        """The newest ones, oldest of them first."""
        rows = self._connection.execute("SELECT * FROM text WHERE phone = ? ORDER BY id DESC LIMIT ?", (phone, limit))
        return [_text(row) for row in reversed(rows.fetchall())]

    def listed(self, *, limit: int = 200) -> list[Phone]:
        """The phones with the newest activity first."""
        rows = self._connection.execute(
            """
            SELECT phone.number, phone.last_at,
                coalesce(text.author, '') AS last_author, coalesce(text.body, '') AS last_body
            FROM phone LEFT JOIN text ON text.id = (SELECT max(id) FROM text WHERE text.phone = phone.number)
            ORDER BY phone.last_at DESC, phone.number LIMIT ?
            """,
            (limit,),
        )
        return [Phone(**dict(row)) for row in rows]

    def _add(
        self, phone: str, department: str, author: Author, body: str, media: tuple[MediaFile, ...], message_sid: str
    ) -> None:
        now = self._clock.now()
        files = json.dumps([[file.sid, file.content_type, file.size] for file in media])
        self.switch_on(phone)
        self._connection.execute("UPDATE phone SET last_at = ? WHERE number = ?", (now, phone))
        self._connection.execute(
            """
            INSERT INTO text (phone, department, author, body, media, message_sid, at, outcome)
            VALUES (?, ?, ?, ?, ?, ?, ?, '')
            """,
            (phone, department, author, body, files, message_sid, now),
        )


def _text(row: Any) -> Text:
    values = dict(row)
    values["media"] = [MediaFile(*file) for file in json.loads(values["media"])]
    return Text(**values)
