"""Connections are kept and shared by the sending threads; no text gets another one's answer."""

import hashlib
import select
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from messaging.sms import Accepted, OutboundText, Outcome, Unclear
from telephony import http_client
from telephony.backends import TwilioBackend
from telephony.tests.carrier_server import CarrierServer, Line, Request, answer, carrier_server
from telephony.tests.carrier_server import message_resource as resource


@pytest.fixture
def carrier(settings: Settings) -> Iterator[CarrierServer]:
    with carrier_server() as server:
        settings.TWILIO_API_URL = server.url
        yield server


@pytest.fixture(autouse=True)
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_SECONDS", 0.3)


def a_text(body: str = "Your court date is Tuesday") -> OutboundText:
    return OutboundText(uuid.uuid4(), "+18015550100", "+13855550142", body)


def resets(request: Request, line: Line) -> None:
    line.reset()


def hangs_up(request: Request, line: Line) -> None:
    line.hang_up()


def test_only_what_is_meant_for_twilios_api_goes_to_the_address_of_the_settings(carrier: CarrierServer) -> None:
    client = http_client.PooledHttpClient("http://127.0.0.1:1")
    assert client.request("GET", f"{carrier.url}/elsewhere").status_code == 201
    assert [request.path for request in carrier.requests] == ["/elsewhere"]


def test_one_connection_serves_many_texts(carrier: CarrierServer) -> None:
    backend = TwilioBackend()
    assert [backend.send(a_text()) for _ in range(5)] == [Accepted("SM1")] * 5
    assert (len(carrier.requests), carrier.connections) == (5, 1)


@pytest.mark.parametrize("how", ["shutdown", "reset"])
def test_a_kept_connection_that_the_carrier_closed_costs_no_text(carrier: CarrierServer, how: str) -> None:
    def answer_and_close(request: Request, line: Line) -> None:
        line.send(answer(201, resource("SM1")))
        line.wait(0.05)
        resets(request, line) if how == "reset" else hangs_up(request, line)

    carrier.behaviour = answer_and_close
    backend = TwilioBackend()
    first = backend.send(a_text())
    wait_until_idle_connections_are_closed(backend)
    assert (first, backend.send(a_text())) == (Accepted("SM1"), Accepted("SM1"))
    assert len(carrier.requests) == 2


def wait_until_idle_connections_are_closed(backend: TwilioBackend) -> None:
    """Until the far end's closing has reached this side."""
    client: http_client.PooledHttpClient = backend._messages._version.domain.twilio.http_client
    (pool,) = client._session.adapters["http://"].poolmanager.pools._container.values()  # type: ignore[attr-defined]
    connection = next(it for it in pool.pool.queue if it is not None)
    deadline = time.monotonic() + 5
    while connection.sock is not None and not select.select([connection.sock], [], [], 0.05)[0]:
        assert time.monotonic() < deadline


def test_a_kept_connection_that_breaks_under_the_next_text_makes_it_unclear_and_sends_it_once(
    carrier: CarrierServer,
) -> None:
    backend = TwilioBackend()
    assert backend.send(a_text()) == Accepted("SM1")
    carrier.behaviour = resets
    assert backend.send(a_text()) == Unclear()
    assert len(carrier.requests) == 2


def test_after_a_text_that_was_unclear_the_next_one_is_not(carrier: CarrierServer) -> None:
    """The late answer to the first must not be taken for the answer to the second."""
    backend = TwilioBackend()

    def late(request: Request, line: Line) -> None:
        line.wait(0.5)
        line.send(answer(201, resource("SM of the first")))

    carrier.behaviour = late
    assert backend.send(a_text()) == Unclear()
    carrier.behaviour = lambda request, line: line.send(answer(201, resource("SM of the second")))
    assert backend.send(a_text()) == Accepted("SM of the second")


# --- Threads ---------------------------------------------------------------------------------------------------------


def sid_for(body: str) -> str:
    return "SM" + hashlib.sha256(body.encode()).hexdigest()[:32]


@pytest.fixture
def busy_switching() -> Iterator[None]:
    """Threads take turns after microseconds: what a busy day does once is done many times here."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("busy_switching")
def test_sixteen_threads_that_share_a_backend_each_get_the_id_of_their_own_text(
    carrier: CarrierServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio's own client hands the answer back through an attribute that all threads share.

    With a chance for another thread between its writing and its reading, 438 of these 800 ids were another text's.
    """
    monkeypatch.setattr(http_client, "READ_TIMEOUT_SECONDS", 30.0)  # on a busy machine an answer takes its time
    carrier.behaviour = lambda request, line: line.send(answer(201, resource(sid_for(dict(request.form)["Body"]))))
    backend = TwilioBackend()

    def send_fifty(thread: int) -> list[tuple[Outcome, Outcome]]:
        bodies = [f"text {number} of thread {thread}" for number in range(50)]
        return [(backend.send(a_text(body)), Accepted(sid_for(body))) for body in bodies]

    with ThreadPoolExecutor(16) as pool:
        pairs = [pair for each in pool.map(send_fifty, range(16)) for pair in each]
    assert len(pairs) == 800
    assert [got for got, expected in pairs if got != expected] == []
    assert len(carrier.requests) == 800
    assert carrier.connections <= 16
