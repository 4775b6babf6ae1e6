"""What the product's answer to an incoming text does (section 5, "Reply to an inbound message"; 12.29)."""

import pytest
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse

from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA, SECOND_DEPARTMENT
from telephony.tests.simulator.product import INBOUND, STATUS, Answer, Product


def twiml(*bodies: str) -> Answer:
    response = MessagingResponse()
    for body in bodies:
        response.message(body)
    return Answer(str(response).encode())


def alerts(phones: PocketPhones) -> list[int]:
    return [entry["code"] for entry in phones.log(kind="alert")]


def test_empty_response_says_nothing(phones: PocketPhones, twilio: Client) -> None:
    phones.text(MARIA, DEPARTMENT, "Hi")
    assert (phones.received(MARIA), alerts(phones)) == ([], [])
    assert len(twilio.messages.list()) == 1


@pytest.mark.parametrize("answer", [Answer(b"", 204, ""), Answer(b"", 200, "")])
def test_empty_answer_is_fine(phones: PocketPhones, product: Product, answer: Answer) -> None:
    product.answer(answer)
    phones.text(MARIA, DEPARTMENT, "Hi")
    assert (phones.received(MARIA), alerts(phones)) == ([], [])


def test_message_in_the_answer_is_an_outbound_reply(phones: PocketPhones, product: Product, twilio: Client) -> None:
    product.answer(twiml("We'll call you & wait"))
    phones.text(MARIA, DEPARTMENT, "Hi")
    assert phones.wait_for(MARIA, "We'll call you & wait").sender == DEPARTMENT
    (message,) = twilio.messages.list(to=MARIA)
    assert (message.direction, message.from_) == ("outbound-reply", DEPARTMENT)


def test_reply_names_other_numbers_and_a_callback(phones: PocketPhones, product: Product) -> None:
    response = MessagingResponse()
    response.message("Psst", to=ALI, from_=SECOND_DEPARTMENT, action=product.status_url)
    product.answer(Answer(str(response).encode()))
    phones.text(MARIA, DEPARTMENT, "Hi")
    assert phones.wait_for(ALI, "Psst").sender == SECOND_DEPARTMENT
    assert product.wait_for(STATUS, 2)[0]["MessageStatus"] == "sent"


def test_reply_with_body_and_media_nouns(phones: PocketPhones, product: Product) -> None:
    response = MessagingResponse()
    message = response.message("")
    message.body("See the map")
    message.media(f"{product.url}/map.png")
    product.answer(Answer(str(response).encode()))
    product.answer(Answer(b"png", content_type="image/png"), path="/map.png")
    phones.text(MARIA, DEPARTMENT, "Where?")
    assert phones.wait_for(MARIA, "See the map").media == [{"content_type": "image/png", "size": 3}]


def test_redirect_fetches_another_document(phones: PocketPhones, product: Product) -> None:
    response = MessagingResponse()
    response.redirect(f"{product.url}/more/")
    product.answer(Answer(str(response).encode()))
    product.answer(twiml("From the second document"), path="/more/")
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_for(MARIA, "From the second document")
    assert product.at("/more/")[0]["Body"] == "Hi"


def test_plain_text_reaches_the_client(phones: PocketPhones, product: Product) -> None:
    product.answer(Answer(b"Server Error (500)", content_type="text/plain; charset=utf-8"))
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_for(MARIA, "Server Error (500)")


def test_error_answer_reaches_nobody(phones: PocketPhones, product: Product) -> None:
    product.answer(Answer(b"Server Error (500)", status=500, content_type="text/plain"))
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_until_quiet()
    assert (phones.received(MARIA), alerts(phones)) == ([], [11200])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b'\n<?xml version="1.0"?><Response><Message>x</Message></Response>'), 12100),
        (Answer(b"<Response><Message>x</Message>"), 12100),
        (Answer(b"<Answer/>"), 12100),
        (Answer(b"<Response><Message>x</Message></Response>", content_type=""), 12300),
        (Answer(b'{"ok": true}', content_type="application/json"), 12300),
        (Answer(b"<Response><Message>x</Message>" + b" " * 65_536 + b"</Response>"), 11750),
    ],
)
def test_bad_answer_sends_nothing_and_is_an_alert(
    phones: PocketPhones, product: Product, answer: Answer, code: int
) -> None:
    product.answer(answer)
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_until_quiet()
    assert (phones.received(MARIA), alerts(phones)) == ([], [code])


def test_unknown_element_is_a_warning_and_the_rest_is_done(phones: PocketPhones, product: Product) -> None:
    product.answer(Answer(b"<Response><Dance/><Message>All the same</Message></Response>"))
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_for(MARIA, "All the same")
    assert alerts(phones) == [12200]


def test_no_more_than_ten_messages_in_one_answer(phones: PocketPhones, product: Product) -> None:
    product.answer(twiml(*(f"number {number}" for number in range(12))))
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_until_quiet()
    assert len(phones.received(MARIA)) == 10
    assert alerts(phones) == [14109]


def test_loop_of_machines_is_stopped(phones: PocketPhones, product: Product) -> None:
    product.answer(twiml(*(["I am away"] * 8)))
    for _ in range(2):
        phones.text(MARIA, DEPARTMENT, "I am away")
    phones.wait_until_quiet()
    assert len(phones.received(MARIA)) == 15
    assert alerts(phones) == [14107]
    phones.advance(31)
    phones.text(MARIA, DEPARTMENT, "I am back")
    phones.wait_until_quiet()
    assert len(phones.received(MARIA)) == 23


def test_reply_to_somebody_who_opted_out_is_refused(phones: PocketPhones, product: Product) -> None:
    product.answer(twiml("Sorry to hear that"))
    phones.text(MARIA, DEPARTMENT, "STOP")
    phones.wait_until_quiet()
    assert [text.by for text in phones.received(MARIA)] == ["carrier"]
    assert alerts(phones) == [21610]


def test_reply_to_no_number_is_refused(phones: PocketPhones, product: Product) -> None:
    product.answer(twiml("Hello"))
    phones.text("32665", DEPARTMENT, "Hi")
    assert alerts(phones) == [14101]
    assert product.at(INBOUND)[0]["From"] == "32665"
