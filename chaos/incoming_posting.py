"""Clients text, and the carrier posts: each text several times at once, shuffled, some of them never."""

import asyncio
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from chaos.ground import Ground
from telephony.simulator.carrier.journal import Journal
from telephony.simulator.carrier.signatures import Parameters
from telephony.simulator.carrier.webhooks import Delivery, Webhooks
from telephony.simulator.config import INBOUND_PATH

TEXTS_AT_ONCE = 32
SHUFFLED_BY = 0.5  # seconds by which the copies of a text come at most later than the carrier took it


@dataclass(frozen=True)
class Typed:
    """A text that a client is going to write. copies: webhooks for it, 0 for never posted."""

    sender: str
    recipient: str
    body: str
    copies: int


@dataclass(frozen=True)
class Posted:
    """What became of it: the carrier's id, and how each webhook was answered (None: not at all)."""

    sid: str
    statuses: tuple[int | None, ...]

    @property
    def was_taken(self) -> bool:
        return any(status is not None and 200 <= status < 300 for status in self.statuses)


class Posting(threading.Thread):
    """The pocket phones take down each text and post none of them (webhook_lost); the webhooks come from here.

    By the phones' own HTTP client: signed, a connection for each, one more try only where none came about, 15 seconds.
    """

    def __init__(self, ground: Ground, texts: Sequence[Typed], chance: random.Random) -> None:
        super().__init__(name="posting", daemon=True)
        self.posted: list[Posted] = []
        self._ground, self._texts, self._waiting, self._chance = ground, texts, iter(texts), chance
        self._failure: BaseException | None = None

    @property
    def progress(self) -> float:
        """How much of it is done, 0 to 1. Raises what ended it."""
        if self._failure is not None:
            raise self._failure
        return len(self.posted) / len(self._texts)

    def run(self) -> None:
        try:
            asyncio.run(self._post_all())
        except BaseException as error:
            self._failure = error

    async def _post_all(self) -> None:
        webhooks = Webhooks(tokens=[self._ground.token], journal=_NoJournal())
        await webhooks.open()
        async with aiohttp.ClientSession() as phones, asyncio.TaskGroup() as clients:
            for _ in range(TEXTS_AT_ONCE):
                clients.create_task(self._write(phones, webhooks))
        await webhooks.close()

    async def _write(self, phones: aiohttp.ClientSession, webhooks: Webhooks) -> None:
        while (text := next(self._waiting, None)) is not None:
            wanted = {"from": text.sender, "to": text.recipient, "body": text.body}
            async with phones.post(f"{self._ground.phones_url}/control/texts", json=wanted) as answer:
                answer.raise_for_status()
                sid = str((await answer.json())["sid"])
            copies = (self._post(webhooks, text, sid) for _ in range(text.copies))
            self.posted.append(Posted(sid, tuple(await asyncio.gather(*copies))))

    async def _post(self, webhooks: Webhooks, text: Typed, sid: str) -> int | None:
        await asyncio.sleep(self._chance.uniform(0, SHUFFLED_BY))
        delivery = Delivery(
            url=self._ground.url + INBOUND_PATH,
            parameters=_form(text, sid, self._ground.account_sid),
            purpose="inbound",
            number=text.sender,
            message_sid=sid,
        )
        return (await webhooks.post(delivery)).status


class _NoJournal(Journal):
    def __init__(self) -> None:
        pass

    def add(self, *_: object, **__: object) -> None:
        pass


def _form(text: Typed, sid: str, account_sid: str) -> Parameters:
    return [
        ("SmsMessageSid", sid),
        ("SmsSid", sid),
        ("MessageSid", sid),
        ("SmsStatus", "received"),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("Body", text.body),
        ("From", text.sender),
        ("To", text.recipient),
        ("AccountSid", account_sid),
        ("ApiVersion", "2010-04-01"),
    ]
