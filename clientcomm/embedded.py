"""The embedded default: worker and beat as threads of the web process, on a broker in its memory.

Same tasks, same schedule, same code as in production. What the broker holds dies with the process, and may: a ring only
says "look", the work is in the database, and beat looks each second. clientcomm/gunicorn_embedded.py starts this.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import beat

from clientcomm.celery import app
from messaging import delivery, loops

logger = logging.getLogger(__name__)

TASK_THREADS = 4  # as in the Procfile; texts are handed over by threads of their own
BEAT_STOPS_WITHIN = 2.0  # its longest sleep is a second
WORKER_STOPS_WITHIN = 25.0  # a call to the carrier ends after 20 seconds at the latest; gunicorn waits for 30


class Background:
    """The worker and the beat of one process."""

    def __init__(self) -> None:
        # Unlike app.Worker, this one leaves the process's signals alone: they are gunicorn's.
        self._worker = app.WorkController(
            app=app,
            pool="threads",
            concurrency=TASK_THREADS,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._beat = beat.Service(app, scheduler_cls=beat.Scheduler)
        self._worker_thread = self._thread("worker", self._worker.start)
        self._beat_thread = self._thread("beat", self._beat.start)
        self._stopping = threading.Event()

    def _thread(self, name: str, run: Callable[[], object]) -> threading.Thread:
        return threading.Thread(name=name, target=self._run, args=(name, run), daemon=True)

    def _run(self, name: str, run: Callable[[], object]) -> None:
        try:
            run()
        except Exception:
            logger.exception("the embedded %s failed", name)
        if not self._stopping.is_set():
            # Pages without anybody who sends what they take would look healthy: begin again as a whole.
            logger.critical("the embedded %s ended by itself: restarting the process", name)
            os.kill(os.getpid(), signal.SIGTERM)

    def start(self) -> None:
        self._worker_thread.start()
        self._beat_thread.start()

    def begin_to_stop(self) -> None:
        """Returns at once: nothing new is claimed from now on. The text in hand is finished in the background."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        delivery.drain()
        self._beat.stop()
        threading.Thread(name="worker-stop", target=self._worker.stop, daemon=True).start()

    def wait(self) -> None:
        """Until the text in hand is finished."""
        self._beat_thread.join(BEAT_STOPS_WITHIN)
        give_up_at = time.monotonic() + WORKER_STOPS_WITHIN
        self._worker_thread.join(WORKER_STOPS_WITHIN)
        handed_over = loops.wait(max(0.0, give_up_at - time.monotonic()))
        if self._worker_thread.is_alive() or not handed_over:
            logger.warning("a task did not end within %s seconds", WORKER_STOPS_WITHIN)


_background: Background | None = None


def start(worker: Any) -> None:
    """For gunicorn's post_worker_init: starts worker and beat, and lets them hear at once when the process must end.

    gunicorn's own exit hook comes only after open connections were waited for, which may take as long as it allows.
    """
    global _background
    app.conf.worker_enable_remote_control = False  # nobody else can reach this broker
    _background = Background()
    _background.start()
    for number, handler in (
        (signal.SIGTERM, worker.handle_exit_signal),
        (signal.SIGINT, worker.handle_quit_signal),
        (signal.SIGQUIT, worker.handle_quit_signal),
    ):
        worker.loop.add_signal_handler(number, _stop_then, _background, handler)


def _stop_then(background: Background, handler: Callable[[], None]) -> None:
    background.begin_to_stop()
    handler()


def stop() -> None:
    """For gunicorn's worker_exit: returns when the text in hand is finished."""
    if _background is not None:
        _background.begin_to_stop()
        _background.wait()
