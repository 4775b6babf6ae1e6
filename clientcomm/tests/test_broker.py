"""Celery comes back to Redis quickly, and never waits for ever for one that says nothing."""

from itertools import pairwise

import pytest
from kombu.exceptions import OperationalError

from clientcomm.broker import REDIS_OPTIONS
from clientcomm.celery import app


def test_attempts_to_reconnect_stay_close_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    waits: list[float] = []
    connection = app.connection_for_read(url="redis://127.0.0.1:1/0")
    with pytest.raises(OperationalError):
        connection.ensure_connection(errback=lambda _, wait: waits.append(wait), max_retries=12)
    assert len(waits) == 12
    assert max(waits) <= 2
    assert all(first <= second for first, second in pairwise(waits))


def test_the_worker_never_gives_up() -> None:
    assert app.conf.broker_connection_max_retries is None


def test_a_redis_that_vanished_is_noticed() -> None:
    assert {"socket_timeout", "socket_connect_timeout", "health_check_interval"} <= REDIS_OPTIONS.keys()
