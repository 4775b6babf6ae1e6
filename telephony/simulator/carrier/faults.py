"""Faults: what can be made to go wrong, for one number or for all, a number of times or until it is switched off.

A fault lies in wait at one point of the wire (`Point`). Whoever passes that point takes it: `Faults.take`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telephony.simulator.carrier.sids import new_sid
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE fault (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    times INTEGER,
    seconds REAL NOT NULL,
    code INTEGER NOT NULL,
    operation TEXT NOT NULL
);
"""


class Point(StrEnum):
    """Where a fault strikes. Of each point's faults the oldest that fits strikes; `callback` ones all together."""

    BEFORE = "before"
    AFTER = "after"
    DELIVERY = "delivery"
    CALLBACK = "callback"
    INBOUND = "inbound"
    MEDIA = "media"


class Kind(StrEnum):
    """The names of the faults, as the control API and the panel use them."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNAUTHORIZED = "unauthorized"
    REFUSED = "refused"
    HANG_BEFORE = "hang_before"
    RESET_BEFORE = "reset_before"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    SERVER_ERROR_AFTER = "server_error_after"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    STUCK_SENT = "stuck_sent"
    CALLBACK_LOST = "callback_lost"
    CALLBACK_DOUBLED = "callback_doubled"
    CALLBACK_SHUFFLED = "callback_shuffled"
    CALLBACK_EARLY = "callback_early"
    CALLBACK_LATE = "callback_late"
    CALLBACK_UNKNOWN = "callback_unknown"
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_DOUBLED = "webhook_doubled"
    WEBHOOK_UNSIGNED = "webhook_unsigned"
    WEBHOOK_WRONG_SIGNATURE = "webhook_wrong_signature"
    WEBHOOK_OLD_TOKEN = "webhook_old_token"  # noqa: S105  a name
    WEBHOOK_WITHOUT_BODY = "webhook_without_body"
    WEBHOOK_EXTRA = "webhook_extra"
    MEDIA_MISSING = "media_missing"
    MEDIA_ERROR = "media_error"


@dataclass(frozen=True, slots=True)
class Trait:
    """What a kind of fault is: where it strikes, what the panel calls it, and the defaults of its options."""

    point: Point
    label: str
    code: int = 0
    seconds: float = 0.0


TRAITS = {
    Kind.RATE_LIMITED: Trait(Point.BEFORE, "Too many requests (429), nothing is created"),
    Kind.SERVER_ERROR: Trait(Point.BEFORE, "Server error as HTML, nothing is created", code=500),
    Kind.UNAUTHORIZED: Trait(Point.BEFORE, "Credentials suddenly refused (401)"),
    Kind.REFUSED: Trait(Point.BEFORE, "Refused with an error code", code=30001),
    Kind.HANG_BEFORE: Trait(Point.BEFORE, "No answer, then the line is cut; nothing is created", seconds=60),
    Kind.RESET_BEFORE: Trait(Point.BEFORE, "Connection reset, nothing is created"),
    Kind.SLOW: Trait(Point.BEFORE, "A slow answer", seconds=5),
    Kind.HANG: Trait(Point.AFTER, "No answer, then the line is cut, after the message was created", seconds=60),
    Kind.RESET: Trait(Point.AFTER, "Connection reset after the message was created"),
    Kind.SERVER_ERROR_AFTER: Trait(Point.AFTER, "Server error as HTML after the message was created", code=500),
    Kind.UNDELIVERED: Trait(Point.DELIVERY, "Undelivered", code=30003),
    Kind.FAILED: Trait(Point.DELIVERY, "Failed", code=30008),
    Kind.STUCK_SENT: Trait(Point.DELIVERY, "“sent” for ever: no delivery receipt"),
    Kind.CALLBACK_LOST: Trait(Point.CALLBACK, "Callbacks are lost"),
    Kind.CALLBACK_DOUBLED: Trait(Point.CALLBACK, "Callbacks come twice"),
    Kind.CALLBACK_SHUFFLED: Trait(Point.CALLBACK, "Callbacks come in the wrong order"),
    Kind.CALLBACK_EARLY: Trait(Point.CALLBACK, "Callbacks come before the API's answer"),
    Kind.CALLBACK_LATE: Trait(Point.CALLBACK, "Callbacks come late", seconds=7200),
    Kind.CALLBACK_UNKNOWN: Trait(Point.CALLBACK, "Callbacks with a status and parameters nobody knows"),
    Kind.WEBHOOK_LOST: Trait(Point.INBOUND, "An incoming text's webhook never comes"),
    Kind.WEBHOOK_DOUBLED: Trait(Point.INBOUND, "An incoming text's webhook comes twice at once"),
    Kind.WEBHOOK_UNSIGNED: Trait(Point.INBOUND, "An incoming text's webhook without a signature"),
    Kind.WEBHOOK_WRONG_SIGNATURE: Trait(Point.INBOUND, "An incoming text's webhook with a wrong signature"),
    Kind.WEBHOOK_OLD_TOKEN: Trait(Point.INBOUND, "An incoming text's webhook signed with the old token"),
    Kind.WEBHOOK_WITHOUT_BODY: Trait(Point.INBOUND, "An incoming text's webhook without Body"),
    Kind.WEBHOOK_EXTRA: Trait(Point.INBOUND, "An incoming text's webhook with parameters nobody knows"),
    Kind.MEDIA_MISSING: Trait(Point.MEDIA, "A picture isn't there yet (404)"),
    Kind.MEDIA_ERROR: Trait(Point.MEDIA, "A picture's server fails", code=500),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`number` "" means every number, `times` None until it is switched off. `operation`: the API request it strikes
    (create, fetch, list, update, delete, media, lookup; "" for all), for faults of the API."""

    id: str
    kind: Kind
    number: str = ""
    times: int | None = 1
    seconds: float = 0.0
    code: int = 0
    operation: str = "create"

    @property
    def point(self) -> Point:
        return TRAITS[self.kind].point

    @property
    def label(self) -> str:
        return TRAITS[self.kind].label


