"""What people write and whom they write to is in the database and on the screen, and in no log."""

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPDataError
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.db import DataError
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import Settings

from accounts.models import OutgoingEmail, User
from accounts.tasks import deliver_mail
from clients.models import CaseAssignment
from messaging import delivery, notifications
from messaging.actions import import_rows
from messaging.models import Message
from messaging.sms import Accepted, Unclear
from messaging.tasks import take_imported_clients
from telephony import receiving, tasks
from telephony.backends import TwilioBackend
from telephony.models import StrayText
from telephony.tests import wire
from telephony.tests.carrier_server import CarrierServer, Line, Request, answer, carrier_server
from telephony.tests.carrier_server import message_resource as resource
from telephony.tests.everything_logged import Collector, everything_logged
from tests.builders import make_client

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

OURS, THEIRS = wire.OUR_NUMBER, wire.THEIR_NUMBER
OUT, IN, NOTES = "Your hearing is on the ninth floor", "I sleep in the blue van", "relapsed in spring"
SEARCHED, NAME = "whom I looked for", "Rumpelstiltskin"


@pytest.fixture
def carrier(settings: Settings) -> Iterator[CarrierServer]:
    with carrier_server() as server:
        settings.TWILIO_API_URL = server.url
        yield server


@pytest.fixture
def log() -> Iterator[Collector]:
    with everything_logged() as collector:
        yield collector


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    assignment = make_client(alice, address=THEIRS, last_name=NAME)
    assignment.notes = NOTES
    assignment.save()
    return assignment


def type_text(browser: Browser, assignment: CaseAssignment, body: str = OUT) -> None:
    path = f"/conversations/{assignment.client_id}/"
    response = browser.post(path, {"body": body, "submission_key": uuid.uuid4()})
    assert response.status_code == 302, response.content


def assert_nothing_is_said(log: Collector) -> None:
    assert log.lines, "nothing was logged at all: this test would see nothing"
    for secret in (OUT, IN, NOTES, SEARCHED, NAME, THEIRS, THEIRS.removeprefix("+"), "555-0142", "5550142"):
        assert secret not in log.text, secret


def test_a_text_out_and_its_answer(
    log: Collector, carrier: CarrierServer, as_alice: Browser, maria: CaseAssignment
) -> None:
    carrier.behaviour = lambda request, line: line.send(answer(201, resource("SM1")))
    as_alice.get("/", {"search": SEARCHED})
    as_alice.get(f"/conversations/{maria.client_id}/")
    type_text(as_alice, maria)
    assert delivery.deliver_due(TwilioBackend()) == 1
    message = Message.objects.get()
    wire.post(f"{wire.STATUS}?m={message.public_id}", wire.status_form("delivered", "SM1"))
    wire.assert_taken(wire.post(wire.INBOUND, wire.inbound_form(Body=IN)))
    as_alice.get(f"/conversations/{maria.client_id}/talk/")
    assert Message.objects.count() == 2
    assert_nothing_is_said(log)


def refuse(request: Request, line: Line) -> None:
    line.send(answer(400, {"code": 21211, "message": f"The 'To' number {THEIRS} is not valid: {OUT}", "status": 400}))


def break_down(request: Request, line: Line) -> None:
    line.send(answer(500, f"<p>{THEIRS}: {OUT}</p>", content_type="text/html"))


def talk_nonsense(request: Request, line: Line) -> None:
    line.send(answer(201, f"{THEIRS}: {OUT}"))


def reset(request: Request, line: Line) -> None:
    line.reset()


@pytest.mark.parametrize("behaviour", [refuse, break_down, talk_nonsense, reset])
def test_a_text_that_the_carrier_fails(
    log: Collector, carrier: CarrierServer, as_alice: Browser, maria: CaseAssignment, behaviour: Any
) -> None:
    carrier.behaviour = behaviour
    type_text(as_alice, maria)
    delivery.deliver_due(TwilioBackend())
    assert Message.objects.get().state in (Message.State.FAILED, Message.State.UNKNOWN)
    as_alice.get(f"/conversations/{maria.client_id}/")
    assert_nothing_is_said(log)


def test_a_backend_that_raises_with_the_text_in_its_words(
    log: Collector, as_alice: Browser, maria: CaseAssignment
) -> None:
    class Broken:
        def send(self, text: object) -> Accepted | Unclear:
            raise RuntimeError(f"could not send {text}")

    type_text(as_alice, maria)
    delivery.deliver_due(Broken())
    assert "the backend raised RuntimeError" in log.text
    assert_nothing_is_said(log)


