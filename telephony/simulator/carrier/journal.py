"""The log of everything that happened on the wire, for people and for tests (12.36).

Four kinds of entry: `arrived`, something reached a phone; `posted`, a webhook or callback went to the product; `asked`,
the product called the API; `alert`, an error that Twilio would show in its debugger (12200, 14107 ...). A test that
wants "exactly one message reached the phone" counts `arrived`.
"""

import json
from typing import Any, Literal

from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX journal_number ON journal (number, id);
"""

OF_ALL = "SELECT * FROM journal WHERE id > :after AND :kind IN ('', kind) ORDER BY id LIMIT :limit"
OF_ONE_NUMBER = """
    SELECT * FROM journal WHERE number = :number AND id > :after AND :kind IN ('', kind) ORDER BY id LIMIT :limit
"""

Kind = Literal["arrived", "posted", "asked", "alert"]


class Journal:
    """Append only, until a reset."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._connection = database.connection
        self._clock = clock

    def add(self, kind: Kind, *, number: str, **details: Any) -> None:
        """`number`: the phone that it is about ("" when about none)."""
        self._connection.execute(
            "INSERT INTO journal (at, kind, number, details) VALUES (?, ?, ?, ?)",
            (self._clock.now(), kind, number, json.dumps(details)),
        )

    def entries(self, *, after: int = 0, kind: str = "", number: str = "", limit: int = 1000) -> list[dict[str, Any]]:
        """At most `limit`, oldest first; `after` is the id of the last entry already seen."""
        rows = self._connection.execute(
            OF_ONE_NUMBER if number else OF_ALL, {"after": after, "kind": kind, "number": number, "limit": limit}
        )
        return [_entry(row) for row in rows]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The last ones, newest first."""
        return [
            _entry(row) for row in self._connection.execute("SELECT * FROM journal ORDER BY id DESC LIMIT ?", (limit,))
        ]


def _entry(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "at": row["at"],
        "kind": row["kind"],
        "number": row["number"],
        **json.loads(row["details"]),
    }
