"""What is still to happen, by time: statuses to reach, callbacks to post. Kept in the state file over restarts."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = """
CREATE TABLE due (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX due_at ON due (at, id);
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something due. Its handler calls `Agenda.done` in the transaction that makes its effect durable."""

    id: int
    at: float
    kind: str
    details: dict[str, Any]


Handler = Callable[[Entry], Awaitable[None]]


class Agenda:
    """Runs each entry once when its time has come. Entries don't wait for each other."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._connection = database.connection
        self._clock = clock
        self._handlers: dict[str, Handler] = {}
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def handle(self, kind: str, handler: Handler) -> None:
        self._handlers[kind] = handler

    def add(self, at: float, kind: str, details: dict[str, Any]) -> None:
        self._connection.execute(
            "INSERT INTO due (at, kind, details) VALUES (?, ?, ?)", (at, kind, json.dumps(details))
        )
        self.wake()

    def done(self, entry: Entry) -> None:
        self._connection.execute("DELETE FROM due WHERE id = ?", (entry.id,))

    def wake(self) -> None:
        """Look again: something was added, or the clock was moved."""
        self._changed.set()

    def pending(self) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM due").fetchone()
        return int(count)

    async def run(self) -> None:
        """Work for ever; cancel the task to stop."""
        while True:
            self._changed.clear()
            now = self._clock.now()
            for entry in self._due(now):
                self._start(entry)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._until_next(now))

    async def stop(self) -> None:
        """Abandon what is under way; its entries stay and run again after a restart."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _due(self, now: float) -> list[Entry]:
        rows = self._connection.execute("SELECT * FROM due WHERE at <= ? ORDER BY at, id", (now,)).fetchall()
        return [
            Entry(row["id"], row["at"], row["kind"], json.loads(row["details"]))
            for row in rows
            if row["id"] not in self._under_way
        ]

    def _until_next(self, now: float) -> float | None:
        """Seconds until the next entry after `now`, the moment up to which all were started; None if there is none."""
        (at,) = self._connection.execute("SELECT min(at) FROM due WHERE at > ?", (now,)).fetchone()
        return None if at is None else min(max(at - self._clock.now(), 0.0), 3600.0)

    def _start(self, entry: Entry) -> None:
        task = asyncio.create_task(self._perform(entry))
        self._under_way[entry.id] = task
        task.add_done_callback(lambda _: self._under_way.pop(entry.id, None))

    async def _perform(self, entry: Entry) -> None:
        try:
            await self._handlers[entry.kind](entry)
        except Exception:
            logger.exception("the pocket phones could not do what was due: %s", entry.kind)
            self.done(entry)
