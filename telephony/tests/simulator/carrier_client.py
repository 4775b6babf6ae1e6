"""Twilio's own Python package, turned to the pocket phones: an independent reading of the same wire."""

from typing import Any

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from telephony.simulator.config import PhonesConfig

DEPARTMENT = "+18015550100"
SECOND_DEPARTMENT = "+18015550199"
MARIA = "+18015550142"
ALI = "+18015550143"


class ToThePhones(TwilioHttpClient):  # type: ignore[misc]  # the package has no types
    """Sends what is meant for Twilio's hosts to the phones."""

    def __init__(self, base_url: str, timeout: float = 5.0) -> None:
        super().__init__(timeout=timeout)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        for host in ("https://api.twilio.com", "https://lookups.twilio.com"):
            url = url.replace(host, self._base_url)
        return super().request(method, url, *args, **kwargs)

    def close(self) -> None:
        self.session.close()


def client_for(config: PhonesConfig, *, sid: str = "", token: str = "", timeout: float = 5.0) -> Client:
    return Client(
        sid or config.account_sid,
        token or config.auth_tokens[0],
        http_client=ToThePhones(config.base_url, timeout),
    )


def messages_url(config: PhonesConfig) -> str:
    return f"{config.base_url}/2010-04-01/Accounts/{config.account_sid}/Messages.json"


def post_message(config: PhonesConfig, **form: Any) -> requests.Response:
    """The create request by hand, for what Twilio's package can't or won't send."""
    credentials = (config.account_sid, config.auth_tokens[0])
    return requests.post(messages_url(config), data=form, auth=credentials, timeout=5)
