"""The pocket phones in a thread, for tests of the product and of themselves.

@pytest.fixture
def phones(live_server, tmp_path):
    with phones_in_thread(product_url=live_server.url, state=tmp_path / "phones.sqlite3") as running:
        yield running.control
"""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from telephony.simulator.app import listening
from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
TOKENS = ("primary-token", "old-token")
NUMBERS = ("+18015550100", "+18015550199")
START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunningPhones:
    """What a test needs to know: the API is at `config.base_url`, the switches are in `control`."""

    config: PhonesConfig
    control: PocketPhones


@contextmanager
def phones_in_thread(
    *,
    product_url: str,
    state: Path,
    numbers: Sequence[str] = NUMBERS,
    account_sid: str = ACCOUNT_SID,
    auth_tokens: Sequence[str] = TOKENS,
    port: int = 0,
) -> Iterator[RunningPhones]:
    """`port` 0 takes any free one. Comes back when the phones listen; ends when they have stopped."""
    line = socket.create_server(("127.0.0.1", port))
    config = PhonesConfig(
        account_sid=account_sid,
        auth_tokens=auth_tokens,
        product_url=product_url,
        state=state,
        find_numbers=lambda: numbers,
        port=line.getsockname()[1],
    )
    server = _Server(config, line)
    server.start()
    try:
        yield RunningPhones(config, PocketPhones(config.base_url))
    finally:
        server.stop()


class _Server(threading.Thread):
    def __init__(self, config: PhonesConfig, line: socket.socket) -> None:
        super().__init__(name="pocket-phones", daemon=True)
        self._config = config
        self._line = line
        self._up = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        super().start()
        if not self._up.wait(START_SECONDS) or self._failure:
            raise RuntimeError("the pocket phones did not start") from self._failure

    def stop(self) -> None:
        if self._loop and self._stopping:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self.join()

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._up.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with listening(self._config, self._line):
            self._up.set()
            await self._stopping.wait()
