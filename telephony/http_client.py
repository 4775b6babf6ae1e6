"""How Twilio's package speaks HTTP here: with time-outs, enough kept connections, and safe between threads.

Twilio's own client has no time-out by default, keeps six connections, and hands the answer back through an attribute
that all threads share (`_test_only_last_response`): two threads can get each other's answer, and so the wrong id.
"""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.exceptions import HTTPError

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 10.0
DEADLINE_SECONDS = 20.0  # for the whole call: who holds a message longer than a minute counts as dead
OTHERS = 4  # connections for tasks that ask the carrier while all sending threads are at work


class PooledHttpClient(HttpClient):  # type: ignore[misc]  # Twilio ships no types
    """One for a process. api_url takes the place of https://api.twilio.com (the pocket phones, a proxy)."""

    def __init__(self, api_url: str) -> None:
        self._scheme, self._host = urlsplit(api_url)[:2]
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=settings.WORKER_THREADS + OTHERS, pool_block=True))

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One exchange. Raises requests.RequestException; nothing is ever repeated here."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        with self._session.request(
            method,
            self._address(url),
            params=_wire(params),
            data=_wire(data),
            headers=headers,
            auth=auth,
            timeout=(CONNECT_TIMEOUT_SECONDS, timeout or READ_TIMEOUT_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = b"".join(_until(deadline, response))
            return Response(response.status_code, body.decode("utf-8", "replace"), response.headers)

    def _address(self, url: str) -> str:
        parts = urlsplit(url)
        if not _is_twilios_api(parts.hostname or ""):
            return url
        return urlunsplit(parts._replace(scheme=self._scheme, netloc=self._host))


def _is_twilios_api(host: str) -> bool:
    """Also in another region or edge, which Twilio's package takes from variables of the environment."""
    return host.startswith("api.") and host.endswith(".twilio.com")


def _until(deadline: float, response: requests.Response) -> Iterator[bytes]:
    """The pieces of the body as they come; raises ReadTimeout for an answer that drips in beyond the deadline.

    `response.iter_content` would wait for a full piece, however long that takes.
    """
    try:
        while piece := response.raw.read1(16_384, decode_content=True):
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout("the answer took too long")
            yield piece
    except HTTPError as error:
        raise requests.exceptions.ConnectionError("the answer broke off") from error


def _wire(values: dict[str, object] | None) -> dict[str, Any] | None:
    """Without what was not given, which Twilio would warn about as an empty parameter."""
    return None if values is None else {name: value for name, value in values.items() if value is not None}
