"""Asks over some kept-alive connections, one request at a time on each, and times the answers.

It shares the machine with what it measures, so it does little: requests are bytes made before the clock starts, of an
answer only what tells its end is read, and what is compressed is opened after the clock stopped.
"""

import asyncio
import gc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from time import perf_counter, process_time

import brotli  # type: ignore[import-untyped]  # publishes no types

HEAD_END = b"\r\n\r\n"
CHUNKS_END = b"0\r\n\r\n"
ANSWERS_WITHIN = 30.0
# Opened all at once, connections often end at one gunicorn process, and the others have nothing to do. One after the
# other, under load, each is taken by the process that is least busy, as happens over a day.
BETWEEN_CONNECTIONS = 0.05

Check = Callable[[bytes], bool]


class WrongAnswerError(Exception):
    """The server's answer is not the one that is being measured. Says what came instead."""


@dataclass
class Answers:
    """Of one run, from when all connections are open; before: those that came until then. Latencies in seconds.

    Bytes: on the wire with their heads; plain are bodies without compression.
    """

    before: int = 0
    latencies: list[float] = field(default_factory=list)
    wire_bytes: int = 0
    plain_bytes: int = 0
    seconds: float = 0.0
    own_cpu_seconds: float = 0.0
    compressed: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.latencies)


@dataclass(frozen=True)
class Load:
    """What to ask how. at_start: called when all connections are open and the clock starts to run.

    rate: so many requests a second, whether those before are answered or not; without it each connection asks again as
    soon as it has its answer. With a rate, what has to wait for a free connection counts from when it was due.
    """

    port: int
    requests: Iterator[bytes]
    is_right: Check
    connections: int
    seconds: float
    at_start: Callable[[], None]
    rate: float | None = None


def ask(load: Load) -> Answers:
    """Runs until the time is over or the requests are. Raises WrongAnswerError for a wrong answer."""
    gc.collect()
    gc.disable()
    try:
        answers = asyncio.run(_ask(load))
    finally:
        gc.enable()
    for encoding, body in answers.compressed:
        plain = opened(encoding, body)
        answers.plain_bytes += len(plain)
        if not load.is_right(plain):
            raise WrongAnswerError(_shown(plain))
    answers.compressed.clear()
    return answers


async def _ask(load: Load) -> Answers:
    loop = asyncio.get_running_loop()
    running = _Running(load.requests, load.is_right, load.connections, loop.create_future(), load.rate)
    for _ in range(load.connections):
        await loop.create_connection(lambda: _Connection(running), "127.0.0.1", load.port)
        await asyncio.sleep(BETWEEN_CONNECTIONS)
    load.at_start()
    spent, begun = process_time(), perf_counter()
    running.deadline, running.is_counted = begun + load.seconds, True
    async with asyncio.timeout(load.seconds + ANSWERS_WITHIN):
        await running.over
    running.answers.seconds = perf_counter() - begun
    running.answers.own_cpu_seconds = process_time() - spent
    return running.answers


@dataclass
class _Running:
    """What the connections share."""

    requests: Iterator[bytes]
    is_right: Check
    open: int
    over: asyncio.Future[None]
    rate: float | None = None
    next_at: float = 0.0
    deadline: float = inf
    is_counted: bool = False
    answers: Answers = field(default_factory=Answers)

    def next_request(self) -> tuple[float, bytes] | None:
        """When to send it, and what; None when the time is over or nothing is left to ask."""
        now = perf_counter()
        due_at = (self.next_at or now) if self.rate else now
        request = next(self.requests, None) if due_at < self.deadline else None
        if request is None:
            return None
        if self.rate:
            self.next_at = due_at + 1 / self.rate
        return due_at, request

    def take(self, body: bytes, encoding: bytes, wire_bytes: int, latency: float) -> None:
        if not encoding and not self.is_right(body):
            self.fail(WrongAnswerError(_shown(body)))
        if not self.is_counted:
            self.answers.before += 1
            return
        self.answers.latencies.append(latency)
        self.answers.wire_bytes += wire_bytes
        if encoding:
            self.answers.compressed.append((encoding, body))
        else:
            self.answers.plain_bytes += len(body)

    def closed(self) -> None:
        self.open -= 1
        if not self.open and not self.over.done():
            self.over.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)


class _Connection(asyncio.Protocol):
    def __init__(self, running: _Running) -> None:
        self._running = running
        self._buffer = bytearray()
        self._body_at = 0  # 0 until the head is complete
        self._body_length: int | None = None  # None if the body comes in chunks
        self._encoding = b""
        self._sent_at = 0.0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send_next()

    def _send_next(self) -> None:
        found = self._running.next_request()
        self._is_waiting = found is not None
        if found is None:
            self._transport.close()
            return
        self._sent_at, request = found
        if (early := self._sent_at - perf_counter()) > 0:
            asyncio.get_running_loop().call_later(early, self._transport.write, request)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._body_at and not self._read_head():
            return
        if self._body_length is None:
            if not self._buffer.endswith(CHUNKS_END):
                return
        elif len(self._buffer) < self._body_at + self._body_length:
            return
        self._answered()

    def _read_head(self) -> bool:
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).lower()
        if not head.startswith(b"http/1.1 200 "):
            self._running.fail(WrongAnswerError(_shown(self._buffer)))
        self._body_at = end + len(HEAD_END)
        length = _header(head, b"content-length")
        self._body_length = int(length) if length else None
        self._encoding = _header(head, b"content-encoding")
        return True

    def _answered(self) -> None:
        latency = perf_counter() - self._sent_at
        body = bytes(self._buffer[self._body_at :])
        if self._body_length is None:
            body = _joined(body)
        self._running.take(body, self._encoding, len(self._buffer), latency)
        self._buffer.clear()
        self._body_at = 0
        self._send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_waiting:
            self._running.fail(WrongAnswerError(f"the server closed the connection ({error})"))
        self._running.closed()


def _header(head: bytes, name: bytes) -> bytes:
    """A header of a head in lower case, or nothing."""
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].partition(b"\r\n")[0].strip() if at >= 0 else b""


def _joined(chunks: bytes) -> bytes:
    parts = []
    size, _, rest = chunks.partition(b"\r\n")
    while length := int(size.partition(b";")[0], 16):
        parts.append(rest[:length])
        size, _, rest = rest[length + 2 :].partition(b"\r\n")
    return b"".join(parts)


def opened(encoding: bytes, body: bytes) -> bytes:
    """A body without the compression that its head names. Raises WrongAnswerError for one that wasn't asked for."""
    match encoding:
        case b"gzip":
            return zlib.decompress(body, wbits=zlib.MAX_WBITS | 16)
        case b"br":
            return bytes(brotli.decompress(body))
    raise WrongAnswerError(f"an encoding that wasn't asked for: {encoding!r}")


def _shown(answer: bytes | bytearray) -> str:
    return f"not the answer that is measured: {bytes(answer[:600])!r}"
