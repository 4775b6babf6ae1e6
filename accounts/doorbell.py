"""Rings for a background task by name: "look, something may be due". The work itself is a row in the database.

A ring may be lost: beat looks once a second anyway. So ringing never blocks, never raises, and never waits for Redis:
a daemon thread publishes, with short time-outs, and rests for a while after a failure.
"""

import logging
import os
import threading
import time

from celery import current_app
from django.db import transaction
from kombu import Connection

logger = logging.getLogger(__name__)

MERGE_SECONDS = 0.1  # rings for the same task within this time become one
PAUSE_SECONDS = 5.0  # after a failure: beat's tick carries the work meanwhile
TIMEOUT_SECONDS = 0.3


class Doorbell:
    """The rings of one process. Tests make their own; everybody else calls ring()."""

    def __init__(self) -> None:
        self.failures = 0
        self._pending: set[str] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process_id = 0

    def ring(self, task_name: str) -> None:
        with self._wake:
            self._pending.add(task_name)
            if self._thread is None or self._process_id != os.getpid():  # gunicorn forks after import
                self._process_id = os.getpid()
                self._thread = threading.Thread(target=self._publish_forever, name="doorbell", daemon=True)
                self._thread.start()
            self._wake.notify()

    def _publish_forever(self) -> None:
        connection: Connection | None = None
        while True:
            with self._wake:
                while not self._pending:
                    self._wake.wait()
                names, self._pending = self._pending, set()
            try:
                connection = connection or _connection()
                for name in sorted(names):
                    current_app.send_task(name, connection=connection, retry=False, ignore_result=True, expires=10)
            except Exception:
                self.failures += 1
                logger.warning("doorbell: the broker does not answer; beat's tick carries on", exc_info=False)
                _close(connection)
                connection = None
                time.sleep(PAUSE_SECONDS)
            else:
                time.sleep(MERGE_SECONDS)


def _connection() -> Connection:
    """A connection of the doorbell's own: the application's pool waits for minutes when Redis is frozen."""
    url = current_app.conf.broker_url
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS, "max_retries": 0}
    options = {**current_app.conf.broker_transport_options, **({} if url.startswith("memory:") else timeouts)}
    return Connection(url, transport_options=options, connect_timeout=TIMEOUT_SECONDS)


def _close(connection: Connection | None) -> None:
    try:
        if connection is not None:
            connection.release()
    except Exception:
        logger.debug("doorbell: closing the broken connection failed too")


the_doorbell = Doorbell()


def ring(task_name: str) -> None:
    """Rings once the current transaction is committed (at once outside of one)."""

    def ring_now() -> None:  # no partial: Django asks a robust function that failed for its name
        the_doorbell.ring(task_name)

    transaction.on_commit(ring_now, robust=True)
