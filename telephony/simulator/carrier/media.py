"""Media files: what clients sent, and what the carrier fetched of the product's to send on (section 9)."""

from dataclasses import dataclass
from typing import Any

from telephony.simulator.carrier.phones import MediaFile
from telephony.simulator.carrier.sids import new_sid
from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE media (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sid TEXT NOT NULL UNIQUE,
    message_sid TEXT NOT NULL,
    source_url TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at REAL NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX media_message ON media (message_sid, seq);
"""

# A handful of inbound media per message, as the webhook has MediaUrl0 to MediaUrl9.
MAX_MEDIA = 10


@dataclass(frozen=True, slots=True)
class Media:
    """A file of a message. `source_url` is the product's own for outbound ones, whose content comes when they leave.

    `deleted`: gone from the account, still on the phone.
    """

    seq: int
    sid: str
    message_sid: str
    source_url: str
    content_type: str
    content: bytes
    created_at: float
    deleted: bool

    @property
    def file(self) -> MediaFile:
        return MediaFile(self.sid, self.content_type, len(self.content))


class MediaStore:
    """The table of media."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._connection = database.connection
        self._clock = clock

    def add(self, message_sid: str, *, content_type: str = "", content: bytes = b"", source_url: str = "") -> None:
        self._connection.execute(
            """
            INSERT INTO media (sid, message_sid, source_url, content_type, content, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            (new_sid("ME"), message_sid, source_url, content_type, content, self._clock.now()),
        )

    def fill(self, sid: str, *, content_type: str, content: bytes) -> None:
        """Store what was fetched from the product."""
        self._connection.execute(
            "UPDATE media SET content_type = ?, content = ? WHERE sid = ?", (content_type, content, sid)
        )

    def of(self, message_sid: str) -> list[Media]:
        """In the order of sending, without deleted ones."""
        rows = self._connection.execute(
            "SELECT * FROM media WHERE message_sid = ? AND NOT deleted ORDER BY seq", (message_sid,)
        )
        return [_media(row) for row in rows]

    def get(self, sid: str) -> Media | None:
        """Also a deleted one: the phone still shows it."""
        row = self._connection.execute("SELECT * FROM media WHERE sid = ?", (sid,)).fetchone()
        return _media(row) if row else None

    def delete(self, sid: str) -> None:
        self._connection.execute("UPDATE media SET deleted = 1 WHERE sid = ?", (sid,))


def _media(row: Any) -> Media:
    return Media(**{**dict(row), "deleted": bool(row["deleted"])})
