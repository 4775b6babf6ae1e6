"""A stand-in for the product: takes the carrier's requests, keeps them, answers as a test wishes."""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from multidict import MultiDict
from twilio.request_validator import RequestValidator

INBOUND = "/webhooks/twilio/sms/"
STATUS = "/webhooks/twilio/sms-status/"
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True)
class Answer:
    """`seconds`: how long it lets the carrier wait. `content_type` "" leaves the header out."""

    body: bytes = EMPTY_TWIML
    status: int = 200
    content_type: str = "text/xml"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Received:
    """A request as it came. `form`: the pairs of the body; `url`: as the sender must have signed it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    form: MultiDict[str]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def __getitem__(self, name: str) -> str:
        (value,) = self.form.getall(name)
        return value

    def __contains__(self, name: str) -> bool:
        return name in self.form

    def is_signed_with(self, token: str) -> bool:
        """What Twilio's own package says of the signature."""
        signature = self.headers.get("x-twilio-signature", "")
        is_json = self.headers.get("content-type") == "application/json"
        return bool(RequestValidator(token).validate(self.url, self.body.decode() if is_json else self.form, signature))


class Product:
    """Answers every path with empty TwiML unless told otherwise."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reset()

    @property
    def inbound_url(self) -> str:
        return self.url + INBOUND

    @property
    def status_url(self) -> str:
        return self.url + STATUS

    def reset(self) -> None:
        self.requests: list[Received] = []
        self.together = 0
        self.most_together = 0
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._lock = threading.Lock()

    def answer(self, *answers: Answer, path: str = INBOUND) -> None:
        """What this path answers from now on, one after the other; the last one stays."""
        self._answers[path] = list(answers)

    def at(self, path: str) -> list[Received]:
        return [request for request in self.requests if request.path == path]

    def wait_for(self, path: str, count: int = 1, timeout: float = 3.0) -> list[Received]:
        """The first `count` requests to this path. Raises AssertionError when they don't come in time."""
        deadline = time.monotonic() + timeout
        while len(self.at(path)) < count:
            assert time.monotonic() < deadline, f"{len(self.at(path))} of {count} requests came to {path}"
            time.sleep(0.01)
        return self.at(path)[:count]

    def take(self, received: Received) -> Answer:
        with self._lock:
            self.requests.append(received)
            answers = self._answers[received.path]
            return answers.pop(0) if len(answers) > 1 else (answers or [Answer()])[0]

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Counts how many requests are answered at the same moment."""
        with self._lock:
            self.together += 1
            self.most_together = max(self.most_together, self.together)
        yield
        with self._lock:
            self.together -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A carrier that gave up waiting is part of the tests; anything else is printed as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running_product() -> Iterator[Product]:
    server = _Server(("127.0.0.1", 0), BaseHTTPRequestHandler)
    product = Product(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = _handler(product)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield product
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(product: Product) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            form = MultiDict(parse_qsl(body.decode("utf-8", "surrogatepass"), keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, product.url + self.path, headers, body, form)
            answer = product.take(received)
            with product.busy():
                time.sleep(answer.seconds)
            self._write(answer)

        def _write(self, answer: Answer) -> None:
            self.send_response(answer.status)
            if answer.content_type:
                self.send_header("Content-Type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_HEAD = _reply  # noqa: N815  the names that http.server calls

        def log_message(self, *args: Any) -> None:
            """Silence: what came is in `Product.requests`."""

    return Handler
