"""What the carrier's own list says of our texts, over real connections: complete, or CarrierUnreachable."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from messaging.failures import FailureReason
from messaging.sms import CarrierRecord, CarrierUnreachable, InboundMedia, InboundText, OutboundText, ReportedState
from telephony import http_client
from telephony.backends import TwilioBackend
from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import NUMBERS, phones_in_thread
from telephony.tests.carrier_server import CarrierServer, Line, Request, answer, carrier_server
from tests.running import free_port

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
OURS, THEIRS = "+18015550100", "+13855550142"


@pytest.fixture
def carrier(settings: Settings) -> Iterator[CarrierServer]:
    with carrier_server() as server:
        settings.TWILIO_API_URL = server.url
        yield server


@pytest.fixture(autouse=True)
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_SECONDS", 0.5)


def entry(sid: str, *, minutes_ago: float | None = 1, sent_minutes_ago: float | None = None, **more: Any) -> Any:
    """One message of the list, as docs/carrier.md, section 1, has it."""
    created = None if minutes_ago is None else format_datetime(NOW - timedelta(minutes=minutes_ago))
    sent = minutes_ago if sent_minutes_ago is None else sent_minutes_ago
    return {
        "sid": sid, "status": "delivered", "error_code": None, "body": f"text {sid}", "num_media": "0",
        "date_created": created, "date_sent": None if sent is None else format_datetime(NOW - timedelta(minutes=sent)),
        "from": OURS, "to": THEIRS, "direction": "outbound-api", "subresource_uris": {},
    } | more  # fmt: skip


def page(*entries: Any, next_page: str | None = None) -> bytes:
    return answer(
        200, {"messages": list(entries), "next_page_uri": next_page, "page": 0, "page_size": 1000, "uri": "/"}
    )


def serve(carrier: CarrierServer, *pages: bytes) -> None:
    """The answers, one after the other."""
    waiting = list(pages)
    carrier.behaviour = lambda request, line: line.send(waiting.pop(0))


def outgoing() -> list[CarrierRecord]:
    return list(TwilioBackend().outgoing_since(OURS, SINCE))


def incoming() -> list[tuple[InboundText, datetime]]:
    return list(TwilioBackend().incoming_since(OURS, SINCE))


def test_an_outgoing_text_comes_with_what_became_of_it(carrier: CarrierServer) -> None:
    serve(carrier, page(entry("SM1"), entry("SM2", status="undelivered", error_code=30003)))
    created = NOW - timedelta(minutes=1)
    assert outgoing() == [
        CarrierRecord("SM1", OURS, THEIRS, "text SM1", created, ReportedState.DELIVERED, None, None),
        CarrierRecord(
            "SM2", OURS, THEIRS, "text SM2", created, ReportedState.UNDELIVERED, FailureReason.PHONE_OFF, 30003
        ),
    ]


@pytest.mark.parametrize("status", ["received", "partially_delivered", "teleported", "", None])
def test_a_word_that_moves_nothing_is_no_state(carrier: CarrierServer, status: str | None) -> None:
    serve(carrier, page(entry("SM1", status=status)))
    (record,) = outgoing()
    assert record.state is None


def test_the_number_is_asked_for_and_no_date(carrier: CarrierServer) -> None:
    """A filter by DateSent would leave out what waits in the carrier's queue."""
    serve(carrier, page())
    assert outgoing() == []
    query = parse_qs(urlsplit(carrier.requests[0].path).query)
    assert query == {"From": [OURS], "PageSize": ["1000"]}


def test_every_page_is_read_at_the_address_that_the_last_one_names(carrier: CarrierServer) -> None:
    second = "/2010-04-01/Accounts/AC/Messages.json?PageSize=1000&Page=1&PageToken=PASM1"
    serve(carrier, page(entry("SM1"), next_page=second), page(entry("SM2")))
    assert [record.carrier_id for record in outgoing()] == ["SM1", "SM2"]
    assert carrier.requests[1].path == second


def test_what_is_older_is_left_out_and_no_page_is_asked_for_in_vain(carrier: CarrierServer) -> None:
    serve(carrier, page(entry("SM1"), entry("SM2", minutes_ago=61), next_page="/2010-04-01/more"))
    assert [record.carrier_id for record in outgoing()] == ["SM1"]
    assert len(carrier.requests) == 1


def test_a_text_that_waited_long_in_the_carriers_queue_hides_none_behind_it(carrier: CarrierServer) -> None:
    """The list is ordered by when a text was sent, maybe hours after it was made (docs/carrier.md, section 1)."""
    serve(
        carrier,
        page(
            entry("made early, sent just now", minutes_ago=180, sent_minutes_ago=1),
            entry("SM1", minutes_ago=30),
            entry("made early, not sent yet", minutes_ago=180, date_sent=None),
            entry("SM2", minutes_ago=59),
            entry("made and sent early", minutes_ago=180),
        ),
    )
    assert [record.carrier_id for record in outgoing()] == ["SM1", "SM2"]


def test_a_text_that_was_not_sent_yet_is_listed(carrier: CarrierServer) -> None:
    serve(carrier, page(entry("SM1", status="queued", date_sent=None)))
    (record,) = outgoing()
    assert record.state == ReportedState.ACCEPTED


# --- Incoming --------------------------------------------------------------------------------------------------------


