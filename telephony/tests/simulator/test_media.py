"""Pictures in both directions: the Media subresource and the product's own files (section 9; 12.25, 12.33)."""

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import INBOUND, STATUS, Answer, Product

PICTURE = b"\x89PNG not really"


@pytest.fixture
def media_url(phones: PocketPhones, product: Product) -> str:
    """Where the webhook of a text with one picture says that it is."""
    phones.text(MARIA, DEPARTMENT, "See", media=[("image/png", PICTURE)])
    return product.at(INBOUND)[0]["MediaUrl0"]


class TestInbound:
    def test_webhook_lists_the_files(self, phones: PocketPhones, product: Product, config: PhonesConfig) -> None:
        sent = phones.text(MARIA, DEPARTMENT, "", media=[("image/png", PICTURE), ("text/vcard", b"BEGIN:VCARD")])
        (request,) = product.at(INBOUND)
        assert sent.sid.startswith("MM")
        assert (request["NumMedia"], request["MediaContentType0"], request["MediaContentType1"]) == (
            "2", "image/png", "text/vcard",
        )  # fmt: skip
        start = f"{config.base_url}/2010-04-01/Accounts/{config.account_sid}/Messages/{sent.sid}/Media/ME"
        assert request["MediaUrl0"].startswith(start)
        assert "Body" not in request
        assert request.is_signed_with("primary-token")

    def test_file_is_public_and_found_by_a_redirect_that_expires(
        self, media_url: str, config: PhonesConfig, phones: PocketPhones
    ) -> None:
        first = requests.get(media_url, allow_redirects=False, timeout=5)
        assert first.status_code == 307
        file = requests.get(first.headers["Location"], timeout=5)
        assert (file.status_code, file.content, file.headers["Content-Type"]) == (200, PICTURE, "image/png")
        phones.advance(4 * 3600 + 1)
        assert requests.get(first.headers["Location"], timeout=5).status_code == 403

    def test_link_cannot_be_guessed(self, media_url: str, config: PhonesConfig) -> None:
        link = requests.get(media_url, allow_redirects=False, timeout=5).headers["Location"]
        assert requests.get(link[:-1] + "x", timeout=5).status_code == 403
        assert requests.get(link.partition("?")[0], timeout=5).status_code == 403

    def test_credentials_can_be_demanded(self, media_url: str, config: PhonesConfig, phones: PocketPhones) -> None:
        phones.account(media_needs_credentials=True)
        assert requests.get(media_url, timeout=5).status_code == 401
        credentials = (config.account_sid, config.auth_tokens[0])
        assert requests.get(media_url, auth=credentials, timeout=5).content == PICTURE

    def test_log_says_whether_credentials_came_to_where_they_have_no_business(
        self, media_url: str, config: PhonesConfig, phones: PocketPhones
    ) -> None:
        credentials = (config.account_sid, config.auth_tokens[0])
        link = requests.get(media_url, auth=credentials, allow_redirects=False, timeout=5).headers["Location"]
        requests.get(link, timeout=5)
        requests.get(link, auth=credentials, timeout=5)
        seen = [entry["credentials"] for entry in phones.log(kind="asked") if entry["operation"] == "cdn"]
        assert seen == [False, True]

    def test_file_may_be_missing_at_first(self, media_url: str, phones: PocketPhones) -> None:
        phones.faults("media_missing", times=2, number=MARIA)
        assert [requests.get(media_url, timeout=5).status_code for _ in range(3)] == [404, 404, 200]

    def test_its_server_may_fail(self, media_url: str, phones: PocketPhones) -> None:
        phones.faults("media_error", code=503)
        assert [requests.get(media_url, timeout=5).status_code for _ in range(2)] == [503, 200]

    def test_subresource_lists_fetches_and_deletes(self, media_url: str, twilio: Client) -> None:
        (message,) = twilio.messages.list()
        (media,) = twilio.messages(message.sid).media.list()
        assert (media.content_type, media.parent_sid) == ("image/png", message.sid)
        assert twilio.messages(message.sid).media(media.sid).fetch().sid == media.sid
        assert twilio.messages(message.sid).media(media.sid).delete() is True
        assert twilio.messages(message.sid).media.list() == []
        assert twilio.messages(message.sid).fetch().num_media == "0"
        assert requests.get(media_url, timeout=5).status_code == 404

    def test_deleted_message_takes_its_media_along(self, media_url: str, twilio: Client) -> None:
        link = requests.get(media_url, allow_redirects=False, timeout=5).headers["Location"]
        (message,) = twilio.messages.list()
        twilio.messages(message.sid).delete()
        assert requests.get(media_url, timeout=5).status_code == 404
        assert requests.get(link, timeout=5).status_code == 403

    def test_unknown_file_is_a_404(self, media_url: str, twilio: Client) -> None:
        (message,) = twilio.messages.list()
        with pytest.raises(TwilioRestException) as caught:
            twilio.messages(message.sid).media("ME" + "0" * 32).fetch()
        assert caught.value.code == 20404


class TestOutbound:
    def test_is_fetched_by_head_and_get_without_credentials(
        self, send: Sender, product: Product, phones: PocketPhones
    ) -> None:
        product.answer(Answer(PICTURE, content_type="image/png"), path="/file.png")
        send("See", media_url=[f"{product.url}/file.png?signature=abc"])
        (text,) = [phones.wait_for(MARIA, "See")]
        assert text.media == [{"content_type": "image/png", "size": len(PICTURE)}]
        requests_seen = product.at("/file.png")
        assert [request.method for request in requests_seen] == ["HEAD", "GET"]
        assert [request.url for request in requests_seen] == [f"{product.url}/file.png?signature=abc"] * 2
        assert not any("authorization" in request.headers for request in requests_seen)

    def test_is_fetched_when_it_leaves_the_queue(self, send: Sender, product: Product, phones: PocketPhones) -> None:
        product.answer(Answer(PICTURE, content_type="image/png"), path="/file.png")
        phones.account(segments_per_second=0.01)
        send("first")
        send("second", media_url=[f"{product.url}/file.png"])
        phones.wait_for(MARIA, "first")
        assert product.at("/file.png") == []
        phones.advance(100)
        phones.wait_for(MARIA, "second")

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (Answer(b"gone", status=404), 11200),
            (Answer(b"<html>Sign in</html>", content_type="text/html"), 12300),
            (Answer(b"x", content_type=""), 12300),
            (Answer(b"x" * 5_000_001, content_type="image/png"), 30019),
        ],
    )
    def test_bad_file_fails_the_message(
        self, send: Sender, product: Product, phones: PocketPhones, twilio: Client, answer: Answer, code: int
    ) -> None:
        product.answer(answer, path="/file.png")
        sid = send("See", media_url=[f"{product.url}/file.png"]).sid
        product.wait_for(STATUS)
        message = twilio.messages(sid).fetch()
        assert (message.status, message.error_code) == ("failed", code)
        assert phones.received(MARIA) == []

    def test_unreachable_file_fails_the_message(self, send: Sender, twilio: Client, phones: PocketPhones) -> None:
        sid = send("See", media_url=["http://127.0.0.1:9/file.png"]).sid
        phones.wait_until_quiet()
        assert twilio.messages(sid).fetch().error_code == 11200
