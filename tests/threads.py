"""Things that happen at the same moment, for tests that commit (`django_db(transaction=True)`).

Each thread has its own database connection, and closes it.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")

# How often a race is run; more often by hand, when something about locks was changed.
ROUNDS = int(os.environ.get("CLIENTCOMM_RACE_ROUNDS", "30"))
PATIENCE = 30.0  # seconds; what takes longer hangs, even on a busy machine


def at_once(function: Callable[[], T], *, times: int) -> list[T]:
    """What each of the calls returned; they begin together. Raises what the first one raised, if any."""
    start = Barrier(times)

    def run() -> T:
        start.wait(PATIENCE)
        return _with_own_connection(function)

    with ThreadPoolExecutor(times) as pool:
        running = [pool.submit(run) for _ in range(times)]
        return [future.result(PATIENCE) for future in running]


@contextmanager
def in_background() -> Iterator[Callable[[Callable[[], T]], "Future[T]"]]:
    """Starts functions that run while the test goes on. Leave it only after what they wait for is settled."""
    with ThreadPoolExecutor(8) as pool:
        yield lambda function: pool.submit(_with_own_connection, function)


def _with_own_connection(function: Callable[[], T]) -> T:
    try:
        return function()
    finally:
        connections.close_all()


def wait_until(condition: Callable[[], bool]) -> None:
    """Looks every few milliseconds; fails if it doesn't come true."""
    give_up_at = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.005)


def waiting_for_locks() -> int:
    """How many other connections to this PostgreSQL database wait for a row or table that somebody else has locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def wait_for_locks(count: int) -> None:
    """Until so many connections wait for locks."""
    wait_until(lambda: waiting_for_locks() == count)
