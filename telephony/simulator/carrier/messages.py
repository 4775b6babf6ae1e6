"""The account's messages: what the Messages resource shows."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sid TEXT NOT NULL UNIQUE,
    direction TEXT NOT NULL,
    status TEXT NOT NULL,
    sender TEXT,
    recipient TEXT NOT NULL,
    service_sid TEXT,
    body TEXT NOT NULL,
    segments INTEGER NOT NULL,
    media INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    sent_at REAL,
    error_code INTEGER,
    price TEXT,
    status_callback TEXT NOT NULL,
    quirks TEXT NOT NULL
);
CREATE INDEX message_recipient ON message (recipient, seq);
CREATE INDEX message_sender ON message (sender, seq);
"""

# US dollars a segment, negative as Twilio writes what it charges.
PRICE_PER_SEGMENT = -0.0075


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND_API = "outbound-api"
    OUTBOUND_REPLY = "outbound-reply"


class Status(StrEnum):
    """Section 2. `sent` may be the last word; the others in FINAL always are."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    RECEIVING = "receiving"
    RECEIVED = "received"


FINAL = frozenset({Status.DELIVERED, Status.UNDELIVERED, Status.FAILED, Status.CANCELED, Status.RECEIVED})
WAITING = frozenset({Status.ACCEPTED, Status.SCHEDULED, Status.QUEUED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A row. Times are seconds since 1970; `sender` is None while a Messaging Service has not chosen one.

    `quirks`: what is wrong with its callbacks, as the faults of the moment had it (see `callbacks`).
    """

    seq: int = 0
    sid: str
    direction: Direction
    status: Status
    sender: str | None
    recipient: str
    service_sid: str | None = None
    body: str
    segments: int
    media: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0
    sent_at: float | None = None
    error_code: int | None = None
    price: str | None = None
    status_callback: str = ""
    quirks: str = "{}"

    @property
    def phone(self) -> str:
        """The client's side of it."""
        return (self.sender or "") if self.direction == Direction.INBOUND else self.recipient

    @property
    def department(self) -> str:
        """The account's side of it; "" while a service has not chosen a sender."""
        return self.recipient if self.direction == Direction.INBOUND else (self.sender or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is narrowed to. Moments bound date_sent, both ends included; None bounds nothing."""

    recipient: str = ""
    sender: str = ""
    sent_from: float | None = None
    sent_until: float | None = None


class Messages:
    """The table of messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._connection = database.connection
        self._clock = clock

    def add(self, message: Message) -> Message:
        """Store it with the present time as its creation."""
        now = self._clock.now()
        message = replace(message, created_at=now, updated_at=now)
        cursor = self._connection.execute(
            """
            INSERT INTO message (sid, direction, status, sender, recipient, service_sid, body, segments, media,
                created_at, updated_at, sent_at, error_code, price, status_callback, quirks)
            VALUES (:sid, :direction, :status, :sender, :recipient, :service_sid, :body, :segments, :media,
                :created_at, :updated_at, :sent_at, :error_code, :price, :status_callback, :quirks)
            """,
            asdict(message),
        )
        return replace(message, seq=cursor.lastrowid or 0)

    def get(self, sid: str) -> Message | None:
        row = self._connection.execute("SELECT * FROM message WHERE sid = ?", (sid,)).fetchone()
        return _message(row) if row else None

    def change(self, message: Message, **changes: Any) -> Message:
        """Store the changed fields with the present time as its update; gives the message as it is now."""
        message = replace(message, updated_at=self._clock.now(), **changes)
        self._connection.execute(
            """
            UPDATE message SET status = :status, sender = :sender, body = :body, media = :media, sent_at = :sent_at,
                error_code = :error_code, price = :price, updated_at = :updated_at
            WHERE sid = :sid
            """,
            asdict(message),
        )
        return message

    def delete(self, sid: str) -> None:
        self._connection.execute("DELETE FROM message WHERE sid = ?", (sid,))

    def page(self, filters: Filters, *, before: int | None, size: int) -> list[Message]:
        """Newest first; `before` is the `seq` of the last message already shown."""
        conditions = [
            ("recipient = :recipient", filters.recipient or None),
            ("sender = :sender", filters.sender or None),
            ("sent_at >= :sent_from", filters.sent_from),
            ("sent_at <= :sent_until", filters.sent_until),
            ("seq < :before", before),
        ]
        where = " AND ".join(condition for condition, value in conditions if value is not None) or "true"
        rows = self._connection.execute(
            f"SELECT * FROM message WHERE {where} ORDER BY seq DESC LIMIT :size",  # noqa: S608  only the constants above
            {**asdict(filters), "before": before, "size": size},
        )
        return [_message(row) for row in rows]

    def replies_since(self, *, sender: str, recipient: str, since: float) -> int:
        """How many outbound-reply messages went between the two numbers since that moment (the loop guard, 14107)."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM message WHERE recipient = ? AND sender = ? AND direction = ? AND created_at > ?",
            (recipient, sender, Direction.OUTBOUND_REPLY, since),
        ).fetchone()
        return int(count)


def price_of(segments: int) -> str:
    return f"{segments * PRICE_PER_SEGMENT:.5f}"


def _message(row: Any) -> Message:
    values = dict(row)
    values["direction"] = Direction(values["direction"])
    values["status"] = Status(values["status"])
    return Message(**values)