def inbound_entry(sid: str, **more: Any) -> Any:
    return entry(sid, **{"from": THEIRS, "to": OURS, "direction": "inbound", "status": "received"} | more)


def test_an_incoming_text_comes_with_when_it_came(carrier: CarrierServer) -> None:
    serve(carrier, page(inbound_entry("SM1", body="Running late")))
    assert incoming() == [(InboundText("SM1", THEIRS, OURS, "Running late"), NOW - timedelta(minutes=1))]
    assert parse_qs(urlsplit(carrier.requests[0].path).query) == {"To": [OURS], "PageSize": ["1000"]}


def test_a_text_between_two_of_our_numbers_is_not_incoming(carrier: CarrierServer) -> None:
    serve(carrier, page(entry("SM1", to=OURS), entry("SM2", to=OURS, direction="outbound-reply"), inbound_entry("SM3")))
    assert [text.carrier_id for text, _at in incoming()] == ["SM3"]


def test_pictures_are_asked_for_where_the_list_says_that_there_are_some(carrier: CarrierServer) -> None:
    media = {
        "media_list": [
            {"sid": "ME1", "content_type": "image/png", "uri": "/2010-04-01/Accounts/AC/Messages/MM1/Media/ME1.json"},
            {"sid": "ME2", "content_type": None, "uri": "/2010-04-01/Accounts/AC/Messages/MM1/Media/ME2.json"},
        ],
        "next_page_uri": None,
    }
    serve(carrier, page(inbound_entry("MM1", num_media="2", body=None)), answer(200, media))
    ((text, _at),) = incoming()
    base = "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM1/Media"
    assert text.media == (InboundMedia(f"{base}/ME1", "image/png"), InboundMedia(f"{base}/ME2", ""))
    assert text.body == ""


@pytest.mark.parametrize("sender", [None, "", " \0"])
def test_a_text_of_nobody_does_not_keep_the_others_from_being_found(carrier: CarrierServer, sender: str | None) -> None:
    serve(carrier, page(inbound_entry("SM1", **{"from": sender}), inbound_entry("SM2")))
    assert [text.carrier_id for text, _at in incoming()] == ["SM2"]


# --- When the list can't be had --------------------------------------------------------------------------------------


def hangs_up(request: Request, line: Line) -> None:
    line.hang_up()


def says_nothing(request: Request, line: Line) -> None:
    line.wait(5)


BAD_ANSWERS = {
    "401": answer(401, {"code": 20003, "message": "Authenticate", "status": 401}),
    "429": answer(429, {"code": 20429, "message": "Too Many Requests", "status": 429}),
    "500": answer(500, "<html>", content_type="text/html"),
    "302": answer(302, b"", Location="/elsewhere"),
    "garbage": answer(200, b"\xff{{"),
    "empty": answer(200, b""),
    "null": answer(200, b"null"),
    "a list": answer(200, []),
    "no messages in it": answer(200, {"status": 200}),
    "a message without a date": page(entry("SM1", minutes_ago=None)),
    "messages that are none": page("SM1", "SM2"),
}


@pytest.mark.parametrize("response", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
@pytest.mark.parametrize("page_number", [1, 2])
def test_half_a_list_is_no_list(carrier: CarrierServer, response: bytes, page_number: int) -> None:
    first = page(entry("SM0"), next_page="/2010-04-01/more")
    serve(carrier, *([first] * (page_number - 1)), response)
    with pytest.raises(CarrierUnreachable):
        outgoing()


@pytest.mark.parametrize("behaviour", [hangs_up, says_nothing])
def test_no_answer_is_no_list(carrier: CarrierServer, behaviour: Any) -> None:
    carrier.behaviour = behaviour
    with pytest.raises(CarrierUnreachable):
        incoming()


def test_nobody_there_is_no_list(settings: Settings) -> None:
    settings.TWILIO_API_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CarrierUnreachable):
        outgoing()


# --- Against the pocket phones ---------------------------------------------------------------------------------------


@pytest.fixture
def phones(settings: Settings, tmp_path: Path) -> Iterator[PocketPhones]:
    """The phones; what they report goes nowhere."""
    with phones_in_thread(product_url=f"http://127.0.0.1:{free_port()}", state=tmp_path / "phones.sqlite3") as running:
        settings.TWILIO_API_URL = running.config.base_url
        settings.TWILIO_ACCOUNT_SID = running.config.account_sid
        settings.TWILIO_AUTH_TOKENS = list(running.config.auth_tokens)
        running.control.timing(sent=0, delivered=0)
        yield running.control


def test_the_pocket_phones_list_what_went_out_and_came_in(phones: PocketPhones) -> None:
    backend, our_number = TwilioBackend(), NUMBERS[0]
    backend.send(OutboundText(uuid.uuid4(), our_number, THEIRS, "Your court date is Tuesday"))
    phones.text(THEIRS, our_number, "Thanks", media=[("image/png", b"\x89PNG")])
    phones.wait_for(THEIRS, "Your court date is Tuesday")
    since = datetime.now(UTC) - timedelta(minutes=5)
    (sent,) = backend.outgoing_since(our_number, since)
    assert (sent.body, sent.their_number, sent.state) == (
        "Your court date is Tuesday",
        THEIRS,
        ReportedState.DELIVERED,
    )
    ((received, at),) = backend.incoming_since(our_number, since)
    assert (received.body, received.from_address, received.media[0].content_type) == ("Thanks", THEIRS, "image/png")
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)
