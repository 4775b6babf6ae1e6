"""The sending threads of a worker process: as many loops as there is work for, up to a number.

A ring sets one more loop to look, and each loop that found something another one, so a process is at full strength
within moments. A process that nobody rings for looks by itself each second: rings come through Redis, which may be
away, and beat's may all go to another process. The threads are its own, not Celery's: a backlog keeps no other task
waiting. Each has one connection to the database.

There are a few more threads than calls at a time: while the outcome of a call is written down, another one is made.
"""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import close_old_connections
from django.utils import timezone

from messaging import claims, delivery
from messaging.claims import Claim, Held, PutOff
from messaging.due import NotYet
from messaging.sms import Outcome, SmsBackend, get_backend

logger = logging.getLogger(__name__)

KEPT_FOR_SINGLES = 2  # threads that take no text of a mass message
LONGEST_WAIT = 1.0  # seconds; the pace, or what waits for it, may have changed
LOOKS_EVERY = 1.0  # seconds; if nobody rings
SPARE = 8  # one thread more for so many calls


class Loops:
    """Those of one process. calls: so many at a time."""

    def __init__(self, calls: int) -> None:
        self._threads, self._for_mass = calls + calls // SPARE, max(1, calls - KEPT_FOR_SINGLES)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="sending")
        self._calls = threading.BoundedSemaphore(calls)
        self._lock = threading.Lock()
        self._running = self._on_mass = self._rings = 0
        self._waits_for_pace = threading.Lock()
        self._rung_at = time.monotonic()

    def ring(self) -> None:
        """Something may be due. If all threads are at work, the first that finds nothing more looks once again."""
        with self._lock:
            self._rings += 1
            self._rung_at = time.monotonic()
        self._start_another()

    def look_by_yourself(self) -> None:
        """Until the process is to end: rings when nobody else does."""
        while not delivery.wait_for_drain(LOOKS_EVERY / 2):
            if time.monotonic() - self._rung_at >= LOOKS_EVERY:
                self.ring()

    def wait(self, within: float) -> bool:
        """Until the texts in hand are finished, when the process drains. Whether they are."""
        ending = threading.Thread(target=self._pool.shutdown, daemon=True)
        ending.start()
        ending.join(within)
        return not ending.is_alive()

    def _start_another(self) -> None:
        with self._lock:
            if self._running == self._threads or delivery.is_draining():
                return
            self._running += 1
        try:
            self._pool.submit(self._run)
        except RuntimeError:  # the process ends
            self._running -= 1

    def _call_for_more(self, *, on_mass: bool) -> None:
        """Something was found: sets one more loop to look."""
        if not on_mass or self._on_mass < self._for_mass:
            self._start_another()

    def _run(self) -> None:
        """One loop, from a ring until nothing is left to do."""
        try:
            close_old_connections()
            backend, heard = get_backend(), self._rings
            while self._step(backend) or self._was_rung_since(heard):
                heard = self._rings
        except Exception as error:  # its kind alone: its words could hold a text. The next tick begins anew.
            logger.error("a sending loop broke off: %s", type(error).__name__)
        finally:
            close_old_connections()
            with self._lock:
                self._running -= 1

    def _was_rung_since(self, heard: int) -> bool:
        return self._rings != heard and not delivery.is_draining()

    def _step(self, backend: SmsBackend) -> bool:
        """Hands over the next text, if one may go. False: nothing is left to do."""
        if delivery.is_draining():
            return False
        with self._calls:
            found, outcome = self._call_next(backend)
        if isinstance(found, Claim):
            assert outcome is not None  # each call has one
            delivery.record_outcome(found, outcome, now=timezone.now())
        return self._wait_until(found.until) if isinstance(found, NotYet) else found is not None

    def _call_next(self, backend: SmsBackend) -> tuple[Claim | Held | PutOff | NotYet | None, Outcome | None]:
        """Claims the next text, and makes the call for it: what was found, and how the call ended."""
        takes_mass = self._take_place_for_mass()
        found = None
        try:
            found = claims.claim_next(timezone.now(), with_mass=takes_mass)
        finally:
            if takes_mass and not (isinstance(found, Claim) and found.is_mass):
                self._leave_place_for_mass()
        if not isinstance(found, Claim):
            return found, None
        self._call_for_more(on_mass=found.is_mass)
        try:
            return found, delivery.call(found, backend)
        finally:
            if found.is_mass:
                self._leave_place_for_mass()

    def _take_place_for_mass(self) -> bool:
        with self._lock:
            is_free = self._on_mass < self._for_mass
            self._on_mass += is_free
            return is_free

    def _leave_place_for_mass(self) -> None:
        with self._lock:
            self._on_mass -= 1

    def _wait_until(self, moment: datetime) -> bool:
        """One loop does, for all: so a text leaves at the moment of its pace, and not at beat's next tick."""
        if self._threads == 1 or not self._waits_for_pace.acquire(blocking=False):
            return False
        try:
            left = (moment - timezone.now()).total_seconds()
            delivery.wait_for_drain(min(max(left, 0.0), LONGEST_WAIT))
            return True
        finally:
            self._waits_for_pace.release()


_loops: Loops | None = None


def start(calls: int) -> None:
    """At the beginning of a worker process that makes so many calls at a time."""
    global _loops
    _loops = Loops(calls)
    threading.Thread(target=_loops.look_by_yourself, name="looking", daemon=True).start()


def ring() -> None:
    """Something may be due. Where no worker was started, one loop looks here and now."""
    if _loops is None:
        delivery.deliver_due()
    else:
        _loops.ring()


def wait(within: float) -> bool:
    """At the end of a worker process, after delivery.drain: whether the texts in hand were finished in time."""
    return _loops is None or _loops.wait(within)
