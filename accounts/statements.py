"""Statements that every text and every page pay for: by hand, or built once by the ORM; and planned once.

To build them by the ORM each time, and then to plan them, takes longer than to run them. So each connection to
PostgreSQL prepares a statement when it first needs it, and keeps the plan for a minute; SQLite runs it as it stands. A
pooler in front of PostgreSQL must leave a connection to its process (session mode).
"""

import functools
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from psycopg2.extensions import AsIs

Value = str | int | datetime | UUID
Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)

PLANS_LAST = 60.0  # seconds; one made while a table was nearly empty reads all of it when it is full


@dataclass
class _Plans:
    """Of one connection: the statements it has prepared, and since when it keeps their plans."""

    names: set[str] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)


_plans: MutableMapping[object, _Plans] = WeakKeyDictionary()  # by connection, whichever thread has it


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

    def run(self, **values: Value) -> int:
        """For a statement without an answer. Returns how many rows it changed or locked."""
        with connection.cursor() as cursor:
            cursor.execute(self._ready(), _adapted(values))
            return int(cursor.rowcount)

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
        plans = _plans.setdefault(connection.connection, _Plans())
        if self._name not in plans.names:
            _tell_postgresql(self._preparation)
            plans.names.add(self._name)
        elif time.monotonic() - plans.since > PLANS_LAST:
            _tell_postgresql("DISCARD PLANS")
            plans.since = time.monotonic()
        return self._call


def _tell_postgresql(command: str) -> None:
    """What a page's count of queries leaves out: it happens now and then."""
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(command)


def _adapted(values: dict[str, Value]) -> dict[str, Value]:
    """PostgreSQL's driver knows all of these; SQLite's knows no zones and no UUIDs."""
    if connection.vendor == "postgresql":
        return values
    return {name: _for_sqlite(value) for name, value in values.items()}


def _for_sqlite(value: Value) -> Value:
    if isinstance(value, datetime):
        return str(connection.ops.adapt_datetimefield_value(value))
    return value.hex if isinstance(value, UUID) else value


class PlannedQuery(Generic[M]):
    """A query of the ORM that every page asks: built and compiled once a process, planned once a connection.

    build: makes it from the values, which are named and typed as in Statement; only they may differ from one time to
    the next, and none is ever None. On SQLite the ORM builds it each time.
    """

    def __init__(self, name: str, build: Callable[..., QuerySet[M]], /, **types: str) -> None:
        self._name, self._build, self._types = name, build, types

    def all(self, **values: Value) -> list[M]:
        """The objects found, as the ORM makes them."""
        if connection.vendor != "postgresql":
            return list(self._build(**values))
        statement, made = self._compiled
        return [made(row) for row in statement.all(**values)]

    def first(self, **values: Value) -> M | None:
        """The first of them, in whatever order build gives."""
        found = self.all(**values)
        return found[0] if found else None

    @functools.cached_property
    def _compiled(self) -> tuple[Statement, Callable[[Row], M]]:
        """By samples in the place of the values: where PostgreSQL is to be given one of them, the value goes."""
        samples = {name: _SAMPLES[kind](number) for number, (name, kind) in enumerate(self._types.items(), 1)}
        compiler = self._build(**samples).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        names = {sample: AsIs(f"%({name})s") for name, sample in samples.items()}
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            named = cursor.mogrify(sql, [names.get(param, param) for param in params]).decode()
        return Statement(self._name, named, **self._types), _maker(compiler)


_SAMPLES: dict[str, Callable[[int], Value]] = {  # values that no query names itself
    "bigint": lambda number: 2**62 + number,
    "timestamptz": lambda number: datetime(1, 2, 3, microsecond=number, tzinfo=UTC),
}


def _maker(compiler: Any) -> Callable[[Row], Any]:
    """What ModelIterable does with a row. Only for columns that the driver gives as they are."""
    select, info, annotations = compiler.select, compiler.klass_info, compiler.annotation_col_map or {}
    assert not compiler.get_converters([column for column, _sql, _alias in select])
    begin, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column.target.attname for column, _sql, _alias in select[begin:end]]
    model, populators = info["model"], get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # new stubs

    def made(row: Row) -> Any:
        found = model.from_db(DEFAULT_DB_ALIAS, names, row[begin:end])
        for populator in populators:
            populator.populate(row, found)
        for name, position in annotations.items():
            setattr(found, name, row[position])
        return found

    return made
