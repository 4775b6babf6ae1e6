"""Posts to our webhooks as the carrier does.

The signature is made by the pocket phones' code: a second implementation of the rule that our check is held against.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from telephony.simulator.carrier.signatures import sign

INBOUND = "/webhooks/twilio/sms/"
STATUS = "/webhooks/twilio/sms-status/"

PUBLIC_URL = "http://testserver"  # as tests.servers sets it
TOKEN = "token-of-the-tests"
OUR_NUMBER = "+18015550100"
THEIR_NUMBER = "+13855550142"
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

Pairs = list[tuple[str, str]]


def new_sid() -> str:
    return f"SM{uuid.uuid4().hex}"


def inbound_form(**changes: str | None) -> dict[str, str]:
    """A text from a client, as docs/carrier.md, section 6, has it. None takes a parameter out."""
    sid = new_sid()
    form: dict[str, str | None] = {
        "ToCountry": "US", "ToState": "UT", "ToCity": "SALT LAKE CITY", "ToZip": "84101",
        "FromCountry": "US", "FromState": "UT", "FromCity": "", "FromZip": "84101",
        "SmsMessageSid": sid, "SmsSid": sid, "MessageSid": sid, "SmsStatus": "received",
        "NumMedia": "0", "NumSegments": "1", "Body": "Running late", "To": OUR_NUMBER, "From": THEIR_NUMBER,
        "AccountSid": "AC" + "0123456789abcdef" * 2, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    return _changed(form, changes)


def status_form(status: str, sid: str, **changes: str | None) -> dict[str, str]:
    """A status callback, as docs/carrier.md, section 2, has it."""
    form: dict[str, str | None] = {
        "MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status,
        "To": THEIR_NUMBER, "From": OUR_NUMBER,
        "AccountSid": "AC" + "0123456789abcdef" * 2, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    return _changed(form, changes)


def post(
    path: str,
    form: Mapping[str, str] | Iterable[tuple[str, str]],
    *,
    public_url: str = PUBLIC_URL,
    token: str = TOKEN,
    signature: str | None = None,
    raise_errors: bool = True,
    **options: Any,
) -> Any:
    """The signed webhook. `signature` replaces the right one ("" leaves it away); `options` go to Django's client."""
    pairs = as_pairs(form)
    options.setdefault("data", urlencode(pairs))
    options.setdefault("content_type", FORM_TYPE)
    return post_raw(
        path,
        signature=sign(public_url + path, pairs, token) if signature is None else signature,
        raise_errors=raise_errors,
        **options,
    )


def post_raw(path: str, *, signature: str, raise_errors: bool = True, **options: Any) -> Any:
    """A POST as it stands: nothing is signed here."""
    headers = {"X-Twilio-Signature": signature} if signature else {}
    return Client(raise_request_exception=raise_errors).post(path, headers=headers, **options)


def assert_taken(response: Any) -> None:
    """The carrier is told that all is well, and given nothing that it could text to the client."""
    assert response.status_code == 200
    assert response.content == EMPTY_TWIML
    assert response["Content-Type"].startswith("text/xml")


def as_pairs(form: Mapping[str, str] | Iterable[tuple[str, str]]) -> Pairs:
    return list(form.items()) if isinstance(form, Mapping) else list(form)


def _changed(form: dict[str, str | None], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**form, **changes}.items() if value is not None}
