"""The application and the server: `make_app` for whoever brings a server of their own, `run` for the command."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from telephony.simulator import control_api
from telephony.simulator.api import routes
from telephony.simulator.config import PhonesConfig
from telephony.simulator.exchange import EXCHANGE, open_exchange
from telephony.simulator.pages import views

# Ten pictures of 5 MB typed in on a phone's page or sent as base64 by a test.
MAX_REQUEST_BYTES = 80_000_000
# How long an answer under way may hold up the stop; hanging on purpose is one of the faults.
STOP_SECONDS = 0.5


def make_app(config: PhonesConfig) -> web.Application:
    """Opens the state file; the work on it begins when the application is started."""
    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    app[EXCHANGE] = open_exchange(config)
    app.cleanup_ctx.append(_at_work)
    app.add_routes([*routes.ROUTES, *control_api.ROUTES])
    views.install(app)
    return app


async def _at_work(app: web.Application) -> AsyncIterator[None]:
    await app[EXCHANGE].start()
    yield
    await app[EXCHANGE].stop()


@asynccontextmanager
async def listening(config: PhonesConfig, line: socket.socket | None = None) -> AsyncIterator[None]:
    """The phones answer inside this block, on the configured address or on a socket that is bound to it already."""
    runner = web.AppRunner(make_app(config), shutdown_timeout=STOP_SECONDS, access_log=None)
    await runner.setup()
    try:
        site = web.SockSite(runner, line) if line else web.TCPSite(runner, config.host, config.port)
        await site.start()
        yield
    finally:
        await runner.cleanup()


def run(config: PhonesConfig) -> None:
    """Serve until SIGINT or SIGTERM; one line says where."""
    asyncio.run(_serve(config))


async def _serve(config: PhonesConfig) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with listening(config):
        print(f"Pocket phones on {config.base_url} (product: {config.product_url})", flush=True)  # noqa: T201
        await stopping.wait()
