"""What the carrier's answer proves of a text, over real connections; and that nothing is ever asked for twice."""

import base64
import gzip
import json
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from messaging.failures import FailureReason
from messaging.sms import Accepted, NotTaken, OutboundText, Outcome, Refused, Unclear
from telephony import http_client
from telephony.backends import TwilioBackend, callback_url
from telephony.tests.carrier_server import Behaviour, CarrierServer, Line, Request, answer, carrier_server
from telephony.tests.carrier_server import message_resource as resource
from telephony.tests.everything_logged import everything_logged
from tests.running import free_port

Reason = FailureReason

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.fixture
def carrier(settings: Settings) -> Iterator[CarrierServer]:
    with carrier_server() as server:
        settings.TWILIO_API_URL = server.url
        yield server


@pytest.fixture(autouse=True)
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "CONNECT_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(http_client, "READ_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(http_client, "DEADLINE_SECONDS", 0.6)


def a_text(body: str = "Your court date is Tuesday") -> OutboundText:
    return OutboundText(uuid.uuid4(), "+18015550100", "+13855550142", body)


def send() -> Outcome:
    return TwilioBackend().send(a_text())


# --- What goes out ---------------------------------------------------------------------------------------------------


def test_the_request_has_these_parameters_and_no_others(carrier: CarrierServer, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://texts.example.org"
    text = a_text("é 😀 & = + % #\nsecond line ")
    assert TwilioBackend().send(text) == Accepted("SM1")
    (request,) = carrier.requests
    assert dict(request.form) == {
        "To": "+13855550142",
        "From": "+18015550100",
        "Body": "é 😀 & = + % #\nsecond line ",
        "StatusCallback": f"https://texts.example.org/webhooks/twilio/sms-status/?m={text.public_id}",
    }
    assert len(request.form) == 4
    path = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages.json"
    assert (request.method, request.path) == ("POST", path)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_the_first_of_two_tokens_opens_the_account(carrier: CarrierServer, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKENS = ["the new one", "the old one"]
    send()
    credentials = base64.b64decode(carrier.requests[0].headers["authorization"].removeprefix("Basic ")).decode()
    assert credentials == f"{settings.TWILIO_ACCOUNT_SID}:the new one"


def test_the_callback_address_carries_the_texts_own_id(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://texts.example.org"
    text = a_text()
    assert callback_url(text) == f"https://texts.example.org/webhooks/twilio/sms-status/?m={text.public_id}"


def test_a_proxy_or_netrc_of_the_machine_is_not_used(carrier: CarrierServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    assert send() == Accepted("SM1")


def test_a_region_that_twilios_package_finds_in_the_environment_leads_nowhere_else(
    carrier: CarrierServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TWILIO_API_URL alone says where texts go: demo data must not leave this machine."""
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    assert send() == Accepted("SM1")
    assert len(carrier.requests) == 1


# --- What an answer proves -------------------------------------------------------------------------------------------


def refusal(code: object, status: int = 400) -> bytes:
    return answer(status, {"code": code, "message": "in words", "more_info": "https://…", "status": status})


def problem(code: object, status: int) -> bytes:
    """The other form of an error, RFC 9457, which Twilio's package knows too."""
    return answer(status, {"type": "https://…", "title": "in words", "status": status, "code": code})


ANSWERS: dict[str, tuple[bytes, Outcome]] = {
    # Taken.
    "201": (answer(201, resource("SM1")), Accepted("SM1")),
    "200": (answer(200, resource("SM1")), Accepted("SM1")),
    "201, and little in it": (answer(201, {"sid": "SM1"}), Accepted("SM1")),
    "201, and more in it than we know": (answer(201, {**resource("SM1"), "mood": [1]}), Accepted("SM1")),
    # Refused for good: a 4xx with the carrier's own code.
    "400 21211": (refusal(21211), Refused(Reason.IMPOSSIBLE_NUMBER, 21211)),
    "400 21610": (refusal(21610), Refused(Reason.OPTED_OUT, 21610)),
    "400 21614": (refusal(21614), Refused(Reason.NOT_A_MOBILE, 21614)),
    "400 21617": (refusal(21617), Refused(Reason.TOO_LONG, 21617)),
    "400 21606": (refusal(21606), Refused(Reason.OUR_NUMBER, 21606)),
    "400 30007": (refusal(30007), Refused(Reason.FILTERED, 30007)),
    "400 unheard of": (refusal(99999), Refused(Reason.UNEXPLAINED, 99999)),
    "400 code as text": (refusal("21211"), Refused(Reason.IMPOSSIBLE_NUMBER, 21211)),
    "400 as a problem": (problem(21211, 400), Refused(Reason.IMPOSSIBLE_NUMBER, 21211)),
    "401": (refusal(20003, 401), Refused(Reason.ACCOUNT, 20003)),
    "403": (refusal(20003, 403), Refused(Reason.ACCOUNT, 20003)),
    "404": (refusal(20404, 404), Refused(Reason.SET_UP, 20404)),
    "405": (refusal(20004, 405), Refused(Reason.SET_UP, 20004)),
    # Certainly not taken: offered again.
    "429": (refusal(20429, 429), NotTaken()),
    "429 as HTML": (answer(429, HTML, content_type="text/html"), NotTaken()),
    "429 empty": (answer(429, b""), NotTaken()),
    "429 as a problem": (problem(20429, 429), NotTaken()),
    "400 the queue is full": (refusal(21611), NotTaken()),
    "400 maintenance": (refusal(21730), NotTaken()),
    # Nobody can say.
    "400 as HTML": (answer(400, HTML, content_type="text/html"), Unclear()),
    "400 empty": (answer(400, b""), Unclear()),
    "400 without a code": (answer(400, {"message": "in words", "status": 400}), Unclear()),
    "400 a code that is none": (refusal(400), Unclear()),
    "400 null as code": (refusal(None), Unclear()),
    "400 words as code": (refusal("invalid_number"), Unclear()),
    "400 a list as code": (refusal([21211]), Unclear()),
    "400 a list": (answer(400, [21211]), Unclear()),
    "401 of a gateway": (answer(401, HTML, content_type="text/html", WWW_Authenticate="Basic"), Unclear()),
    "403 of a gateway": (answer(403, b""), Unclear()),
    "404 of a gateway": (answer(404, HTML, content_type="text/html"), Unclear()),
    "407": (answer(407, b""), Unclear()),
    "408": (refusal(20408, 408), Unclear()),
    "408 empty": (answer(408, b""), Unclear()),
    "500 as HTML": (answer(500, HTML, content_type="text/html"), Unclear()),
    "500": (refusal(20500, 500), Unclear()),
    "502": (answer(502, b""), Unclear()),
    "503": (refusal(20503, 503), Unclear()),
    "503 and when to try again": (answer(503, b"", Retry_After="1"), Unclear()),
    "500 as a problem": (problem(20500, 500), Unclear()),
    "200 garbage": (answer(200, b"\xff\xfe{{"), Unclear()),
    "200 HTML": (answer(200, HTML, content_type="text/html"), Unclear()),
    "200 empty": (answer(200, b""), Unclear()),
    "204": (answer(204, b""), Unclear()),
    "201 without an id": (answer(201, {"status": "queued"}), Unclear()),
    "201 null as id": (answer(201, resource(None)), Unclear()),
    "201 nothing as id": (answer(201, resource("")), Unclear()),
    "201 null": (answer(201, b"null"), Unclear()),
    "201 a list": (answer(201, [resource("SM1")]), Unclear()),
    "201 a text": (answer(201, b'"SM1"'), Unclear()),
    "201 a number": (answer(201, b"1"), Unclear()),
    "201 an impossible date": (answer(201, {"sid": "SM1", "date_created": "Thu, 99 Aug 2023 99:01:45"}), Unclear()),
    "201 gzip that is none": (answer(201, b"no gzip", Content_Encoding="gzip"), Unclear()),
    "302": (answer(302, b"", Location="/2010-04-01/elsewhere"), Unclear()),
    "307": (answer(307, b"", Location="/2010-04-01/elsewhere"), Unclear()),
    "no HTTP": (b"220 mail.example.org ESMTP\r\n", Unclear()),
}


@pytest.mark.parametrize(("response", "outcome"), ANSWERS.values(), ids=ANSWERS.keys())
def test_each_answer_proves_this_and_is_asked_for_once(
    carrier: CarrierServer, response: bytes, outcome: Outcome
) -> None:
    def answer_and_hang_up(request: Request, line: Line) -> None:
        line.send(response)
        line.connection.shutdown(socket.SHUT_WR)

    carrier.behaviour = answer_and_hang_up
    with everything_logged() as log:
        assert send() == outcome
    assert len(carrier.requests) == 1
    assert carrier.connections == 1
    assert "Your court date" not in log.text
    assert "+13855550142" not in log.text


# --- When no answer comes --------------------------------------------------------------------------------------------


def resets(request: Request, line: Line) -> None:
    line.reset()


def hangs_up(request: Request, line: Line) -> None:
    line.hang_up()


def says_nothing(request: Request, line: Line) -> None:
    line.wait(5)


def breaks_off(request: Request, line: Line) -> None:
    line.send(answer(201, resource("SM1"))[:-20])
    line.hang_up()


def breaks_off_in_the_headers(request: Request, line: Line) -> None:
    line.send(b"HTTP/1.1 201 Created\r\nContent-Ty")
    line.hang_up()


def stops_in_the_middle(request: Request, line: Line) -> None:
    line.send(answer(201, resource("SM1"))[:-20])
    line.wait(5)


def drips(request: Request, line: Line) -> None:
    """A byte now and then: no single wait is too long, all of them together are."""
    head, _, body = answer(201, resource("SM1")).partition(b"\r\n\r\n")
    line.send(head + b"\r\n\r\n")
    for index in range(len(body)):
        line.send(body[index : index + 1])
        if line.wait(0.1):
            return


def drips_in_chunks(request: Request, line: Line) -> None:
    line.send(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100):
        line.send(b"1\r\n{\r\n")
        if line.wait(0.1):
            return


@pytest.mark.parametrize(
    "behaviour",
    [
        resets, hangs_up, says_nothing, breaks_off, breaks_off_in_the_headers, stops_in_the_middle, drips,
        drips_in_chunks,
    ],
)  # fmt: skip
def test_a_text_whose_answer_does_not_come_is_unclear_and_not_sent_again(
    carrier: CarrierServer, behaviour: Behaviour
) -> None:
    carrier.behaviour = behaviour
    assert send() == Unclear()
    assert len(carrier.requests) == 1
    assert carrier.connections == 1


@pytest.mark.parametrize("behaviour", [says_nothing, stops_in_the_middle, drips, drips_in_chunks])
def test_no_answer_keeps_a_thread_longer_than_the_deadline_and_one_wait(
    carrier: CarrierServer, behaviour: Behaviour
) -> None:
    carrier.behaviour = behaviour
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(send).result(timeout=2.5) == Unclear()


def test_a_connection_that_is_reset_before_anything_was_read_is_unclear(carrier: CarrierServer) -> None:
    """The far end may have read the request all the same; a reset does not tell."""

    def reset_unread(line: Line) -> None:
        line.wait_for_bytes()
        line.reset()

    carrier.before_reading = reset_unread
    assert send() == Unclear()
    assert carrier.connections == 1


def test_an_answer_that_is_slow_but_comes_in_time_counts(carrier: CarrierServer) -> None:
    def slow(request: Request, line: Line) -> None:
        line.wait(0.15)
        line.send(answer(201, resource("SM1")))

    carrier.behaviour = slow
    assert send() == Accepted("SM1")


def test_an_answer_in_pieces_is_put_together(carrier: CarrierServer) -> None:
    def in_pieces(request: Request, line: Line) -> None:
        whole = answer(201, resource("SM1"))
        for start in range(0, len(whole), 100):
            line.send(whole[start : start + 100])
            line.wait(0.01)

    carrier.behaviour = in_pieces
    assert send() == Accepted("SM1")


@pytest.mark.parametrize("encoding", ["chunked", "gzip"])
def test_an_answer_in_another_encoding_is_read(carrier: CarrierServer, encoding: str) -> None:
    body = json.dumps(resource("SM1")).encode()
    if encoding == "gzip":
        response = answer(201, gzip.compress(body), Content_Encoding="gzip")
    else:
        head = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        response = head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    carrier.behaviour = lambda request, line: line.send(response)
    assert send() == Accepted("SM1")


# --- When nobody is there --------------------------------------------------------------------------------------------


def test_a_refused_connection_means_that_nothing_was_sent(settings: Settings) -> None:
    settings.TWILIO_API_URL = f"http://127.0.0.1:{free_port()}"
    assert send() == NotTaken()


def test_a_host_that_nobody_knows_means_that_nothing_was_sent(settings: Settings) -> None:
    settings.TWILIO_API_URL = "http://carrier.invalid"
    assert send() == NotTaken()


def test_a_connection_that_does_not_come_about_in_time_means_that_nothing_was_sent(settings: Settings) -> None:
    with full_listener() as port:
        settings.TWILIO_API_URL = f"http://127.0.0.1:{port}"
        assert send() == NotTaken()


class full_listener:  # noqa: N801  reads as a function
    """A port at which somebody listens who never takes a call: its queue is full."""

    def __enter__(self) -> int:
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=0)]
        address = self._sockets[0].getsockname()
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(address)
            self._sockets.append(waiting)
        return int(address[1])

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()
