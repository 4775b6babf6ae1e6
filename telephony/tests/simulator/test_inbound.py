"""A client's text on its way to the product: parameters, signature, retries, redirects, fallback (sections 5 and 6)."""

import hashlib
import json

import pytest
from twilio.rest import Client

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA, SECOND_DEPARTMENT
from telephony.tests.simulator.product import INBOUND, Answer, Product


def genuine(product: Product) -> list[bool]:
    """For each webhook that came: whether it is signed with the primary token."""
    return [request.is_signed_with("primary-token") for request in product.at(INBOUND)]


def test_webhook_has_all_parameters(phones: PocketPhones, product: Product, config: PhonesConfig) -> None:
    sid = phones.text(MARIA, DEPARTMENT, "Running late").sid
    (request,) = product.at(INBOUND)
    expected = {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": config.account_sid, "From": MARIA,
        "To": DEPARTMENT, "Body": "Running late", "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received",
        "ApiVersion": "2010-04-01", "FromCountry": "US", "ToState": "UT",
    }  # fmt: skip
    assert {name: request[name] for name in expected} == expected
    assert "MessagingServiceSid" not in request
    assert "OptOutType" not in request
    assert (request.method, request.url) == ("POST", product.inbound_url)


@pytest.mark.parametrize(
    "body",
    ["Hello", "", " spaces  kept ", "a\r\nb", "Zażółć gęślą jaźń", "👋🏽 مرحبا", "NUL \x00 and \x0b", "a&b=c+d%20e"],
)
def test_signature_is_good_whatever_the_text(phones: PocketPhones, product: Product, body: str) -> None:
    phones.text(MARIA, DEPARTMENT, body)
    assert product.at(INBOUND)[0]["Body"] == body
    assert genuine(product) == [True]


def test_answer_of_the_product_comes_back(phones: PocketPhones, product: Product) -> None:
    product.answer(Answer(b"<Response><!-- taken --></Response>"))
    (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
    assert (answer.status, answer.error, answer.attempts) == (200, "", 1)
    assert "taken" in answer.body


def test_text_goes_to_the_accounts_first_number_unless_told_otherwise(phones: PocketPhones, product: Product) -> None:
    phones.text(MARIA, body="Hi")
    phones.text(MARIA, SECOND_DEPARTMENT, "Hi")
    assert [request["To"] for request in product.at(INBOUND)] == [DEPARTMENT, SECOND_DEPARTMENT]


@pytest.mark.parametrize("status", [404, 500])
def test_message_is_in_the_list_though_the_webhook_failed(
    phones: PocketPhones, product: Product, twilio: Client, status: int
) -> None:
    product.answer(Answer(status=status))
    sent = phones.text(MARIA, DEPARTMENT, "Hi")
    assert [answer.status for answer in sent.webhooks] == [status]
    (message,) = twilio.messages.list(to=DEPARTMENT)
    assert (message.sid, message.direction, message.status, message.body) == (sent.sid, "inbound", "received", "Hi")


def test_error_answer_is_not_tried_again(phones: PocketPhones, product: Product) -> None:
    product.answer(Answer(status=500))
    phones.text(MARIA, DEPARTMENT, "Hi")
    assert len(product.at(INBOUND)) == 1


def test_failed_connection_is_tried_once_more(phones: PocketPhones) -> None:
    phones.account(inbound_url="http://127.0.0.1:9/")
    (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
    assert (answer.status, answer.error, answer.error_code, answer.attempts) == (None, "connection refused", 11205, 2)


class TestOverrides:
    """`#rc=&rp=` in the URL's fragment, which is neither sent nor signed (section 5)."""

    def test_retry_on_server_errors(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(status=500), Answer(status=503), Answer())
        phones.account(inbound_url=product.inbound_url + "#rc=3&rp=5xx,ct")
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        assert (answer.status, answer.attempts) == (200, 3)
        assert len({request["MessageSid"] for request in product.at(INBOUND)}) == 1
        assert len({request.headers["i-twilio-idempotency-token"] for request in product.at(INBOUND)}) == 1
        assert genuine(product) == [True] * 3

    def test_retry_on_a_time_out_doubles_what_was_handled(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(seconds=0.4), Answer())
        phones.account(inbound_url=product.inbound_url + "#rt=150&rc=1&rp=rt")
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        assert (answer.status, answer.attempts, len(product.at(INBOUND))) == (200, 2, 2)

    def test_time_out_is_not_retried_by_default(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(seconds=0.4))
        phones.account(inbound_url=product.inbound_url + "#rt=150")
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        assert (answer.status, answer.error_code, answer.attempts) == (None, 11200, 1)

    def test_total_time_ends_the_retries(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(status=500, seconds=0.1))
        phones.account(inbound_url=product.inbound_url + "#rc=5&rp=all&tt=250")
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        assert 1 < answer.attempts < 5

    def test_none_at_all(self, phones: PocketPhones) -> None:
        phones.account(inbound_url="http://127.0.0.1:9/#rc=0")
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        assert answer.attempts == 1


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302])
    def test_are_followed_as_get_without_the_form(self, phones: PocketPhones, product: Product, status: int) -> None:
        product.answer(Answer(status=status, headers={"Location": "/elsewhere/?a=b"}))
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        (request,) = product.at("/elsewhere/")
        assert (request.method, request.body) == ("GET", b"")
        assert answer.status == 200
        assert request.is_signed_with("primary-token")

    def test_end_at_some_point(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(status=302, headers={"Location": INBOUND}))
        (answer,) = phones.text(MARIA, DEPARTMENT, "Hi").webhooks
        assert (answer.status, answer.error_code) == (None, 11215)


