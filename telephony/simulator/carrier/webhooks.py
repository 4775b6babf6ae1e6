"""Posting to the product as Twilio does: signed form, connect time-out, one retry, 15 s in all (section 5)."""

import asyncio
import json
import secrets
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin

import aiohttp
from yarl import URL

from telephony.simulator.carrier.journal import Journal
from telephony.simulator.carrier.signatures import Parameters, body_sha256_url, sign

MAX_REDIRECTS = 10
# aiohttp raises ServerTimeoutError's kin for reading as well: these alone mean that no connection came about.
NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

Signing = Literal["right", "wrong", "old", "none"]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the URL's fragment may change (`#rc=2&rp=all`). Milliseconds as written there, seconds here."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> "Overrides":
        """Values outside Twilio's ranges are brought into them."""
        given = dict(parse_qsl(urldefrag(url).fragment))
        overrides = cls()
        if "ct" in given:
            overrides = replace(overrides, connect=_between(given["ct"], 100, 10_000) / 1000)
        if "rt" in given:
            overrides = replace(overrides, read=_between(given["rt"], 100, 15_000) / 1000)
        if "tt" in given:
            overrides = replace(overrides, total=_between(given["tt"], 100, 15_000) / 1000)
        if "rc" in given:
            overrides = replace(overrides, retries=int(_between(given["rc"], 0, 5)))
        if "rp" in given:
            overrides = replace(overrides, policy=frozenset(given["rp"].split(",")))
        return overrides

    def retry(self, result: "Result") -> bool:
        return bool(result.failure) and ("all" in self.policy or result.failure in self.policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the product answered. `failure` is the retry policy's word (ct, rt, 4xx, 5xx) or "" for a 2xx."""

    url: str
    status: int | None = None
    content_type: str | None = None
    body: bytes = b""
    error: str = ""
    error_code: int | None = None
    failure: str = ""
    attempts: int = 1
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.failure

    @property
    def in_words(self) -> str:
        """For the phone's page: "" when all went well."""
        if self.ok:
            return ""
        if self.status is None:
            return f"the product did not answer: {self.error}"
        return f"the product answered {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to post: what it is for, about which phone and message, and how it is signed."""

    url: str
    parameters: Parameters
    purpose: Literal["inbound", "fallback", "status", "redirect"]
    number: str
    message_sid: str
    signing: Signing = "right"
    as_json: bool = False


class Webhooks:
    """The carrier's HTTP client. Each request has a connection of its own."""

    def __init__(self, *, tokens: list[str], journal: Journal) -> None:
        self._tokens = tokens
        self._journal = journal
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=200, force_close=True),
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
            auto_decompress=True,
        )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the webhooks' client was not opened")
        return self._session

    async def post(self, delivery: Delivery) -> Result:
        """Post it, again if the URL's retry policy says so, everything within its total time. Each try is logged."""
        overrides = Overrides.of(delivery.url)
        idempotency_token = secrets.token_hex(16)
        started = asyncio.get_running_loop().time()
        attempt = 0
        while True:
            attempt += 1
            left = overrides.total - (asyncio.get_running_loop().time() - started)
            result = await self._attempt(delivery, overrides, idempotency_token, left)
            result = replace(result, attempts=attempt, seconds=asyncio.get_running_loop().time() - started)
            self._log(delivery, result, idempotency_token)
            if attempt > overrides.retries or not overrides.retry(result) or result.seconds >= overrides.total:
                return result

    async def _attempt(self, delivery: Delivery, overrides: Overrides, token: str, left: float) -> Result:
        try:
            async with asyncio.timeout(min(left, overrides.total)):
                return await self._exchange(delivery, overrides, token)
        except NOT_CONNECTED as error:
            words = "no connection within the time" if isinstance(error, TimeoutError) else _reason(error)
            return Result(url=delivery.url, error=words, error_code=11205, failure="ct")
        except TimeoutError:
            return Result(url=delivery.url, error="no answer within the time", error_code=11200, failure="rt")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Result(url=delivery.url, error=_reason(error), error_code=11200, failure="closed")

    async def _exchange(self, delivery: Delivery, overrides: Overrides, token: str) -> Result:
        """One request and the redirects it leads to. 301, 302 and 303 are followed as GET without the form (12.28)."""
        method, url, parameters = "POST", urldefrag(delivery.url).url, delivery.parameters
        body: bytes | None = _form(parameters)
        content_type = "application/x-www-form-urlencoded; charset=UTF-8"
        if delivery.as_json:
            body, content_type = json.dumps(dict(parameters)).encode(), "application/json"
            url, parameters = body_sha256_url(url, body), []
        for _ in range(MAX_REDIRECTS):
            headers = self._headers(url, parameters, delivery.signing, token)
            if body is not None:
                headers["Content-Type"] = content_type
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=overrides.connect, sock_read=overrides.read)
            async with self.session.request(
                method, URL(url, encoded=True), data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                content = await response.read()
                if response.status not in (301, 302, 303, 307, 308) or "Location" not in response.headers:
                    return _result(url, response, content)
                url = urljoin(url, response.headers["Location"])
                if response.status in (301, 302, 303):
                    method, parameters, body = "GET", [], None
        return Result(url=url, error="too many redirects", error_code=11215, failure="closed")

    def _headers(self, url: str, parameters: Parameters, signing: Signing, token: str) -> dict[str, str]:
        headers = {"I-Twilio-Idempotency-Token": token}
        if signing != "none":
            key = {"right": self._tokens[0], "old": self._tokens[-1], "wrong": "not the token"}[signing]
            headers["X-Twilio-Signature"] = sign(url, parameters, key)
        return headers

    def _log(self, delivery: Delivery, result: Result, token: str) -> None:
        self._journal.add(
            "posted",
            number=delivery.number,
            purpose=delivery.purpose,
            url=delivery.url,
            final_url=result.url,
            parameters=delivery.parameters,
            message_sid=delivery.message_sid,
            signing=delivery.signing,
            idempotency_token=token,
            attempt=result.attempts,
            status=result.status,
            error=result.error,
            error_code=result.error_code,
            seconds=round(result.seconds, 3),
        )


def _result(url: str, response: aiohttp.ClientResponse, content: bytes) -> Result:
    good = 200 <= response.status < 300
    return Result(
        url=url,
        status=response.status,
        content_type=response.headers.get("Content-Type"),
        body=content,
        error="" if good else f"HTTP {response.status}",
        error_code=None if good else 11200,
        failure="" if good else f"{response.status // 100}xx",
    )


def _form(parameters: Parameters) -> bytes:
    return urlencode(parameters, encoding="utf-8", errors="surrogatepass").encode()


def _between(text: str, low: int, high: int) -> float:
    try:
        return float(min(max(int(text), low), high))
    except ValueError:
        return float(high)


def _reason(error: BaseException) -> str:
    """An exception in a few words: the operating system's, where it is its."""
    os_error = getattr(error, "os_error", None)
    if isinstance(os_error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    return str(os_error or error) or type(error).__name__
