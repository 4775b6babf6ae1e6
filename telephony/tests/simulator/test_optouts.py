"""STOP, START, HELP: the carrier's own part (section 7, 12.31)."""

from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import RunningPhones, phones_in_thread
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA, SECOND_DEPARTMENT, client_for
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import INBOUND, STATUS, Product

SERVICE = "MG" + "5e" * 16
STOP_WORDS = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "stop", " Stop\n"]


def refused(send: Sender, **changes: str) -> bool:
    """Whether 21610 comes back; any other refusal is an error of the test."""
    try:
        send(**changes)
    except TwilioRestException as error:
        if error.code != 21610:
            raise
        return True
    return False


@pytest.mark.parametrize("word", STOP_WORDS)
def test_stop_word_blocks_confirms_and_still_posts(
    phones: PocketPhones, product: Product, send: Sender, word: str
) -> None:
    phones.text(MARIA, DEPARTMENT, word)
    (confirmation,) = phones.received(MARIA)
    assert confirmation.by == "carrier"
    assert confirmation.body.startswith("You have successfully been unsubscribed.")
    assert product.at(INBOUND)[0]["Body"] == word
    assert "OptOutType" not in product.at(INBOUND)[0]
    assert refused(send)


@pytest.mark.parametrize("words", ["please stop", "STOP it", "stop.", "ok", "", "unstoppable"])
def test_stop_must_be_the_whole_message(phones: PocketPhones, send: Sender, words: str) -> None:
    phones.text(MARIA, DEPARTMENT, words)
    assert not refused(send)
    assert [text.by for text in phones.received(MARIA)] == []


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP", "yes"])
def test_start_word_lifts_the_block_and_is_confirmed(phones: PocketPhones, send: Sender, word: str) -> None:
    phones.text(MARIA, DEPARTMENT, "STOP")
    phones.text(MARIA, DEPARTMENT, word)
    assert "re-subscribed" in phones.received(MARIA)[1].body
    assert not refused(send)


def test_yes_from_somebody_who_never_stopped_is_an_answer(phones: PocketPhones, product: Product) -> None:
    phones.text(MARIA, DEPARTMENT, "Yes")
    assert phones.received(MARIA) == []
    assert product.at(INBOUND)[0]["Body"] == "Yes"


def test_second_stop_is_not_confirmed_again(phones: PocketPhones) -> None:
    phones.text(MARIA, DEPARTMENT, "STOP")
    phones.text(MARIA, DEPARTMENT, "STOP")
    assert len(phones.received(MARIA)) == 1


@pytest.mark.parametrize("word", ["HELP", "info"])
def test_help_is_answered_and_blocks_nothing(phones: PocketPhones, send: Sender, word: str) -> None:
    phones.text(MARIA, DEPARTMENT, word)
    assert phones.received(MARIA)[0].body.startswith("Reply STOP to unsubscribe")
    assert not refused(send)


def test_block_is_between_one_client_and_one_number(phones: PocketPhones, send: Sender) -> None:
    phones.text(MARIA, DEPARTMENT, "STOP")
    assert not refused(send, to=ALI)
    assert not refused(send, from_=SECOND_DEPARTMENT)


def test_number_ending_in_0104_has_stopped_before_and_start_lifts_it(phones: PocketPhones, send: Sender) -> None:
    number = "+12125550104"
    assert refused(send, to=number)
    phones.text(number, DEPARTMENT, "START")
    assert not refused(send, to=number)
    phones.text(number, DEPARTMENT, "STOP")
    assert refused(send, to=number)


def test_block_of_a_service_holds_for_all_its_numbers(phones: PocketPhones, send: Sender) -> None:
    phones.account(services=[{"sid": SERVICE, "numbers": [DEPARTMENT, SECOND_DEPARTMENT]}])
    phones.text(MARIA, DEPARTMENT, "STOP")
    assert refused(send, from_=SECOND_DEPARTMENT)


class TestAdvancedOptOut:
    """Per service: the webhook says OptOutType, and 21610 comes later, as a failure."""

    @pytest.fixture(autouse=True)
    def service(self, phones: PocketPhones) -> None:
        phones.account(services=[{"sid": SERVICE, "numbers": [DEPARTMENT], "advanced_opt_out": True}])

    def test_webhook_says_what_was_answered(self, phones: PocketPhones, product: Product) -> None:
        for word in ("STOP", "START", "HELP"):
            phones.text(MARIA, DEPARTMENT, word)
        assert [request["OptOutType"] for request in product.at(INBOUND)] == ["STOP", "START", "HELP"]
        assert [request["MessagingServiceSid"] for request in product.at(INBOUND)] == [SERVICE] * 3

    def test_refusal_comes_as_a_failure(self, phones: PocketPhones, product: Product, twilio: Client) -> None:
        phones.text(MARIA, DEPARTMENT, "STOP")
        message = twilio.messages.create(
            to=MARIA, messaging_service_sid=SERVICE, body="Hello", status_callback=product.status_url
        )
        assert message.status == "accepted"
        phones.wait_until_quiet()
        assert (product.at(STATUS)[-1]["MessageStatus"], product.at(STATUS)[-1]["ErrorCode"]) == ("failed", "21610")
        assert twilio.messages(message.sid).fetch().error_code == 21610


class TestTollFree:
    """The network itself listens; later sends are undelivered with 30004."""

    NUMBER = "+18885550100"

    @pytest.fixture
    def toll_free(self, product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPhones]:
        state = tmp_path_factory.mktemp("toll-free") / "state.sqlite3"
        with phones_in_thread(product_url=product.url, state=state, numbers=[self.NUMBER]) as running:
            running.control.timing(sent=0.02, delivered=0.12)
            yield running

    def test_stop_is_confirmed_by_the_network_and_sends_are_blocked_later(self, toll_free: RunningPhones) -> None:
        phones = toll_free.control
        phones.text(MARIA, self.NUMBER, "STOP")
        assert phones.received(MARIA)[0].body.startswith("NETWORK MSG")
        twilio = client_for(toll_free.config)
        sid = twilio.messages.create(to=MARIA, from_=self.NUMBER, body="Hello").sid
        phones.wait_until_quiet()
        message = twilio.messages(sid).fetch()
        twilio.http_client.close()
        assert (message.status, message.error_code) == ("undelivered", 30004)

    def test_yes_undoes_nothing_but_unstop_does(self, toll_free: RunningPhones) -> None:
        phones = toll_free.control
        twilio = client_for(toll_free.config)
        ends = []
        for word in ("STOP", "YES", "UNSTOP"):
            phones.text(MARIA, self.NUMBER, word)
            sid = twilio.messages.create(to=MARIA, from_=self.NUMBER, body="Hello").sid
            phones.wait_until_quiet()
            ends.append(twilio.messages(sid).fetch().status)
        twilio.http_client.close()
        assert ends == ["undelivered", "undelivered", "delivered"]
