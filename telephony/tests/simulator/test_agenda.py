"""The agenda: nothing due is missed, nothing runs twice, nothing is lost over a restart."""

import asyncio
import time
from pathlib import Path

import pytest

from telephony.simulator.carrier import agenda
from telephony.simulator.carrier.agenda import Agenda, Entry
from telephony.simulator.clock import Clock
from telephony.simulator.database import Database


class SteppingClock(Clock):
    """Moves on by 10 ms whenever somebody looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self._time = time.time()

    def now(self) -> float:
        self._time += 0.01
        return self._time


def open_agenda(path: Path, clock: Clock) -> tuple[Database, Agenda, list[str]]:
    database = Database(path, [agenda.SCHEMA])
    plans = Agenda(database, clock)
    ran: list[str] = []

    async def note(entry: Entry) -> None:
        ran.append(entry.details["name"])
        plans.done(entry)

    plans.handle("note", note)
    return database, plans, ran


async def work(plans: Agenda, seconds: float) -> None:
    task = asyncio.create_task(plans.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await plans.stop()


def test_entry_that_falls_due_while_the_agenda_looks_is_not_missed(tmp_path: Path) -> None:
    clock = SteppingClock()
    database, plans, ran = open_agenda(tmp_path / "state.sqlite3", clock)
    plans.add(clock.now() + 0.015, "note", {"name": "in between"})
    asyncio.run(work(plans, 0.1))
    database.close()
    assert ran == ["in between"]


def test_entries_run_in_the_order_of_their_times(tmp_path: Path) -> None:
    database, plans, ran = open_agenda(tmp_path / "state.sqlite3", Clock())
    now = time.time()
    for name, after in (("third", 0.04), ("first", 0.0), ("second", 0.02)):
        plans.add(now + after, "note", {"name": name})
    asyncio.run(work(plans, 0.15))
    database.close()
    assert ran == ["first", "second", "third"]


def test_entry_survives_a_restart_until_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    database, plans, _ = open_agenda(path, Clock())

    async def die_on_the_way(entry: Entry) -> None:
        await asyncio.sleep(60)

    plans.handle("note", die_on_the_way)
    plans.add(time.time(), "note", {"name": "kept"})
    asyncio.run(work(plans, 0.05))
    database.close()
    database, plans, ran = open_agenda(path, Clock())
    asyncio.run(work(plans, 0.05))
    assert ran == ["kept"]
    assert plans.pending() == 0
    database.close()


def test_entry_that_fails_is_dropped_and_said_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database, plans, ran = open_agenda(tmp_path / "state.sqlite3", Clock())

    async def fail(entry: Entry) -> None:
        raise ValueError("broken")

    plans.handle("bad", fail)
    plans.add(time.time(), "bad", {})
    plans.add(time.time(), "note", {"name": "goes on"})
    asyncio.run(work(plans, 0.05))
    assert (ran, plans.pending()) == (["goes on"], 0)
    assert "what was due: bad" in caplog.text
    database.close()


def test_state_file_of_other_tables_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    old = Database(path, ["CREATE TABLE due (something TEXT);", "CREATE TABLE gone (id INTEGER);"])
    old.close()
    database, plans, _ = open_agenda(path, Clock())
    assert plans.pending() == 0
    database.close()


def test_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    database, plans, _ = open_agenda(tmp_path / "state.sqlite3", Clock())

    def break_off_half_way() -> None:
        with database.transaction():
            plans.add(time.time(), "note", {"name": "x"})
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        break_off_half_way()
    assert plans.pending() == 0
    database.close()
