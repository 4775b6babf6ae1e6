"""Twilio's parameters, turned into our own shapes. Nobody else reads request.POST["From"].

New parameters may appear without notice: only what is needed is looked at (docs/carrier.md, section 6).
"""

import re
from collections.abc import Mapping
from uuid import UUID

from accounts import phone_numbers
from messaging.sms import DeliveryReport, InboundMedia, InboundText
from telephony import errors, states

MAX_MEDIA = 10

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # PostgreSQL refuses NUL; none of them is part of a text


class NoSender(ValueError):
    """The text says of nobody that they sent it."""


class NotUnderstood(ValueError):
    """A parameter without which nothing can be done is missing or malformed."""


def inbound_text(form: Mapping[str, str]) -> InboundText:
    """The text in a webhook for an incoming message, or in a stray text's form. Body and media may be absent.

    Raises NoSender, NotUnderstood.
    """
    sender = _clean(form.get("From", "")).strip()[: phone_numbers.MAX_ADDRESS_LENGTH]
    if not sender:
        raise NoSender
    return InboundText(
        carrier_id=message_sid(form),
        from_address=sender,
        to_number=_clean(form.get("To", "")).strip(),
        body=_clean(form.get("Body", "")).replace("\r\n", "\n"),
        media=_media(form),
        opt_out_type=form.get("OptOutType", "").upper(),
    )


def message_sid(form: Mapping[str, str]) -> str:
    """The carrier's id of the message; raises NotUnderstood without one."""
    sid = _clean(form.get("MessageSid") or form.get("SmsSid", ""))
    if not sid or len(sid) > 64:
        raise NotUnderstood("MessageSid")
    return sid


def delivery_report(form: Mapping[str, str], public_id: str) -> DeliveryReport | None:
    """What a status callback says; None if its word is none that moves a message (queued, sending, or a new one).

    Raises NotUnderstood.
    """
    state = states.reported(form.get("MessageStatus") or form.get("SmsStatus", ""))
    if state is None:
        return None
    code = form.get("ErrorCode", "")
    error_code = int(code) if code.isascii() and code.isdigit() and len(code) <= 9 else None
    reason = errors.reason_for(error_code) if states.is_failure(state) else None
    return DeliveryReport(_uuid(public_id), message_sid(form), state, reason, error_code if reason else None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotUnderstood("m") from error


def _media(form: Mapping[str, str]) -> tuple[InboundMedia, ...]:
    urls = ((form.get(f"MediaUrl{n}", ""), form.get(f"MediaContentType{n}", "")) for n in range(MAX_MEDIA))
    return tuple(InboundMedia(_clean(url), _clean(content_type)) for url, content_type in urls if url)


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)
