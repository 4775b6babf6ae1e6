"""Status callbacks: what is posted to a message's StatusCallback, when, and what may go wrong with it (section 2).

There is none for the initial status. A message keeps the callback faults that were on when it was created as its
`quirks`: a JSON object from the fault's name to its seconds.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from telephony.simulator.carrier.agenda import Agenda, Entry
from telephony.simulator.carrier.faults import Fault, Kind
from telephony.simulator.carrier.messages import FINAL, Message, Status
from telephony.simulator.carrier.settings import Settings
from telephony.simulator.carrier.signatures import Parameters
from telephony.simulator.carrier.webhooks import Delivery, Webhooks
from telephony.simulator.clock import Clock
from telephony.simulator.config import PhonesConfig

# Added to what comes too late to be in order, beyond the time that the later status takes itself.
OVERTAKING = 0.3
UNKNOWN_STATUS = "pondering"
UNKNOWN_PARAMETERS = [("CarrierMood", "thoughtful"), ("ÜberParameter", "ja")]


def quirks_of(faults: Iterable[Fault]) -> str:
    return json.dumps({fault.kind: fault.seconds for fault in faults})


def has_quirk(message: Message, kind: Kind) -> bool:
    return kind in json.loads(message.quirks)


class Callbacks:
    """Plans the callbacks of each status reached and posts them when they are due."""

    def __init__(
        self, *, config: PhonesConfig, agenda: Agenda, clock: Clock, settings: Settings, webhooks: Webhooks
    ) -> None:
        self._account_sid = config.account_sid
        self._agenda = agenda
        self._clock = clock
        self._settings = settings
        self._webhooks = webhooks
        self._awaited: dict[str, asyncio.Event] = {}
        agenda.handle("callback", self._post)

    def announce(self, message: Message) -> None:
        """The message has just reached its present status: plan what tells the product."""
        quirks: dict[str, float] = json.loads(message.quirks)
        if not message.status_callback or Kind.CALLBACK_LOST in quirks:
            return
        delay = quirks.get(Kind.CALLBACK_LATE, 0.0)
        if Kind.CALLBACK_SHUFFLED in quirks and message.status not in FINAL:
            timing = self._settings.timing
            delay += timing.delivered - timing.sent + OVERTAKING
        parameters = self.parameters(message)
        for _ in range(2 if Kind.CALLBACK_DOUBLED in quirks else 1):
            self._plan(message, parameters, delay)
        if Kind.CALLBACK_UNKNOWN in quirks:
            self._plan(message, _unknown(parameters), delay)

    def _plan(self, message: Message, parameters: Parameters, delay: float) -> None:
        details = {
            "sid": message.sid,
            "number": message.recipient,
            "url": message.status_callback,
            "parameters": parameters,
        }
        self._agenda.add(self._clock.now() + delay, "callback", details)

    def parameters(self, message: Message) -> Parameters:
        """The form of section 2, "Callback parameters"."""
        found = [
            ("SmsSid", message.sid),
            ("SmsStatus", message.status),
            ("MessageStatus", message.status),
            ("To", message.recipient),
            ("MessageSid", message.sid),
            ("AccountSid", self._account_sid),
            ("From", message.sender or ""),
            ("ApiVersion", "2010-04-01"),
        ]
        if message.service_sid:
            found.append(("MessagingServiceSid", message.service_sid))
        if message.status in (Status.DELIVERED, Status.UNDELIVERED):
            found.append(("RawDlrDoneDate", datetime.fromtimestamp(self._clock.now(), UTC).strftime("%y%m%d%H%M")))
        if message.error_code is not None:
            found.append(("ErrorCode", str(message.error_code)))
        return found

    async def first(self, sid: str, *, timeout: float) -> None:
        """Wait until a callback of this message was posted (12.16), or the time is over."""
        event = self._awaited.setdefault(sid, asyncio.Event())
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._awaited.pop(sid, None)

    async def _post(self, entry: Entry) -> None:
        details = entry.details
        await self._webhooks.post(
            Delivery(
                url=details["url"],
                parameters=[(name, value) for name, value in details["parameters"]],
                purpose="status",
                number=details["number"],
                message_sid=details["sid"],
            )
        )
        self._agenda.done(entry)
        if event := self._awaited.get(details["sid"]):
            event.set()


def _unknown(parameters: Parameters) -> Parameters:
    """The same with a status that nobody has heard of (12.20)."""
    changed = [
        (name, UNKNOWN_STATUS if name in ("SmsStatus", "MessageStatus") else value) for name, value in parameters
    ]
    return changed + UNKNOWN_PARAMETERS
