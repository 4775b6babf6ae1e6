"""The life of an outbound message (section 2): accepted, its turn in the queue, sent, and how it ends."""

from dataclasses import asdict, dataclass, field

from telephony.simulator.carrier.addresses import Ending, ending_of, is_toll_free
from telephony.simulator.carrier.agenda import Agenda, Entry
from telephony.simulator.carrier.callbacks import Callbacks, has_quirk, quirks_of
from telephony.simulator.carrier.faults import Faults, Kind, Point
from telephony.simulator.carrier.itinerary import End, Fate, Step, itinerary
from telephony.simulator.carrier.media import MediaStore
from telephony.simulator.carrier.media_fetch import MediaFetch
from telephony.simulator.carrier.messages import WAITING, Direction, Message, Messages, Status, price_of
from telephony.simulator.carrier.optouts import OptOuts
from telephony.simulator.carrier.phones import Phones
from telephony.simulator.carrier.segments import count_segments
from telephony.simulator.carrier.sender_queues import SenderQueues
from telephony.simulator.carrier.settings import Settings, Timing
from telephony.simulator.carrier.sids import new_sid
from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

# Seconds a message may wait in the queue unless it says otherwise (section 1, ValidityPeriod).
DEFAULT_VALIDITY = 36_000

EXPIRED, OPTED_OUT, TOLL_FREE_BLOCKED, PHONE_OFF, UNKNOWN_REASON = 30036, 21610, 30004, 30003, 30008


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that passed the rules. `sender` None: the service is to choose. `send_at` None: it goes at once."""

    direction: Direction
    sender: str | None
    recipient: str
    body: str
    service_sid: str | None = None
    media_urls: list[str] = field(default_factory=list)
    as_mms: bool = False
    status_callback: str = ""
    validity: float = DEFAULT_VALIDITY
    send_at: float | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class Deliveries:
    """Takes drafts and carries them through, step by step, on the agenda."""

    database: Database
    clock: Clock
    settings: Settings
    agenda: Agenda
    messages: Messages
    media: MediaStore
    media_fetch: MediaFetch
    phones: Phones
    opt_outs: OptOuts
    queues: SenderQueues
    faults: Faults
    callbacks: Callbacks

    def __post_init__(self) -> None:
        self.agenda.handle("choose_sender", self._choose_sender)
        self.agenda.handle("leave", self._leave)
        self.agenda.handle("step", self._step)

    def accept(self, draft: Draft) -> Message:
        """Create the message in its initial status, which has no callback, and plan the rest."""
        with self.database.transaction():
            quirks = quirks_of(self.faults.take_all(Point.CALLBACK, number=draft.recipient))
            message = self.messages.add(
                Message(
                    sid=new_sid("MM" if draft.media_urls or draft.as_mms else "SM"),
                    direction=draft.direction,
                    status=_initial_status(draft),
                    sender=draft.sender,
                    recipient=draft.recipient,
                    service_sid=draft.service_sid,
                    body=draft.body,
                    segments=count_segments(draft.body),
                    media=len(draft.media_urls),
                    status_callback=draft.status_callback,
                    quirks=quirks,
                )
            )
            for url in draft.media_urls:
                self.media.add(message.sid, source_url=url)
            details = {"sid": message.sid, "validity": draft.validity}
            if message.status == Status.QUEUED:
                self._queue(message, draft.validity)
            else:
                self.agenda.add(draft.send_at or self.clock.now(), "choose_sender", details)
        return message

    def cancel(self, message: Message) -> Message:
        """A scheduled message is not sent; this status has a callback."""
        with self.database.transaction():
            message = self.messages.change(message, status=Status.CANCELED)
            self.callbacks.announce(message)
        return message

    def _queue(self, message: Message, validity: float) -> None:
        """Join the sender's queue, or fail in it when the turn would come too late."""
        sender = message.sender or ""
        deadline = self.clock.now() + validity
        if self.queues.turn(sender) > deadline:
            expired = Step(0.0, Status.FAILED, EXPIRED)
            self.agenda.add(deadline, "step", {"sid": message.sid, "steps": [asdict(expired)]})
            return
        turn = self.queues.join(sender, message.segments, self.settings.account)
        self.agenda.add(turn, "leave", {"sid": message.sid})

    async def _choose_sender(self, entry: Entry) -> None:
        """A service picks one of its numbers, the same each time for the same client; `queued` has a callback here."""
        with self.database.transaction():
            self.agenda.done(entry)
            message = self.messages.get(entry.details["sid"])
            if message is None or message.status not in WAITING:
                return
            service = self.settings.account.service(message.service_sid or "")
            numbers = service.numbers if service else []
            chosen = message.sender or (numbers[sum(message.recipient.encode()) % len(numbers)] if numbers else None)
            message = self.messages.change(message, sender=chosen, status=Status.QUEUED)
            self.callbacks.announce(message)
            self._queue(message, entry.details["validity"])

    async def _leave(self, entry: Entry) -> None:
        message = self.messages.get(entry.details["sid"])
        media_error = await self.media_fetch.fetch(message) if message else None
        with self.database.transaction():
            self.agenda.done(entry)
            if message is None:
                return
            fate = Fate(End.FAILED, media_error) if media_error else self._fate_of(message)
            timing = Timing(0, 0) if has_quirk(message, Kind.CALLBACK_EARLY) else self.settings.timing
            self.messages.change(message, status=Status.SENDING)
            self._plan(message.sid, entry.at, itinerary(fate, timing))

    def _fate_of(self, message: Message) -> Fate:
        """Faults come first, then the number's own ending, then who has opted out since the message was created."""
        if fault := self.faults.take(Point.DELIVERY, number=message.recipient):
            return Fate(End(fault.kind), fault.code or None)
        match ending_of(message.recipient):
            case Ending.UNDELIVERED:
                return Fate(End.UNDELIVERED, PHONE_OFF)
            case Ending.FAILED:
                return Fate(End.FAILED, UNKNOWN_REASON)
        sender = message.sender or ""
        if self.opt_outs.blocked(message.recipient, sender, self.settings.account):
            return Fate(End.UNDELIVERED, TOLL_FREE_BLOCKED) if is_toll_free(sender) else Fate(End.FAILED, OPTED_OUT)
        return Fate()

    def _plan(self, sid: str, base: float, steps: list[Step]) -> None:
        if steps:
            details = {"sid": sid, "steps": [asdict(step) for step in steps]}
            self.agenda.add(base + steps[0].after, "step", details)

    async def _step(self, entry: Entry) -> None:
        """Take one step and plan the next, in one transaction: a phone never gets a message twice, even over a kill."""
        step, *rest = (_step(values) for values in entry.details["steps"])
        with self.database.transaction():
            self.agenda.done(entry)
            message = self.messages.get(entry.details["sid"])
            if message is None:
                return
            if step.arrives:
                self._arrive(message)
            if step.status:
                self._reach(message, step.status, step.error_code)
            self._plan(message.sid, entry.at, rest)

    def _arrive(self, message: Message) -> None:
        self.phones.arrive(
            phone=message.recipient,
            department=message.sender or "",
            body=message.body,
            message_sid=message.sid,
            media=tuple(media.file for media in self.media.of(message.sid)),
            by="department",
        )

    def _reach(self, message: Message, status: Status, error_code: int | None) -> None:
        changes: dict[str, object] = {"status": status, "error_code": error_code}
        if status in (Status.SENT, Status.FAILED):
            changes["sent_at"] = self.clock.now()
        if status == Status.SENT:
            changes["price"] = price_of(message.segments)
        if status in (Status.FAILED, Status.UNDELIVERED):
            self.phones.miss(
                phone=message.recipient,
                department=message.sender or "",
                reason=f"A text did not arrive: {status} ({error_code})",
                message_sid=message.sid,
            )
        self.callbacks.announce(self.messages.change(message, **changes))


def _initial_status(draft: Draft) -> Status:
    if draft.send_at is not None:
        return Status.SCHEDULED
    return Status.QUEUED if draft.sender else Status.ACCEPTED


def _step(values: dict[str, object]) -> Step:
    status = values["status"]
    return Step(**{**values, "status": Status(str(status)) if status else None})  # type: ignore[arg-type]
