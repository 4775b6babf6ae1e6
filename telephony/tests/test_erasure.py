"""What the carrier answers when it is asked to forget a text, or about one text alone, over real connections."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from messaging import delivery, erasing, gaps, reconciliation
from messaging.models import Message
from messaging.sms import Accepted, CarrierUnreachable, OutboundText, ReportedState
from telephony import http_client
from telephony.backends import TwilioBackend
from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import NUMBERS, phones_in_thread
from telephony.tests.carrier_server import CarrierServer, answer, carrier_server
from telephony.tests.carrier_server import message_resource as resource
from tests.builders import make_client, make_department, make_outgoing, make_user
from tests.running import free_port

OURS, THEIRS = NUMBERS[0], "+13855550142"


@pytest.fixture
def carrier(settings: Settings) -> Iterator[CarrierServer]:
    with carrier_server() as server:
        settings.TWILIO_API_URL = server.url
        yield server


@pytest.fixture(autouse=True)
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_SECONDS", 0.5)


def refusal(status: int, code: int) -> bytes:
    return answer(status, {"code": code, "message": "no", "status": status, "more_info": ""})


def answers(carrier: CarrierServer, response: bytes) -> None:
    carrier.behaviour = lambda request, line: line.send(response)


def test_an_empty_body_is_what_is_asked(carrier: CarrierServer, settings: Settings) -> None:
    answers(carrier, answer(200, resource("SM1")))
    assert TwilioBackend().erase("SM1", with_media=True)
    (request,) = carrier.requests
    path = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages/SM1.json"
    assert (request.method, request.path, request.form) == ("POST", path, [("Body", "")])


def test_a_text_that_is_gone_is_forgotten(carrier: CarrierServer) -> None:
    answers(carrier, refusal(404, 20404))
    assert TwilioBackend().erase("SM1", with_media=True)


@pytest.mark.parametrize(("status", "code"), [(409, 20009), (400, 20009)])
def test_a_text_that_is_on_its_way_is_not_yet(carrier: CarrierServer, status: int, code: int) -> None:
    answers(carrier, refusal(status, code))
    assert not TwilioBackend().erase("SM1", with_media=True)


@pytest.mark.parametrize(
    "response",
    [refusal(401, 20003), refusal(429, 20429), answer(503, "<html>", content_type="text/html"), answer(200, b"{{")],
    ids=["401", "429", "503", "garbage"],
)
def test_what_would_meet_every_text_is_no_answer(carrier: CarrierServer, response: bytes) -> None:
    answers(carrier, response)
    with pytest.raises(CarrierUnreachable):
        TwilioBackend().erase("SM1", with_media=True)
    with pytest.raises(CarrierUnreachable):
        TwilioBackend().outgoing_text("SM1")


def test_nobody_there_is_no_answer(settings: Settings) -> None:
    settings.TWILIO_API_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CarrierUnreachable):
        TwilioBackend().erase("SM1", with_media=False)


def test_a_text_that_the_carrier_does_not_have_is_nothing(carrier: CarrierServer) -> None:
    answers(carrier, refusal(404, 20404))
    assert TwilioBackend().outgoing_text("SM1") is None


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


def send(words: str = "Your court date is Tuesday") -> str:
    accepted = TwilioBackend().send(OutboundText(uuid.uuid4(), OURS, THEIRS, words))
    assert isinstance(accepted, Accepted)
    return accepted.carrier_id


def bodies_at_the_carrier() -> dict[str, str]:
    since = timezone.now() - timedelta(hours=1)
    backend = TwilioBackend()
    listed: list[Any] = list(backend.outgoing_since(OURS, since))
    listed += [text for text, _at in backend.incoming_since(OURS, since)]
    return {text.carrier_id: text.body for text in listed}


def test_the_phones_forget_the_words_and_keep_the_rest(phones: PocketPhones) -> None:
    sent = send()
    phones.wait_for(THEIRS, "Your court date is Tuesday")
    phones.wait_until_quiet()
    backend = TwilioBackend()
    assert [backend.erase(sent, with_media=True) for _ in range(2)] == [True, True]
    record = backend.outgoing_text(sent)
    assert record is not None
    assert (record.body, record.state, record.their_number) == ("", ReportedState.DELIVERED, THEIRS)
    assert bodies_at_the_carrier() == {sent: ""}
    assert len(phones.received(THEIRS)) == 1, "what reached the phone stays there"


def test_the_phones_keep_the_files_of_an_incoming_text_unless_asked(phones: PocketPhones) -> None:
    sid = phones.text(THEIRS, OURS, "My new address", media=[("image/png", b"\x89PNG")]).sid
    backend, since = TwilioBackend(), timezone.now() - timedelta(hours=1)
    backend.erase(sid, with_media=False)
    ((text, _at),) = backend.incoming_since(OURS, since)
    assert (text.body, len(text.media)) == ("", 1)
    backend.erase(sid, with_media=True)
    ((text, _at),) = backend.incoming_since(OURS, since)
    assert (text.body, text.media) == ("", ())


@pytest.mark.django_db
def test_what_was_erased_there_is_not_sent_again_by_a_restored_database(phones: PocketPhones) -> None:
    """The backup knows the text as waiting; then it was sent, delivered, and erased at the carrier."""
    department = make_department(phone_number=OURS, erase_at_carrier=True)
    message = make_outgoing(make_client(make_user(department), address=THEIRS), "Your court date is Tuesday")
    backup = Message.objects.filter(pk=message.pk).values().get()
    delivery.deliver_due(TwilioBackend())
    phones.wait_until_quiet()
    reconciliation.compare_all(TwilioBackend(), now=timezone.now())
    assert erasing.erase_due(TwilioBackend(), now=timezone.now()) == 1
    assert list(bodies_at_the_carrier().values()) == [""]

    Message.objects.filter(pk=message.pk).update(**backup)
    gaps.tick(now=timezone.now())
    gaps.declare()
    gaps.close(TwilioBackend(), now=timezone.now())
    assert delivery.deliver_due(TwilioBackend()) == 0
    assert len(phones.received(THEIRS)) == 1
    assert Message.objects.get().state == Message.State.UNCONFIRMED


def test_the_phones_refuse_to_forget_what_is_on_its_way(phones: PocketPhones) -> None:
    phones.timing(sent=60, delivered=60)
    sent = send()
    assert not TwilioBackend().erase(sent, with_media=True)
    assert bodies_at_the_carrier() == {sent: "Your court date is Tuesday"}
