"""A carrier that answers what a test says, byte for byte, over a real connection on this machine."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, BinaryIO, NoReturn
from urllib.parse import parse_qsl

PATIENCE = 10.0


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    form: list[tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """One connection, for behaviours that need more than an answer."""

    connection: socket.socket
    over: threading.Event
    stream: BinaryIO

    def wait_for_bytes(self) -> None:
        """Until something has arrived, which stays unread."""
        self.connection.recv(1, socket.MSG_PEEK)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> NoReturn:
        """The far end sees RST instead of a close."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.close()  # else the connection stays open beneath it
        self.connection.close()
        raise ConnectionResetError

    def hang_up(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float) -> bool:
        """True when the test is over meanwhile."""
        return self.over.wait(seconds)


# What happens once a request was read; the line is closed unless the answer says otherwise.
Behaviour = Callable[[Request, Line], None]


def answer(status: int, body: bytes | str | object, *, content_type: str = "application/json", **headers: str) -> bytes:
    """A whole response. What is neither bytes nor text is written as JSON."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def message_resource(sid: str | None) -> dict[str, Any]:
    """As much of a message as the 201 of a create shows (docs/carrier.md, section 1)."""
    return {
        "sid": sid, "status": "queued", "error_code": None, "error_message": None, "body": "Hello", "num_media": "0",
        "num_segments": "1", "date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "date_sent": None, "price": None,
        "direction": "outbound-api", "from": "+18015550100", "to": "+13855550142", "subresource_uris": {},
    }  # fmt: skip


@dataclass
class CarrierServer:
    """Serves until closed. `before_reading` strikes as soon as somebody connects."""

    behaviour: Behaviour = lambda request, line: line.send(answer(201, message_resource("SM1")))
    before_reading: Callable[[Line], None] | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.05)
        self._start(self._accept)

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}"

    def close(self) -> None:
        self._over.set()
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(PATIENCE)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._start(self._converse, Line(connection, self._over, connection.makefile("rb")))

    def _converse(self, line: Line) -> None:
        try:
            self._answer(line)
        except OSError:
            return  # the other end hung up, or the test did
        finally:
            with self._lock:
                self._open.discard(line.connection)
                line.connection.close()

    def _answer(self, line: Line) -> None:
        with line.stream:
            if self.before_reading is not None:
                self.before_reading(line)
            while (request := _read(line.stream)) is not None:
                with self._lock:
                    self.requests.append(request)
                self.behaviour(request, line)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the other end was quicker
        connection.shutdown(socket.SHUT_RDWR)


def _read(stream: BinaryIO) -> Request | None:
    first = stream.readline().decode().split()
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0"))).decode()
    return Request(first[0], first[1], headers, parse_qsl(body, keep_blank_values=True))


@contextmanager
def carrier_server() -> Iterator[CarrierServer]:
    server = CarrierServer()
    try:
        yield server
    finally:
        server.close()
