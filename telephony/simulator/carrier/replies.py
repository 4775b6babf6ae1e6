"""Messages that the product sends by answering a webhook with <Message>: direction outbound-reply."""

from collections.abc import Iterable
from dataclasses import dataclass

from telephony.simulator.carrier.addresses import is_phone_number, is_toll_free
from telephony.simulator.carrier.delivery import Deliveries, Draft
from telephony.simulator.carrier.journal import Journal
from telephony.simulator.carrier.messages import Direction, Message, Messages
from telephony.simulator.carrier.optouts import OptOuts
from telephony.simulator.carrier.settings import Settings
from telephony.simulator.carrier.twiml import ReplyMessage
from telephony.simulator.clock import Clock

# More than 15 replies between the same two numbers within 30 s are a loop of machines (14107).
LOOP_SECONDS = 30.0
LOOP_REPLIES = 15

LOOP, BAD_TO, OPTED_OUT = 14107, 14101, 21610


@dataclass(kw_only=True, eq=False, repr=False)
class Replies:
    """Turns reply messages into deliveries, or into an alert where Twilio would refuse them."""

    clock: Clock
    settings: Settings
    messages: Messages
    journal: Journal
    opt_outs: OptOuts
    deliveries: Deliveries

    def send(self, replies: Iterable[ReplyMessage], incoming: Message) -> None:
        for reply in replies:
            sender = reply.sender or incoming.recipient
            recipient = reply.to or incoming.phone
            if code := self._refusal(sender, recipient):
                self.journal.add("alert", number=incoming.phone, code=code, message_sid=incoming.sid)
                continue
            draft = Draft(
                direction=Direction.OUTBOUND_REPLY,
                sender=sender,
                recipient=recipient,
                body=reply.body,
                media_urls=reply.media_urls,
                status_callback=reply.status_callback,
            )
            self.deliveries.accept(draft)

    def _refusal(self, sender: str, recipient: str) -> int | None:
        if not is_phone_number(recipient):
            return BAD_TO
        blocked = self.opt_outs.blocked(recipient, sender, self.settings.account)
        if blocked and not is_toll_free(sender):
            return OPTED_OUT
        since = self.clock.now() - LOOP_SECONDS
        if self.messages.replies_since(sender=sender, recipient=recipient, since=since) >= LOOP_REPLIES:
            return LOOP
        return None
