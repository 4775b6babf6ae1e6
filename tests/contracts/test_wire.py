"""The product and the pocket phones over real HTTP, both ways: what one says, the other reads."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from clients.models import CaseAssignment
from messaging import delivery
from messaging.failures import FailureReason
from messaging.models import Message
from telephony.backends import TwilioBackend
from telephony.models import StrayText
from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import phones_in_thread
from tests.builders import make_client, make_department, make_outgoing, make_user, number_of
from tests.running import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

State = Message.State
OURS = "+18015550100"


@pytest.fixture
def phones(settings: Settings, live_server: LiveServer, tmp_path: Path) -> Iterator[PocketPhones]:
    state = tmp_path / "phones.sqlite3"
    with phones_in_thread(product_url=live_server.url, state=state, numbers=[OURS]) as running:
        settings.PUBLIC_URL = live_server.url
        settings.TWILIO_API_URL = running.config.base_url
        settings.TWILIO_ACCOUNT_SID = running.config.account_sid
        settings.TWILIO_AUTH_TOKENS = list(running.config.auth_tokens)
        running.control.timing(sent=0.01, delivered=0.02)
        yield running.control


@pytest.fixture
def client_at() -> Callable[[str], CaseAssignment]:
    case_manager = make_user(make_department(phone_number=OURS))
    return lambda address: make_client(case_manager, address=address)


def send(assignment: CaseAssignment, body: str = "Your court date is Tuesday") -> Message:
    """Hands a text over; gives the row as it is then."""
    message = make_outgoing(assignment, body)
    assert delivery.deliver_due(TwilioBackend()) == 1
    return after(message)


def after(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def ends_as(message: Message, state: State) -> Message:
    wait_for(lambda: after(message).state == state, f"the state {state}", within=5)
    return after(message)


def test_a_text_reaches_the_phone_and_its_end_is_reported(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    sent = send(client_at("+18015550142"), "¿Mañana? 😀")
    arrived = phones.wait_for("+18015550142", "¿Mañana? 😀")
    assert (arrived.sender, arrived.message_sid) == (OURS, sent.carrier_id)
    ends_as(sent, State.DELIVERED)
    assert len(phones.received("+18015550142")) == 1


def test_the_product_asks_for_what_it_means_and_no_more(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    """A parameter that Twilio doesn't know is ignored without a word (its warning 20001)."""
    send(client_at("+18015550142"))
    (asked,) = phones.log(kind="asked")
    assert [name for name, _value in asked["parameters"]] == ["To", "StatusCallback", "From", "Body"]


ENDINGS = {
    "+18015550102": (State.UNDELIVERED, FailureReason.PHONE_OFF, 30003),
    "+18015550103": (State.FAILED, FailureReason.UNEXPLAINED, 30008),
    "+18015550104": (State.FAILED, FailureReason.OPTED_OUT, 21610),
    "+18015550105": (State.FAILED, FailureReason.NOT_A_MOBILE, 21614),
}


def test_numbers_that_always_behave_alike_are_understood(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    sent = {number: send(client_at(number)) for number in ENDINGS}
    phones.wait_until_quiet()
    failed = {number: after(message) for number, message in sent.items()}
    assert {number: (it.state, it.failure_reason, it.error_code) for number, it in failed.items()} == ENDINGS
    assert [number for number in ENDINGS if phones.received(number)] == []
    opted_out = [number for number, message in sent.items() if number_of(message.assignment).is_opted_out]
    assert opted_out == ["+18015550104"]


def test_an_answer_reaches_the_conversation_and_the_phone_is_told(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    assignment = client_at("+18015550142")
    sent = phones.text("+18015550142", OURS, "Running late, 😀\nsorry", media=[("image/png", b"\x89PNG")])
    (answer,) = sent.webhooks
    assert (answer.status, answer.attempts, answer.error_code) == (200, 1, None)
    message = Message.objects.get()
    assert (message.carrier_id, message.body, message.assignment) == (sent.sid, "Running late, 😀\nsorry", assignment)
    assert message.attachments.get().content_type == "image/png"
    assert phones.received("+18015550142") == []


def test_twenty_webhooks_at_once_over_the_wire_are_one_message(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    client_at("+18015550142")
    sent = phones.text("+18015550142", OURS, "Running late", times=20)
    assert [answer.status for answer in sent.webhooks] == [200] * 20
    assert Message.objects.count() == 1


def test_only_the_accounts_own_signatures_are_taken(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    client_at("+18015550142")
    signings: list[Any] = ["right", "old", "wrong", "none"]
    answers = [phones.text("+18015550142", OURS, kind, signing=kind).webhooks[0].status for kind in signings]
    assert answers == [200, 200, 403, 403]
    assert set(Message.objects.values_list("body", flat=True)) == {"right", "old"}


ODD_FORMS: list[dict[str, str | None]] = [
    {"Body": None}, {"Body": "nul \0"}, {"From": "32665"}, {"From": "ACME"}, {"From": OURS}, {"From": ""},
    {"From": None}, {"MessageSid": None, "SmsSid": None}, {"Unheard": "of"}, {"NumMedia": "ten"},
]  # fmt: skip


def test_whatever_comes_nobody_gets_an_error_or_an_answer(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    client_at("+18015550142")
    for count, parameters in enumerate(ODD_FORMS, start=1):
        (answer,) = phones.text("+18015550142", OURS, "Running late", parameters=parameters).webhooks
        assert (answer.status, answer.error_code) == (200, None), parameters
        assert Message.objects.count() + StrayText.objects.count() == count, parameters
    assert phones.log(kind="alert") == []
    assert phones.log(kind="arrived") == []


def test_however_the_reports_come_the_end_is_the_same(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    faults = ["callback_doubled", "callback_shuffled", "callback_early", "callback_unknown"]
    sent = {}
    for ending, fault in enumerate(faults, start=10):
        number = f"+180155501{ending}"
        phones.faults(fault, number=number, times=None)
        sent[fault] = send(client_at(number))
    phones.wait_until_quiet()
    ended = {fault: after(message) for fault, message in sent.items()}
    assert [message.state for message in ended.values()] == [State.DELIVERED] * 4
    assert [message.carrier_id for message in ended.values()] == [message.carrier_id for message in sent.values()]
    assert phones.log(kind="alert") == []


def test_a_text_that_was_unclear_is_cleared_up_by_its_report(
    phones: PocketPhones, client_at: Callable[[str], CaseAssignment]
) -> None:
    phones.faults("reset")
    message = make_outgoing(client_at("+18015550142"))
    delivery.deliver_due(TwilioBackend())
    ends_as(message, State.DELIVERED)
    assert delivery.claim_next(timezone.now()) is None
    assert len(phones.received("+18015550142")) == 1
