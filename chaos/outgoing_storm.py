"""Kills the workers evenly over a run, most often while one has a call to the carrier in hand."""

import random
import signal
import sys
import time
from dataclasses import dataclass

from chaos import calls
from chaos.outgoing_plan import CALL_SECONDS, Planned, type_in
from chaos.product import Product
from messaging.models import Message

AIMED = 0.8  # of the kills: at a worker that has a call in hand; the others come at any moment
AHEAD = 12  # texts that wait: enough for a call to be in hand at any time
NUDGED_EVERY = 5.0  # seconds without a text taken up, after which one more is typed: those that wait may be held up
AIM_WITHIN = 20.0


@dataclass
class Storm:
    """Types the texts in, a few ahead of the workers, and kills the workers evenly over the whole of it."""

    product: Product
    texts: list[Planned]
    number: signal.Signals
    chance: random.Random
    typed: int = 0
    kills: int = 0
    with_a_call: int = 0
    _taken_before: int = -1
    _moved_at: float = 0.0
    _nudges: int = 0

    def rage(self, kills: int) -> None:
        for serial in range(kills):
            self._work_until(round((serial + 1) * len(self.texts) / (kills + 1)))
            self._kill(self._victim())
            if serial % 20 == 19:
                sys.stderr.write(f"  {self.kills} kills, {self.with_a_call} with a call in hand, {self.typed} typed\n")
        while self.typed < len(self.texts):
            self._type_in()

    def _work_until(self, wanted: int) -> None:
        """Until so many texts were taken up; or nothing more can be done without the sweep, which takes a minute."""
        while (taken := self._taken()) < wanted:
            stalled = self._stalled(taken)
            all_typed = self.typed == len(self.texts)
            if all_typed and stalled > AIM_WITHIN:
                return
            if not all_typed and self.typed - taken < AHEAD:
                self._type_in()
            elif not all_typed and stalled > NUDGED_EVERY * (self._nudges + 1):
                self._nudges += 1
                self._type_in()
            else:
                time.sleep(0.02)

    def _stalled(self, taken: int) -> float:
        """Seconds since a text was last taken up."""
        now = time.monotonic()
        if taken != self._taken_before:
            self._taken_before, self._moved_at, self._nudges = taken, now, 0
        return now - self._moved_at

    def _victim(self) -> int:
        if self.chance.random() < AIMED:
            deadline = time.monotonic() + AIM_WITHIN
            while time.monotonic() < deadline:
                if (place := self.product.worker_in_a_call()) is not None:
                    time.sleep(self.chance.uniform(0, CALL_SECONDS))
                    return place
                if self._taken() + AHEAD / 2 > self.typed and self.typed < len(self.texts):
                    self._type_in()
                time.sleep(0.004)
        return self.chance.randrange(len(self.product.workers))

    def _kill(self, place: int) -> None:
        worker = self.product.workers[place]
        had = calls.open_calls(self.product.ground.calls, worker.serial)
        self.product.replace_worker(place, self.number)
        if self.number is signal.SIGKILL:  # what it had in hand when it died
            had = calls.open_calls(self.product.ground.calls, worker.serial)
        self.kills += 1
        self.with_a_call += had > 0

    def _type_in(self) -> None:
        type_in(self.texts[self.typed])
        self.typed += 1

    def _taken(self) -> int:
        return self.typed - Message.objects.filter(state=Message.State.WAITING).count()
