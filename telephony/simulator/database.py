"""The state file: one SQLite database that outlives the process.

Each store in `carrier` states its own tables as `SCHEMA`. The file holds nothing that anyone would miss, so when the
tables' definition changes it is simply begun anew.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class Database:
    """A connection in autocommit mode; `transaction()` groups writes that belong together."""

    def __init__(self, path: Path, schemas: Sequence[str]) -> None:
        if str(path) != ":memory:":
            path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self._prepare(schemas)

    def _prepare(self, schemas: Sequence[str]) -> None:
        script = "\n".join(schemas)
        version = int.from_bytes(hashlib.sha256(script.encode()).digest()[:3], "big") + 1
        (found,) = self.connection.execute("PRAGMA user_version").fetchone()
        if found == version:
            return
        for name in self._tables():
            self.connection.execute(f'DROP TABLE "{name}"')
        self.connection.executescript(script)
        self.connection.execute(f"PRAGMA user_version = {version}")

    def _tables(self) -> list[str]:
        rows = self.connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return [name for (name,) in rows.fetchall()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Must not span an `await`: the connection is shared by everything in the process."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def empty(self) -> None:
        """Forget everything, as at the first start."""
        with self.transaction():
            for name in self._tables():
                self.connection.execute(f'DELETE FROM "{name}"')  # noqa: S608  names come from the schema itself

    def close(self) -> None:
        self.connection.close()
