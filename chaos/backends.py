"""What the watched workers have in place of telephony's backend: the same, with a pen; or nothing but the pen.

The pen writes when a call begins and when it has ended, into a file of the process's own. What was written stays
written when the process is killed, so the file says afterwards which calls were cut off.
"""

import os
import random
import time
from pathlib import Path
from uuid import UUID

from messaging.sms import Accepted, OutboundText, Outcome
from telephony.backends import TwilioBackend


class Pen:
    """One line a fact: "+ public-id nanoseconds" or "- public-id nanoseconds". Threads share it: a write is whole."""

    def __init__(self) -> None:
        path = Path(os.environ["CHAOS_CALLS"]) / os.environ["CHAOS_PROCESS"]
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def begins(self, public_id: UUID) -> None:
        self._write("+", public_id)

    def ended(self, public_id: UUID) -> None:
        self._write("-", public_id)

    def _write(self, sign: str, public_id: UUID) -> None:
        os.write(self._file, f"{sign} {public_id} {time.monotonic_ns()}\n".encode())


class WatchedTwilio(TwilioBackend):
    """The product's own backend; each call is noted."""

    def __init__(self) -> None:
        super().__init__()
        self._pen = Pen()

    def send(self, text: OutboundText) -> Outcome:
        self._pen.begins(text.public_id)
        try:
            return super().send(text)
        finally:
            self._pen.ended(text.public_id)


class Recording:
    """Takes everything at once, or within CHAOS_CALL_SECONDS at random: the claims are measured, not a carrier."""

    def __init__(self) -> None:
        self._pen = Pen()
        self._seconds = float(os.environ.get("CHAOS_CALL_SECONDS", "0"))

    def send(self, text: OutboundText) -> Outcome:
        self._pen.begins(text.public_id)
        if self._seconds:
            time.sleep(random.uniform(0, self._seconds))  # noqa: S311  # spreads calls, guards nothing
        self._pen.ended(text.public_id)
        return Accepted(f"SM{text.public_id.hex}")