class Faults:
    """The faults that lie in wait."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connection

    def add(
        self,
        kind: Kind,
        *,
        number: str = "",
        times: int | None = 1,
        seconds: float | None = None,
        code: int | None = None,
        operation: str = "create",
    ) -> Fault:
        """`seconds` and `code` default to what the kind has in TRAITS."""
        trait = TRAITS[kind]
        fault = Fault(
            id=new_sid("FA"),
            kind=kind,
            number=number,
            times=times,
            seconds=trait.seconds if seconds is None else seconds,
            code=trait.code if code is None else code,
            operation=operation,
        )
        self._connection.execute(
            "INSERT INTO fault (id, kind, number, times, seconds, code, operation) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (fault.id, fault.kind, fault.number, fault.times, fault.seconds, fault.code, fault.operation),
        )
        return fault

    def active(self) -> list[Fault]:
        """Oldest first."""
        return [_fault(row) for row in self._connection.execute("SELECT * FROM fault ORDER BY rowid")]

    def remove(self, fault_id: str) -> None:
        self._connection.execute("DELETE FROM fault WHERE id = ?", (fault_id,))

    def clear(self) -> None:
        self._connection.execute("DELETE FROM fault")

    def take(self, point: Point, *, number: str = "", operation: str = "") -> Fault | None:
        """The oldest fault waiting here for this number; one of its times is used up."""
        return next((self._use(fault) for fault in self._waiting(point, number, operation)), None)

    def take_all(self, point: Point, *, number: str) -> list[Fault]:
        """Every fault waiting here for this number: callbacks may well be late and come twice."""
        return [self._use(fault) for fault in self._waiting(point, number, "")]

    def _waiting(self, point: Point, number: str, operation: str) -> list[Fault]:
        return [
            fault
            for fault in self.active()
            if fault.point == point
            and fault.number in ("", number)
            and (not operation or fault.operation in ("", operation))
        ]

    def _use(self, fault: Fault) -> Fault:
        self._connection.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (fault.id,))
        self._connection.execute("DELETE FROM fault WHERE id = ? AND times <= 0", (fault.id,))
        return fault


def _fault(row: Any) -> Fault:
    return Fault(**{**dict(row), "kind": Kind(row["kind"])})