def test_a_text_that_is_sent_twice_as_far_as_the_carrier_says(
    log: Collector, carrier: CarrierServer, as_alice: Browser, maria: CaseAssignment
) -> None:
    type_text(as_alice, maria)
    delivery.deliver_due(TwilioBackend())
    message = Message.objects.get()
    wire.post(f"{wire.STATUS}?m={message.public_id}", wire.status_form("delivered", "another id"))
    assert "went out twice" in log.text
    assert_nothing_is_said(log)


def test_texts_that_are_refused_or_find_no_place(log: Collector, maria: CaseAssignment) -> None:
    wire.post(wire.INBOUND, wire.inbound_form(Body=IN), signature="forged")
    wire.assert_taken(wire.post(wire.INBOUND, wire.inbound_form(Body=IN, To="+19995550100")))
    wire.assert_taken(wire.post(wire.INBOUND, wire.inbound_form(Body=IN, From="")))
    StrayText.objects.update(try_at=maria.started_at)
    tasks.retry_stray_texts()
    assert StrayText.objects.filter(attempts=1).count() == 2
    assert_nothing_is_said(log)


def test_a_database_that_puts_the_row_into_its_error(
    log: Collector, maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DataError(f"value too long\nDETAIL:  Failing row contains ({IN}, {THEIRS}).")

    monkeypatch.setattr(receiving, "receive_text", fail)
    wire.assert_taken(wire.post(wire.INBOUND, wire.inbound_form(Body=IN)))
    assert "DataError" in log.text
    assert_nothing_is_said(log)


class BrokenMailServer:
    """Refuses with the mail's own words, as servers do."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def send_messages(self, messages: list[EmailMessage]) -> int:
        raise SMTPDataError(550, f"{messages[0].subject}: {messages[0].body}".encode())


def test_a_mail_about_a_text_that_is_refused(log: Collector, maria: CaseAssignment, settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.BrokenMailServer"
    wire.assert_taken(wire.post(wire.INBOUND, wire.inbound_form(Body=IN)))
    assert notifications.tell_at_once(now=timezone.now() + timedelta(minutes=1)) == 1
    OutgoingEmail.objects.update(due_at=timezone.now())
    deliver_mail()
    queued = OutgoingEmail.objects.get()
    assert queued.attempts == 1
    assert IN not in queued.subject + queued.text_body + queued.html_body
    assert_nothing_is_said(log)


def test_forms_that_are_sent_back(log: Collector, as_alice: Browser, maria: CaseAssignment) -> None:
    path = f"/conversations/{maria.client_id}/"
    as_alice.post(path, {"body": OUT + "x" * 2_000, "submission_key": uuid.uuid4()})
    as_alice.post(path, {"body": OUT, "submission_key": "no key"})
    as_alice.post("/clients/new/", {"last_name": NAME, "phone_number": THEIRS + "1", "notes": NOTES})
    as_alice.post("/clients/new/", {"last_name": NAME, "phone_number": "(385) 555-0142", "notes": NOTES, "status": "x"})
    Browser(enforce_csrf_checks=True).post(path, {"body": OUT})
    as_alice.get(f"/conversations/0/?body={OUT}")
    assert_nothing_is_said(log)


def test_a_file_of_clients(
    log: Collector, as_alice: Browser, maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DataError(f"value too long\nDETAIL:  Failing row contains ({NAME}, {NOTES}).")

    rows = f"{NAME},{THEIRS},{NOTES}\n{NAME},(385) 555-0143,{NOTES}\n{NAME},555-0142,{NOTES}\n"
    file = SimpleUploadedFile(f"{NAME}.csv", f"Last name,Phone,Notes\n{rows}".encode())
    address = as_alice.post("/clients/import/", {"table": file})["Location"]
    chosen = {"column-0": "last_name", "column-1": "phone_number", "column-2": "notes", "has_headings": "on"}
    as_alice.post(address, {"button": "check", **chosen, "column-2": ""})
    as_alice.post(address, {"button": "check", **chosen})
    as_alice.post(address, {"button": "apply", **chosen})
    monkeypatch.setattr(import_rows, "add_client", fail)
    take_imported_clients()
    assert "DataError" in log.text
    as_alice.get(address)
    as_alice.get(f"{address}not-taken.csv")
    as_alice.post("/clients/export/")
    assert_nothing_is_said(log)


def test_the_lines_are_looked_at_as_they_are_logged() -> None:
    """The proof that the collector would see it."""
    with everything_logged() as log:
        logging.getLogger("urllib3.connectionpool").debug("POST %s", THEIRS, extra={"form": {"Body": IN}})
        try:
            raise ValueError(OUT)
        except ValueError:
            logging.getLogger("messaging.delivery").exception("failed")
    for secret in (THEIRS, IN, OUT):
        assert secret in log.text
