"""What is asked, as bytes ready for the wire, and how a right answer is told from a wrong one."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from twilio.request_validator import RequestValidator

from bench.data import MARK, OUR_NUMBER, Filled
from bench.load import Check
from bench.servers import HOST

EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
# More than a run can use up: preparing them is slow, and the clock doesn't run meanwhile.
WEBHOOKS_A_SECOND = 2_500
LEAD_SECONDS = 1.0  # while the connections are opened


@dataclass(frozen=True)
class Question:
    """One thing that is measured. aim: requests/s at the usual size, where there is one."""

    name: str
    group: str
    aim: float | None
    requests: Callable[[Filled, float], Iterator[bytes]]
    is_right: Check


@dataclass(frozen=True)
class Webhook:
    """A text from a client, signed as the carrier signs."""

    url: str
    form: dict[str, str]
    signature: str


def questions() -> list[Question]:
    """In the order in which they must be asked: the webhooks last, for they add to the conversations."""
    return [
        Question("list page", "list", 170, lambda to, _: _pages(to, list_path(to)), has_mark),
        Question("list fragment", "list", None, lambda to, _: _pages(to, list_path(to), _FRAGMENT), has_mark),
        Question("conversation page", "conversation", 180, lambda to, _: _pages(to, talk_path(to)), has_mark),
        Question(
            "conversation fragment",
            "conversation",
            None,
            lambda to, _: _pages(to, reverse("conversation-talk", args=[to.long_client_id]), _FRAGMENT),
            has_mark,
        ),
        Question("conversations in turn", "conversation", None, lambda to, _: _every_talk(to), has_mark),
        Question("incoming texts", "webhooks", 600, _webhook_requests, EMPTY_TWIML.__eq__),
    ]


def list_path(_to: Filled) -> str:
    return reverse("my-clients")


def talk_path(to: Filled) -> str:
    """The page of the one long conversation."""
    return reverse("conversation", args=[to.long_client_id])


# What the script of an open page sends.
_FRAGMENT = ("HX-Request: true", "X-Background-Refresh: true")


def has_mark(page: bytes) -> bool:
    return MARK.encode() in page


def _pages(to: Filled, path: str, headers: tuple[str, ...] = ()) -> Iterator[bytes]:
    """The same page for each of the case manager's sessions in turn, without end."""
    return cycle([_page(path, cookies, headers) for cookies in to.cookies])


def _every_talk(to: Filled) -> Iterator[bytes]:
    """The pages of all clients in turn, without end: with many of them, nothing is as it was a moment ago."""
    paths = [reverse("conversation", args=[client_id]) for client_id in to.client_ids]
    return cycle([_page(path, cookies) for path, cookies in zip(paths, cycle(to.cookies), strict=False)])


def _page(path: str, cookies: str, headers: tuple[str, ...] = ()) -> bytes:
    return _request("GET", path, ("Accept: text/html", "Accept-Encoding: gzip, br", f"Cookie: {cookies}", *headers))


def webhooks(to: Filled, count: int) -> Iterator[Webhook]:
    """Texts with ids of their own, from the known clients in turn."""
    url = settings.PUBLIC_URL + reverse("sms-inbound")
    validator = RequestValidator(settings.TWILIO_AUTH_TOKENS[0])
    for serial in range(count):
        form = _form(to.addresses[serial * 7919 % len(to.addresses)], serial)
        yield Webhook(url, form, validator.compute_signature(url, form))


def _webhook_requests(to: Filled, seconds: float) -> Iterator[bytes]:
    """All of them made and signed before this returns."""
    return iter(
        [_webhook_request(webhook) for webhook in webhooks(to, round((seconds + LEAD_SECONDS) * WEBHOOKS_A_SECOND))]
    )


def _webhook_request(webhook: Webhook) -> bytes:
    headers = (
        "Accept: */*",
        "User-Agent: TwilioProxy/1.1",
        f"X-Twilio-Signature: {webhook.signature}",
        f"Content-Type: {FORM_TYPE}",
    )
    path = webhook.url.removeprefix(settings.PUBLIC_URL)
    return _request("POST", path, headers, urlencode(webhook.form).encode())


def _form(address: str, serial: int) -> dict[str, str]:
    """What Twilio sends for a text without pictures."""
    sid = f"SM{uuid.uuid4().hex}"
    return {
        "ToCountry": "US",
        "ToState": "UT",
        "ToCity": "SALT LAKE CITY",
        "ToZip": "84101",
        "FromCountry": "US",
        "FromState": "UT",
        "FromCity": "SALT LAKE CITY",
        "FromZip": "84101",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "MessageSid": sid,
        "SmsStatus": "received",
        "NumMedia": "0",
        "NumSegments": "1",
        "Body": f"Text {serial}: I'm running late, the bus didn't come. I'll be there at nine thirty, is that okay?",
        "To": OUR_NUMBER,
        "From": address,
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
    }


def _request(method: str, path: str, headers: tuple[str, ...], body: bytes = b"") -> bytes:
    """As the proxy in front hands it on."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "X-Forwarded-Proto: https", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
