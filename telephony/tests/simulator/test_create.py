"""Creating a message: what comes back, and every rule by its code (section 1)."""

import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.simulator.openapi_check import WITHOUT_EFFECT
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA, messages_url, post_message
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import Product


def refusal(config: PhonesConfig, **changes: Any) -> tuple[int, int]:
    """HTTP status and code of a create request that differs from a good one in `changes`; None takes one out."""
    form = {"To": MARIA, "From": DEPARTMENT, "Body": "Hello", **changes}
    answer = post_message(config, **{name: value for name, value in form.items() if value is not None})
    assert answer.json().keys() == {"code", "message", "more_info", "status"}
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["code"]


def test_created_message_has_the_full_resource(config: PhonesConfig) -> None:
    answer = post_message(config, To=MARIA, From=DEPARTMENT, Body="Hello")
    assert answer.status_code == 201
    message = answer.json()
    assert re.fullmatch(r"SM[0-9a-f]{32}", message["sid"])
    assert {name: message[name] for name in ("status", "direction", "from", "to", "body", "num_media")} == {
        "status": "queued", "direction": "outbound-api", "from": DEPARTMENT, "to": MARIA, "body": "Hello",
        "num_media": "0",
    }  # fmt: skip
    unknown_yet = ("date_sent", "price", "error_code", "error_message", "messaging_service_sid")
    assert [message[name] for name in unknown_yet] == [None] * 5
    assert message["num_segments"] == "1"
    assert message["uri"] == f"/2010-04-01/Accounts/{config.account_sid}/Messages/{message['sid']}.json"
    assert message["subresource_uris"]["media"].endswith(f"/{message['sid']}/Media.json")
    assert parsedate_to_datetime(message["date_created"]).utcoffset() is not None
    assert message["date_created"].endswith("+0000")


def test_answer_has_twilios_headers(config: PhonesConfig) -> None:
    headers = post_message(config, To=MARIA, From=DEPARTMENT, Body="Hello").headers
    assert re.fullmatch(r"RQ[0-9a-f]{32}", headers["Twilio-Request-Id"])
    assert headers["Twilio-Concurrent-Requests"] == "1"


def test_message_with_a_picture_is_an_mm(send: Sender, product: Product) -> None:
    message = send(media_url=[f"{product.url}/a.jpg", f"{product.url}/b.jpg"])
    assert message.sid.startswith("MM")
    assert message.num_media == "2"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "not a number"}, 21211),
        ({"To": "8015550142"}, 21211),
        ({"To": "+1801555014"}, 21211),
        ({"To": "+10015550142"}, 21211),
        ({"To": DEPARTMENT}, 21211),
        ({"To": "32665"}, 21265),
        ({"From": None}, 21603),
        ({"From": "nonsense!"}, 21212),
        ({"From": "a name too long"}, 21212),
        ({"From": "ClientComm"}, 21612),
        ({"From": "+18015550150"}, 21606),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"Body": "\N{WAVING HAND SIGN}" * 801}, 21617),
        ({"Body": None, "ContentSid": "HX" + "0" * 32}, 21654),
        ({"ContentVariables": "not JSON", "ContentSid": "HX" + "0" * 32}, 21656),
        ({"ContentVariables": "[1]"}, 21656),
        ({"MediaUrl": ["https://example.org/a.jpg"] * 11}, 21623),
        ({"MediaUrl": "not a URL"}, 21620),
        ({"StatusCallback": "ftp://example.org/"}, 21609),
        ({"StatusCallback": "/status"}, 21609),
        ({"StatusCallback": "https://our_host.example.org/"}, 21609),
        ({"StatusCallback": "https://example.org/" + "x" * 4000}, 21609),
        ({"ValidityPeriod": "0"}, 90007),
        ({"ValidityPeriod": "36001"}, 90007),
        ({"ValidityPeriod": "soon"}, 90007),
        ({"MessagingServiceSid": "MG" + "0" * 32}, 21705),
        ({"To": "+18015550104"}, 21610),
        ({"To": "+12125550105"}, 21614),
    ],
)
def test_broken_rule_is_a_400_with_its_code(config: PhonesConfig, changes: dict[str, Any], code: int) -> None:
    assert refusal(config, **changes) == (400, code)


def test_refused_message_is_not_in_the_list(config: PhonesConfig, twilio: Client) -> None:
    refusal(config, Body="")
    assert twilio.messages.list() == []


@pytest.mark.parametrize("body", ["x" * 1600, "\N{WAVING HAND SIGN}" * 800])
def test_1600_utf16_units_are_taken(send: Sender, body: str) -> None:
    assert send(body).body == body


def test_media_alone_needs_no_body(config: PhonesConfig, product: Product) -> None:
    answer = post_message(config, To=MARIA, From=DEPARTMENT, MediaUrl=f"{product.url}/a.jpg")
    assert (answer.status_code, answer.json()["body"]) == (201, "")


def test_unknown_parameter_is_ignored_without_a_word(config: PhonesConfig) -> None:
    answer = post_message(config, To=MARIA, From=DEPARTMENT, Body="Hello", StatusCallbak="https://example.org/")
    assert answer.status_code == 201


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_parameter_that_has_no_effect_here_is_taken(config: PhonesConfig, name: str) -> None:
    answer = post_message(config, To=MARIA, From=DEPARTMENT, Body="Hello", **{name: "true"})
    assert (answer.status_code, answer.json()["body"], answer.json()["status"]) == (201, "Hello", "queued")


def test_text_can_be_made_an_mms(config: PhonesConfig) -> None:
    message = post_message(config, To=MARIA, From=DEPARTMENT, Body="Hello", SendAsMms="true").json()
    assert message["sid"].startswith("MM")
    assert message["num_media"] == "0"


def test_json_body_is_not_read(config: PhonesConfig) -> None:
    credentials = (config.account_sid, config.auth_tokens[0])
    answer = requests.post(messages_url(config), json={"To": MARIA}, auth=credentials, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, 21604)


def test_twilios_package_sees_code_and_status(send: Sender) -> None:
    with pytest.raises(TwilioRestException) as caught:
        send(to="+18015550104")
    assert (caught.value.status, caught.value.code) == (400, 21610)


@pytest.mark.parametrize(
    ("body", "segments"), [("x" * 160, "1"), ("x" * 161, "2"), ("ж" * 70, "1"), ("ж" * 71, "2"), ("€" * 81, "2")]
)
def test_segments_are_counted(send: Sender, body: str, segments: str) -> None:
    assert send(body).num_segments == segments


def test_smart_encoding_changes_the_text(send: Sender) -> None:
    body = "It\N{RIGHT SINGLE QUOTATION MARK}s \N{LEFT DOUBLE QUOTATION MARK}now\N{RIGHT DOUBLE QUOTATION MARK}"
    assert send(body, smart_encoded=True).body == 'It\'s "now"'
    assert send(body).body == body


def test_trial_account_adds_its_words_and_knows_verified_numbers_only(phones: PocketPhones, send: Sender) -> None:
    phones.account(trial=True, verified_numbers=[MARIA])
    assert send("Hello").body == "Sent from your Twilio trial account - Hello"
    with pytest.raises(TwilioRestException) as caught:
        send(to="+18015550150")
    assert caught.value.code == 21608
