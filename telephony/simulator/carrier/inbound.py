"""A text from a client: into the account's list, through the keywords, to the product's webhook (section 6)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from telephony.simulator.carrier.faults import Faults, Kind, Point
from telephony.simulator.carrier.journal import Journal
from telephony.simulator.carrier.media import MAX_MEDIA, MediaStore
from telephony.simulator.carrier.messages import Direction, Message, Messages, Status, price_of
from telephony.simulator.carrier.optouts import OptOuts
from telephony.simulator.carrier.phones import Phones
from telephony.simulator.carrier.replies import Replies
from telephony.simulator.carrier.segments import count_segments
from telephony.simulator.carrier.settings import Account, Settings
from telephony.simulator.carrier.sids import new_sid
from telephony.simulator.carrier.signatures import Parameters
from telephony.simulator.carrier.twiml import Reply, read_reply
from telephony.simulator.carrier.webhooks import Delivery, Result, Signing, Webhooks
from telephony.simulator.config import PhonesConfig
from telephony.simulator.database import Database

MAX_REDIRECTS = 10
UNKNOWN_PARAMETERS = {"CarrierMood": "thoughtful", "Überraschung": "ja"}
SIGNINGS: dict[Kind, Signing] = {
    Kind.WEBHOOK_UNSIGNED: "none",
    Kind.WEBHOOK_WRONG_SIGNATURE: "wrong",
    Kind.WEBHOOK_OLD_TOKEN: "old",
}


@dataclass(frozen=True, slots=True)
class SentFile:
    """A picture or file that the client sends along."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingText:
    """What a client sends and how its webhook is posted.

    `times`: that many webhooks at the same moment, all for this one message. `parameters` changes the form: a value
    replaces or adds, None takes the parameter out.
    """

    sender: str
    recipient: str
    body: str
    files: tuple[SentFile, ...] = ()
    times: int = 1
    signing: Signing = "right"
    as_json: bool = False
    parameters: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The message that came of it and how each webhook was answered (none when it was lost)."""

    message: Message
    results: list[Result]


@dataclass(kw_only=True, eq=False, repr=False)
class Inbound:
    """Takes clients' texts."""

    config: PhonesConfig
    database: Database
    settings: Settings
    messages: Messages
    media: MediaStore
    phones: Phones
    journal: Journal
    opt_outs: OptOuts
    faults: Faults
    webhooks: Webhooks
    replies: Replies

    async def take(self, text: IncomingText) -> Outcome:
        """The message is in the account's list whether or not the product answers."""
        with self.database.transaction():
            message = self._record(text)
            opt_out_type = self._hear(message)
            fault = self.faults.take(Point.INBOUND, number=text.sender)
        parameters = self._form(message, opt_out_type, fault.kind if fault else None, text.parameters)
        if fault and fault.kind == Kind.WEBHOOK_LOST:
            self.phones.set_outcome(message.sid, "the webhook to the product was lost on its way")
            return Outcome(message, [])
        times = max(text.times, 2 if fault and fault.kind == Kind.WEBHOOK_DOUBLED else 1)
        delivery = Delivery(
            url=self._inbound_url(message.recipient),
            parameters=parameters,
            purpose="inbound",
            number=message.phone,
            message_sid=message.sid,
            signing=SIGNINGS.get(fault.kind, text.signing) if fault else text.signing,
            as_json=text.as_json,
        )
        results = await asyncio.gather(*(self._converse(delivery, message) for _ in range(times)))
        self.phones.set_outcome(message.sid, next((result.in_words for result in results if not result.ok), "received"))
        return Outcome(message, results)

    def _record(self, text: IncomingText) -> Message:
        segments = count_segments(text.body)
        message = self.messages.add(
            Message(
                sid=new_sid("MM" if text.files else "SM"),
                direction=Direction.INBOUND,
                status=Status.RECEIVED,
                sender=text.sender,
                recipient=text.recipient,
                service_sid=service.sid if (service := self.settings.account.service_of(text.recipient)) else None,
                body=text.body,
                segments=segments,
                media=len(text.files[:MAX_MEDIA]),
                price=price_of(segments),
            )
        )
        message = self.messages.change(message, sent_at=message.created_at)
        for file in text.files[:MAX_MEDIA]:
            self.media.add(message.sid, content_type=file.content_type, content=file.content)
        self.phones.typed(
            phone=text.sender,
            department=text.recipient,
            body=text.body,
            message_sid=message.sid,
            media=tuple(media.file for media in self.media.of(message.sid)),
        )
        return message

    def _hear(self, message: Message) -> str:
        """Let the carrier act on a keyword; gives the OptOutType of the webhook, or ""."""
        answer = self.opt_outs.hear(
            phone=message.phone, department=message.recipient, body=message.body, account=self.settings.account
        )
        if answer.reply:
            self.phones.arrive(phone=message.phone, department=message.recipient, body=answer.reply, by="carrier")
        return answer.opt_out_type

    def _form(
        self, message: Message, opt_out_type: str, fault: Kind | None, changes: Mapping[str, str | None]
    ) -> Parameters:
        form: dict[str, str | None] = dict(self._parameters(message))
        if opt_out_type:
            form["OptOutType"] = opt_out_type
        if fault == Kind.WEBHOOK_WITHOUT_BODY:
            form["Body"] = None
        if fault == Kind.WEBHOOK_EXTRA:
            form |= UNKNOWN_PARAMETERS
        form |= changes
        return [(name, value) for name, value in form.items() if value is not None]

    def _parameters(self, message: Message) -> Parameters:
        """The form of section 6. A picture without words comes without Body."""
        files = self.media.of(message.sid)
        places = [
            (side + name, value)
            for side in ("To", "From")
            for name, value in (("City", "SALT LAKE CITY"), ("State", "UT"), ("Zip", "84101"), ("Country", "US"))
        ]
        found = [
            *places,
            *((name, message.sid) for name in ("SmsMessageSid", "SmsSid", "MessageSid")),
            ("NumMedia", str(len(files))),
            ("SmsStatus", "received"),
            *([] if files and not message.body else [("Body", message.body)]),
            ("To", message.recipient),
            ("From", message.sender or ""),
            ("NumSegments", str(message.segments)),
            ("AccountSid", self.config.account_sid),
            ("ApiVersion", "2010-04-01"),
        ]
        if message.service_sid:
            found.append(("MessagingServiceSid", message.service_sid))
        for index, media in enumerate(files):
            path = f"/2010-04-01/Accounts/{self.config.account_sid}/Messages/{message.sid}/Media/{media.sid}"
            found.append((f"MediaContentType{index}", media.content_type))
            found.append((f"MediaUrl{index}", self.config.base_url + path))
        return found

    def _inbound_url(self, department: str) -> str:
        """A service's own URL goes before the account's, which goes before the usual path at the product."""
        account: Account = self.settings.account
        service = account.service_of(department)
        return (service.inbound_url if service else "") or account.inbound_url or self.config.inbound_url

    async def _converse(self, delivery: Delivery, message: Message) -> Result:
        """Post, turn to the fallback URL if that fails, and do what the answer says. Gives the first answer."""
        first = await self.webhooks.post(delivery)
        reply = self._read(first, message)
        fallback = self.settings.account.fallback_url
        if reply.failed and fallback:
            errors = [("ErrorCode", str(reply.alerts[0])), ("ErrorUrl", delivery.url)]
            reply = await self._ask(delivery, fallback, "fallback", errors, message)
        for _ in range(MAX_REDIRECTS):
            self.replies.send(reply.messages, message)
            if not reply.redirect:
                break
            reply = await self._ask(delivery, reply.redirect, "redirect", [], message)
        return first

    async def _ask(
        self, first: Delivery, url: str, purpose: Literal["fallback", "redirect"], extra: Parameters, message: Message
    ) -> Reply:
        delivery = Delivery(
            url=url,
            parameters=first.parameters + extra,
            purpose=purpose,
            number=first.number,
            message_sid=first.message_sid,
            signing=first.signing,
        )
        return self._read(await self.webhooks.post(delivery), message)

    def _read(self, result: Result, message: Message) -> Reply:
        reply = read_reply(result)
        for code in reply.alerts:
            self.journal.add("alert", number=message.phone, code=code, url=result.url, message_sid=message.sid)
        return reply
