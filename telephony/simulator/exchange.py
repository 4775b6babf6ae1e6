"""The parts of the carrier, put together over one state file."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from telephony.simulator.carrier import (
    agenda,
    faults,
    journal,
    media,
    messages,
    optouts,
    phones,
    sender_queues,
    settings,
)
from telephony.simulator.carrier.callbacks import Callbacks
from telephony.simulator.carrier.delivery import Deliveries
from telephony.simulator.carrier.inbound import Inbound
from telephony.simulator.carrier.media_fetch import MediaFetch
from telephony.simulator.carrier.numbers import OwnNumbers
from telephony.simulator.carrier.replies import Replies
from telephony.simulator.carrier.webhooks import Webhooks
from telephony.simulator.clock import Clock
from telephony.simulator.config import PhonesConfig
from telephony.simulator.database import Database

STORES = (agenda, faults, journal, media, messages, optouts, phones, sender_queues, settings)


@dataclass(kw_only=True)
class Exchange:
    """Everything a request handler may need."""

    config: PhonesConfig
    clock: Clock
    database: Database
    settings: settings.Settings
    journal: journal.Journal
    messages: messages.Messages
    media: media.MediaStore
    phones: phones.Phones
    opt_outs: optouts.OptOuts
    faults: faults.Faults
    agenda: agenda.Agenda
    queues: sender_queues.SenderQueues
    numbers: OwnNumbers
    webhooks: Webhooks
    callbacks: Callbacks
    deliveries: Deliveries
    inbound: Inbound
    requests_under_way: int = 0
    worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.webhooks.open()
        self.worker = asyncio.create_task(self.agenda.run())

    async def stop(self) -> None:
        """What is under way is abandoned and stays on the agenda for the next start."""
        if self.worker:
            self.worker.cancel()
            with suppress(asyncio.CancelledError):
                await self.worker
        await self.agenda.stop()
        await self.webhooks.close()
        self.database.close()

    def move_clock(self, seconds: float) -> None:
        """Let time pass; what falls due by it happens at once."""
        self.clock.offset += seconds
        self.settings.move_clock(self.clock.offset)
        self.agenda.wake()

    async def reset(self) -> None:
        """As at the first start: no messages, phones, opt-outs, faults or changed settings."""
        await self.agenda.stop()
        self.database.empty()
        self.settings.reload()
        self.clock.offset = 0.0


EXCHANGE = web.AppKey("exchange", Exchange)


def open_exchange(config: PhonesConfig) -> Exchange:
    """Open the state file and connect the parts."""
    database = Database(config.state, [store.SCHEMA for store in STORES])
    chosen = settings.Settings(database)
    clock = Clock(chosen.clock_offset)
    log = journal.Journal(database, clock)
    message_table, media_table = messages.Messages(database, clock), media.MediaStore(database, clock)
    phone_table, opt_outs = phones.Phones(database, clock, log), optouts.OptOuts(database, clock)
    fault_table, plans = faults.Faults(database), agenda.Agenda(database, clock)
    queues = sender_queues.SenderQueues(database, clock)
    webhooks = Webhooks(tokens=list(config.auth_tokens), journal=log)
    callbacks = Callbacks(config=config, agenda=plans, clock=clock, settings=chosen, webhooks=webhooks)
    deliveries = Deliveries(
        database=database, clock=clock, settings=chosen, agenda=plans, messages=message_table, media=media_table,
        media_fetch=MediaFetch(webhooks=webhooks, media=media_table, journal=log), phones=phone_table,
        opt_outs=opt_outs, queues=queues, faults=fault_table, callbacks=callbacks,
    )  # fmt: skip
    replies = Replies(
        clock=clock, settings=chosen, messages=message_table, journal=log, opt_outs=opt_outs, deliveries=deliveries
    )
    inbound = Inbound(
        config=config, database=database, settings=chosen, messages=message_table, media=media_table,
        phones=phone_table, journal=log, opt_outs=opt_outs, faults=fault_table, webhooks=webhooks, replies=replies,
    )  # fmt: skip
    return Exchange(
        config=config, clock=clock, database=database, settings=chosen, journal=log, messages=message_table,
        media=media_table, phones=phone_table, opt_outs=opt_outs, faults=fault_table, agenda=plans, queues=queues,
        numbers=OwnNumbers(config), webhooks=webhooks, callbacks=callbacks, deliveries=deliveries, inbound=inbound,
    )  # fmt: skip
