"""Carriers for the tests: they stand where the wire begins (messaging.sms.SmsBackend) and note what they are handed."""

import threading
import uuid
from collections.abc import Callable

from messaging.sms import Accepted, OutboundText, Outcome


class Carrier:
    """Answers as told, one after the other; then takes everything."""

    def __init__(
        self, *answers: Outcome | Exception, during_call: Callable[[OutboundText], None] | None = None
    ) -> None:
        self.taken: list[OutboundText] = []
        self._answers = list(answers)
        self._during_call = during_call
        self._lock = threading.Lock()

    def send(self, text: OutboundText) -> Outcome:
        with self._lock:
            self.taken.append(text)
            answer = self._answers.pop(0) if self._answers else Accepted(f"SM{uuid.uuid4().hex}")
        if self._during_call is not None:
            self._during_call(text)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[str]:
        return [text.body for text in self.taken]


class CarrierOfTheSettings(Carrier):
    """For settings.SMS_BACKEND, which names a class."""