class TestFallback:
    def test_gets_the_same_parameters_and_the_error(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(status=500))
        phones.account(fallback_url=f"{product.url}/fallback/")
        sid = phones.text(MARIA, DEPARTMENT, "Hi").sid
        (request,) = product.at("/fallback/")
        assert (request["MessageSid"], request["ErrorCode"], request["ErrorUrl"]) == (sid, "11200", product.inbound_url)
        assert request.is_signed_with("primary-token")

    def test_is_left_alone_when_all_is_well(self, phones: PocketPhones, product: Product) -> None:
        phones.account(fallback_url=f"{product.url}/fallback/")
        phones.text(MARIA, DEPARTMENT, "Hi")
        assert product.at("/fallback/") == []

    def test_is_used_for_an_answer_that_is_not_twiml(self, phones: PocketPhones, product: Product) -> None:
        product.answer(Answer(b"<Response>"))
        phones.account(fallback_url=f"{product.url}/fallback/")
        phones.text(MARIA, DEPARTMENT, "Hi")
        assert product.at("/fallback/")[0]["ErrorCode"] == "12100"


class TestVariants:
    def test_parallel_duplicates_are_one_message(self, phones: PocketPhones, product: Product, twilio: Client) -> None:
        product.answer(Answer(seconds=0.15))
        sent = phones.text(MARIA, DEPARTMENT, "Hi", times=4)
        assert len(sent.webhooks) == 4
        assert {request["MessageSid"] for request in product.at(INBOUND)} == {sent.sid}
        assert product.most_together > 1
        assert len(twilio.messages.list()) == 1

    @pytest.mark.parametrize(
        ("fault", "primary", "old"),
        [
            ("webhook_unsigned", False, False),
            ("webhook_wrong_signature", False, False),
            ("webhook_old_token", False, True),
        ],
    )
    def test_signature_faults(
        self, phones: PocketPhones, product: Product, fault: str, primary: bool, old: bool
    ) -> None:
        phones.faults(fault)
        phones.text(MARIA, DEPARTMENT, "Hi")
        (request,) = product.at(INBOUND)
        assert (request.is_signed_with("primary-token"), request.is_signed_with("old-token")) == (primary, old)

    def test_unsigned_has_no_header_at_all(self, phones: PocketPhones, product: Product) -> None:
        phones.text(MARIA, DEPARTMENT, "Hi", signing="none")
        assert "x-twilio-signature" not in product.at(INBOUND)[0].headers

    def test_body_can_be_absent(self, phones: PocketPhones, product: Product) -> None:
        phones.faults("webhook_without_body")
        phones.text(MARIA, DEPARTMENT, "Hi")
        assert "Body" not in product.at(INBOUND)[0]
        assert genuine(product) == [True]

    def test_unknown_parameters_are_signed_as_well(self, phones: PocketPhones, product: Product) -> None:
        phones.faults("webhook_extra")
        phones.text(MARIA, DEPARTMENT, "Hi")
        assert product.at(INBOUND)[0]["Überraschung"] == "ja"
        assert genuine(product) == [True]

    def test_lost_webhook_leaves_the_message_in_the_list(
        self, phones: PocketPhones, product: Product, twilio: Client
    ) -> None:
        phones.faults("webhook_lost", number=MARIA)
        sent = phones.text(MARIA, DEPARTMENT, "Hi")
        assert (sent.webhooks, product.at(INBOUND)) == ([], [])
        assert [message.sid for message in twilio.messages.list(to=DEPARTMENT)] == [sent.sid]

    def test_doubled_by_a_fault(self, phones: PocketPhones, product: Product) -> None:
        phones.faults("webhook_doubled")
        phones.text(MARIA, DEPARTMENT, "Hi")
        assert len(product.at(INBOUND)) == 2

    def test_any_parameter_can_be_changed_or_taken_out(self, phones: PocketPhones, product: Product) -> None:
        phones.text(MARIA, DEPARTMENT, "Hi", parameters={"From": "whatsapp:+18015550142", "FromCity": None, "New": ""})
        (request,) = product.at(INBOUND)
        assert (request["From"], request["New"], "FromCity" in request) == ("whatsapp:+18015550142", "", False)
        assert genuine(product) == [True]

    def test_json_is_signed_by_its_hash_in_the_url(self, phones: PocketPhones, product: Product) -> None:
        phones.text(MARIA, DEPARTMENT, "Hi", as_json=True)
        (request,) = product.at(INBOUND)
        assert json.loads(request.body)["Body"] == "Hi"
        assert request.url.endswith("?bodySHA256=" + hashlib.sha256(request.body).hexdigest())
        assert request.is_signed_with("primary-token")


def test_short_code_can_text(phones: PocketPhones, product: Product) -> None:
    phones.text("32665", DEPARTMENT, "Your parcel")
    assert product.at(INBOUND)[0]["From"] == "32665"


def test_long_text_comes_joined(phones: PocketPhones, product: Product) -> None:
    phones.text(MARIA, DEPARTMENT, "x" * 1530)
    (request,) = product.at(INBOUND)
    assert (request["NumSegments"], len(request["Body"])) == ("10", 1530)
