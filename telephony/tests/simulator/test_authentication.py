"""Who may ask: Basic authentication, other accounts' paths, suspended accounts (12.1)."""

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import ToThePhones, client_for, messages_url
from telephony.tests.simulator.conftest import Sender


@pytest.mark.parametrize("token", ["primary-token", "old-token"])
def test_each_of_the_accounts_tokens_opens(config: PhonesConfig, token: str) -> None:
    client = client_for(config, token=token)
    assert client.messages.list() == []
    client.http_client.close()


@pytest.mark.parametrize("credentials", [None, ("someone", "primary-token"), ("AC" + "0123456789abcdef" * 2, "wrong")])
def test_bad_credentials_are_a_401_with_20003(config: PhonesConfig, credentials: tuple[str, str] | None) -> None:
    answer = requests.get(messages_url(config), auth=credentials, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_malformed_authorization_is_a_401(config: PhonesConfig) -> None:
    answer = requests.get(messages_url(config), headers={"Authorization": "Bearer x"}, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_another_accounts_path_does_not_exist(config: PhonesConfig) -> None:
    url = messages_url(config).replace(config.account_sid, "AC" + "f" * 32)
    answer = requests.get(url, auth=(config.account_sid, config.auth_tokens[0]), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_unknown_address_is_a_404_in_json(config: PhonesConfig) -> None:
    url = messages_url(config).replace("Messages", "Calls")
    answer = requests.get(url, auth=(config.account_sid, config.auth_tokens[0]), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_suspended_account_sends_nothing(phones: PocketPhones, send: Sender) -> None:
    phones.account(suspended=True)
    with pytest.raises(TwilioRestException) as caught:
        send()
    assert caught.value.code == 20005


class TestTestCredentials:
    """Section 11: magic numbers, nothing sent, most resources closed."""

    @pytest.mark.parametrize(
        ("from_", "to", "code"),
        [
            ("+15005550001", "+18015550142", 21212),
            ("+15005550007", "+18015550142", 21606),
            ("+15005550008", "+18015550142", 21611),
            ("+18015550100", "+18015550142", 21606),
            ("+15005550006", "+15005550001", 21211),
            ("+15005550006", "+15005550002", 21612),
            ("+15005550006", "+15005550003", 21408),
            ("+15005550006", "+15005550004", 21610),
            ("+15005550006", "+15005550009", 21614),
        ],
    )
    def test_magic_number_refuses(self, config: PhonesConfig, from_: str, to: str, code: int) -> None:
        client = client_for(config, sid=config.test_account_sid, token=config.test_auth_token)
        with pytest.raises(TwilioRestException) as caught:
            client.messages.create(from_=from_, to=to, body="Hello")
        client.http_client.close()
        assert caught.value.code == code

    def test_good_message_is_shown_and_forgotten(self, config: PhonesConfig, phones: PocketPhones) -> None:
        client = client_for(config, sid=config.test_account_sid, token=config.test_auth_token)
        message = client.messages.create(from_="+15005550006", to="+18015550142", body="Hello")
        assert (message.status, message.account_sid) == ("queued", config.test_account_sid)
        with pytest.raises(TwilioRestException) as caught:
            client.messages(message.sid).fetch()
        client.http_client.close()
        assert caught.value.code == 20008
        assert phones.ready()["pending"] == 0

    def test_account_path_is_closed_to_test_credentials(self, config: PhonesConfig) -> None:
        client = ToThePhones(config.base_url)
        answer = client.request("GET", messages_url(config), auth=(config.test_account_sid, config.test_auth_token))
        client.close()
        assert answer.status_code == 404
