"""Hands texts to Twilio. What its answer proves, and what it leaves open, is decided here and nowhere else.

Certainly not sent: a connection that was never made, 429, a full queue: may be offered again. A 4xx with the carrier's
JSON error body: refused for good. Everything else (a time-out, a reset, a 5xx, a body we can't read) is unclear: the
carrier has no idempotency key, so a repeat could be a second text on somebody's phone.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.urls import reverse
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client as TwilioRestClient
from twilio.rest.api.v2010.account.message import MessageInstance
from twilio.rest.api.v2010.account.message.media import MediaInstance
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from messaging.sms import (
    Accepted,
    CarrierRecord,
    CarrierUnreachable,
    InboundText,
    NotTaken,
    OutboundText,
    Outcome,
    Refused,
    Unclear,
)
from telephony import errors, payloads, states
from telephony.http_client import PooledHttpClient

logger = logging.getLogger(__name__)

LIST_PAGE_SIZE = 1000

# What Twilio's package raises for an answer that is not what it expects.
_UNREADABLE = (TwilioException, ValueError, LookupError, TypeError, AttributeError)


class TwilioBackend:
    """One for a process: its connections are kept and shared by the sending threads."""

    def __init__(self) -> None:
        http_client = PooledHttpClient(settings.TWILIO_API_URL)
        account = TwilioRestClient(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKENS[0], http_client=http_client)
        self._messages = account.api.v2010.account.messages  # loads the API's modules now, not during the first text

    def send(self, text: OutboundText) -> Outcome:
        try:
            message = self._messages.create(
                to=text.to_number, from_=text.from_number, body=text.body, status_callback=callback_url(text)
            )
        except (TwilioRestException, TwilioServiceException) as error:
            return _read_refusal(_number(error.status), _number(error.code))
        except requests.exceptions.RequestException as error:
            return NotTaken() if _never_connected(error) else Unclear()
        except _UNREADABLE:
            logger.warning("an answer of the carrier that can't be read; the text is unclear")
            return Unclear()
        return Accepted(message.sid) if message.sid else Unclear()

    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        for message in self._listed(since, from_=our_number):
            yield _record(message)

    def incoming_since(self, our_number: str, since: datetime) -> Iterator[tuple[InboundText, datetime]]:
        """Texts to our number; those between two of our own numbers are outgoing ones, and are left out."""
        for message in self._listed(since, to=our_number):
            if message.direction == "inbound" and (text := self._inbound(message)) is not None:
                yield text, message.date_created

    def outgoing_text(self, carrier_id: str) -> CarrierRecord | None:
        try:
            with _unreadable_is_unreachable():
                return _record(self._messages.get(carrier_id).fetch())
        except CarrierUnreachable as error:
            if _status(error.__cause__) == HTTPStatus.NOT_FOUND:
                return None
            raise

    def erase(self, carrier_id: str, *, with_media: bool) -> bool:
        try:
            with _unreadable_is_unreachable():
                self._erase(carrier_id, with_media=with_media)
        except CarrierUnreachable as error:
            match _status(error.__cause__):
                case HTTPStatus.NOT_FOUND:
                    return True
                case HTTPStatus.BAD_REQUEST | HTTPStatus.CONFLICT:
                    return False
            raise
        return True

    def _erase(self, carrier_id: str, *, with_media: bool) -> None:
        message = self._messages.get(carrier_id)
        redacted = message.update(body="")
        if with_media and int(redacted.num_media or 0):
            for media in message.media.list(limit=payloads.MAX_MEDIA):
                media.delete()

    def _listed(self, since: datetime, **numbers: str) -> Iterator[MessageInstance]:
        """What was made since then. Raises CarrierUnreachable.

        Twilio orders by when a text was sent, newest first, which may be hours after it was made: only one that was
        sent before `since` has none behind it. No filter by DateSent: what waits in Twilio's queue has none yet.
        """
        with _unreadable_is_unreachable():
            for message in self._messages.stream(page_size=LIST_PAGE_SIZE, **numbers):
                if message.date_created >= since:
                    yield message
                elif message.date_sent is not None and message.date_sent < since:
                    return

    def _inbound(self, message: MessageInstance) -> InboundText | None:
        """None for a text of nobody: its webhook made it a stray text."""
        form = {"MessageSid": message.sid, "From": message.from_ or "", "To": message.to, "Body": message.body or ""}
        with _unreadable_is_unreachable():
            for position, media in enumerate(self._media(message)):
                form[f"MediaUrl{position}"] = f"https://api.twilio.com{media.uri.removesuffix('.json')}"
                form[f"MediaContentType{position}"] = media.content_type or ""
        try:
            return payloads.inbound_text(form)
        except payloads.NoSender:
            return None

    def _media(self, message: MessageInstance) -> list[MediaInstance]:
        return message.media.list(limit=payloads.MAX_MEDIA) if int(message.num_media or 0) else []


@contextmanager
def _unreadable_is_unreachable() -> Iterator[None]:
    """Half a list proves nothing."""
    try:
        yield
    except (*_UNREADABLE, requests.exceptions.RequestException) as error:
        raise CarrierUnreachable from error


def _status(error: BaseException | None) -> int:
    """The HTTP status of a refusal; 0 if there was no answer, or none that can be read."""
    return _number(error.status) if isinstance(error, TwilioRestException | TwilioServiceException) else 0


def _record(message: MessageInstance) -> CarrierRecord:
    state = states.reported(message.status)
    failed = state is not None and states.is_failure(state)
    return CarrierRecord(
        carrier_id=message.sid,
        our_number=message.from_,
        their_number=message.to,
        body=message.body or "",
        created_at=message.date_created,
        state=state,
        reason=errors.reason_for(message.error_code) if failed else None,
        error_code=message.error_code if failed else None,
    )


def callback_url(text: OutboundText) -> str:
    """Where the carrier reports on this text: it carries our own id, so a lost answer is cleared up by the report."""
    return f"{settings.PUBLIC_URL}{reverse('sms-status')}?{urlencode({'m': str(text.public_id)})}"


def _read_refusal(status: int, code: int) -> Outcome:
    """A 4xx is a definite no only with the carrier's own code in it: a gateway in between may answer anything."""
    if status == 429 or code in errors.NOT_TAKEN:
        return NotTaken()
    if 400 <= status < 500 and status != 408 and code >= 10_000:
        return Refused(errors.reason_for(code), code)
    return Unclear()


def _number(value: object) -> int:
    """What stands in an answer where a number should; 0 if it is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """Whether the request certainly never left us: refused, no such host, no connection in time."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        reason, NewConnectionError | ConnectTimeoutError
    )
