"""The carrier's side of a hand-over and nothing more: it takes each text after so many seconds, and notes when it came.

The pocket phones do far more for a text than the product does; on the same cores they would be what is measured.
A process of its own: `python -m bench.carrier PORT SECONDS FILE`. A line of the file is the monotonic clock, which all
processes of a machine share, and the text's words.
"""

import asyncio
import json
import sys
import time
import uuid
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qs

HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
NO_LIST = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"  # beat asks for one now and then
WRITES_EVERY = 0.2  # seconds


class Line(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, delay: float, notes: list[str]) -> None:
        self._delay, self._notes, self._received = delay, notes, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Nobody sends a second request before the answer to the first."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and not head.startswith(b"POST"):
            self._received = b""
            self._write(NO_LIST)
            return
        if not found or len(body) < length(head):
            return
        self._received = b""
        self._notes.append(f"{time.monotonic()} {parse_qs(body.decode())['Body'][0]}\n")
        asyncio.get_running_loop().call_later(self._delay, self._answer)

    def _answer(self) -> None:
        body = json.dumps({"sid": f"SM{uuid.uuid4().hex}", "status": "queued", "num_segments": "1"}).encode()
        self._write(HEAD % len(body) + body)

    def _write(self, answer: bytes) -> None:
        if isinstance(self._transport, asyncio.Transport) and not self._transport.is_closing():
            self._transport.write(answer)


def length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def serve(port: int, delay: float, file: TextIO) -> None:
    notes: list[str] = []
    await asyncio.get_running_loop().create_server(lambda: Line(delay, notes), "127.0.0.1", port)
    while True:
        await asyncio.sleep(WRITES_EVERY)
        file.writelines(notes)
        file.flush()
        notes.clear()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a") as opened:
        asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), opened))
