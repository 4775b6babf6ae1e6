"""Statements that every text pays for: written by hand, and planned once.

To build them by the ORM, and then to plan them, takes longer than to run them. So each connection to PostgreSQL
prepares a statement when it first needs it, and keeps the plan; SQLite runs it as it stands. A pooler in front of
PostgreSQL must leave a connection to its process (session mode).
"""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connection

Value = str | int | datetime | UUID
Row = tuple[Any, ...]

_prepared: MutableMapping[object, set[str]] = WeakKeyDictionary()  # by connection, whichever thread has it


class Statement:
    """sql names its values as %(this)s; each is given here with its type in PostgreSQL. Nothing else may hold a %.

    lock: how PostgreSQL locks the rows that are found. SQLite has no row locks and needs none (docs/adr/0004).
    """

    def __init__(self, name: str, sql: str, /, *, lock: str = "", **types: str) -> None:
        self.values = tuple(types)
        self._name, self._sql = name, sql
        self._call = f"EXECUTE {name} ({', '.join(f'%({value})s' for value in types)})"
        numbered = sql % {value: f"${number}" for number, value in enumerate(types, 1)}
        self._preparation = f"PREPARE {name} ({', '.join(types.values())}) AS {numbered} {lock}"

    def run(self, **values: Value) -> None:
        """For a statement without an answer."""
        with connection.cursor() as cursor:
            cursor.execute(self._ready(), _adapted(values))

    def first(self, **values: Value) -> Row | None:
        """The first row of the answer, if there is one."""
        with connection.cursor() as cursor:
            cursor.execute(self._ready(), _adapted(values))
            row: Row | None = cursor.fetchone()
            return row

    def all(self, **values: Value) -> list[Row]:
        """Every row of the answer."""
        with connection.cursor() as cursor:
            cursor.execute(self._ready(), _adapted(values))
            rows: list[Row] = cursor.fetchall()
            return rows

    def _ready(self) -> str:
        """What to execute on this connection."""
        if connection.vendor != "postgresql":
            return self._sql
        known = _prepared.setdefault(connection.connection, set())
        if self._name not in known:
            with connection.wrap_database_errors, connection.connection.cursor() as cursor:
                cursor.execute(self._preparation)
            known.add(self._name)
        return self._call


def _adapted(values: dict[str, Value]) -> dict[str, Value]:
    """PostgreSQL's driver knows all of these; SQLite's knows no zones and no UUIDs."""
    if connection.vendor == "postgresql":
        return values
    return {name: _for_sqlite(value) for name, value in values.items()}


def _for_sqlite(value: Value) -> Value:
    if isinstance(value, datetime):
        return str(connection.ops.adapt_datetimefield_value(value))
    return value.hex if isinstance(value, UUID) else value
