"""The rules of creating a message (section 1): from the form to a draft, or to Twilio's refusal."""

import json
import re
from urllib.parse import urlsplit

from multidict import MultiMapping

from telephony.simulator.api.errors import ApiError
from telephony.simulator.api.scheduling import send_at
from telephony.simulator.carrier.addresses import Ending, ending_of, is_phone_number, is_short_code, is_toll_free
from telephony.simulator.carrier.delivery import DEFAULT_VALIDITY, Draft
from telephony.simulator.carrier.media import MAX_MEDIA
from telephony.simulator.carrier.messages import Direction
from telephony.simulator.carrier.segments import smart_encoded, utf16_units
from telephony.simulator.carrier.settings import Account, MessagingService
from telephony.simulator.exchange import Exchange

MAX_BODY_UNITS = 1600
MAX_CALLBACK_LENGTH = 4000
# A sender's name instead of a number: networks of the United States and Canada take none.
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
TRIAL_PREFIX = "Sent from your Twilio trial account - "

Form = MultiMapping[str]


async def draft_from(form: Form, exchange: Exchange) -> Draft:
    """Raises ApiError with the code of the first rule that is broken. Parameters nobody knows are ignored (20001)."""
    account = exchange.settings.account
    recipient = _recipient(form)
    service = _service(form, account)
    own_numbers = await exchange.numbers.all(expecting=form.get("From", "").strip())
    sender = _sender(form, service, own_numbers)
    if sender == recipient:
        raise ApiError(21211, to=recipient)
    media_urls = _media_urls(form)
    body = _body(form, has_media=bool(media_urls))
    _check_reachable(recipient, sender, service, exchange)
    if account.trial:
        body = TRIAL_PREFIX + body
    return Draft(
        direction=Direction.OUTBOUND_API,
        sender=sender,
        recipient=recipient,
        body=body,
        service_sid=service.sid if service else None,
        media_urls=media_urls,
        as_mms=_is_true(form, "SendAsMms"),
        status_callback=_status_callback(form) or (service.status_callback if service else ""),
        validity=_validity(form),
        send_at=send_at(form, exchange.clock.now()),
    )


def _recipient(form: Form) -> str:
    to = form.get("To", "").strip()
    if not to:
        raise ApiError(21604)
    if is_short_code(to):
        raise ApiError(21265, to=to)
    if not is_phone_number(to):
        raise ApiError(21211, to=to)
    return to


def _service(form: Form, account: Account) -> MessagingService | None:
    sid = form.get("MessagingServiceSid", "")
    if not sid:
        return None
    service = account.service(sid)
    if service is None:
        raise ApiError(21705, sid=sid)
    if not service.numbers:
        raise ApiError(21704)
    return service


def _sender(form: Form, service: MessagingService | None, own_numbers: tuple[str, ...]) -> str | None:
    """The number given, which must be the account's; None when the service is to choose."""
    sender = form.get("From", "").strip()
    if not sender:
        if service is None:
            raise ApiError(21603)
        return None
    if ALPHANUMERIC.fullmatch(sender) and not is_short_code(sender):
        raise ApiError(21612, to=form.get("To", ""), sender=sender)
    if not is_phone_number(sender) and not is_short_code(sender):
        raise ApiError(21212, sender=sender)
    if sender not in own_numbers:
        raise ApiError(21606, sender=sender)
    return sender


def _media_urls(form: Form) -> list[str]:
    """`MediaUrl` is repeated for each file."""
    urls = [url for url in form.getall("MediaUrl", []) if url]
    if len(urls) > MAX_MEDIA:
        raise ApiError(21623)
    if not all(_is_web_address(url) for url in urls):
        raise ApiError(21620)
    return urls


def _body(form: Form, *, has_media: bool) -> str:
    body = form.get("Body", "")
    _check_content_variables(form)
    if not body.strip() and not has_media:
        if sid := form.get("ContentSid"):
            raise ApiError(21654, sid=sid)
        raise ApiError(21602)
    if _is_true(form, "SmartEncoded"):
        body = smart_encoded(body)
    if utf16_units(body) > MAX_BODY_UNITS:
        raise ApiError(21617)
    return body


def _check_content_variables(form: Form) -> None:
    """A JSON object. There are no templates here, so what is right about it ends with 21654."""
    try:
        is_object = isinstance(json.loads(form.get("ContentVariables") or "{}"), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ApiError(21656)


def _is_true(form: Form, name: str) -> bool:
    return form.get(name, "").lower() == "true"


def _status_callback(form: Form) -> str:
    url = form.get("StatusCallback", "")
    if url and (len(url) > MAX_CALLBACK_LENGTH or not _is_web_address(url) or "_" in (urlsplit(url).hostname or "")):
        raise ApiError(21609, url=url)
    return url


def _validity(form: Form) -> int:
    given = form.get("ValidityPeriod", "")
    if not given:
        return DEFAULT_VALIDITY
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= DEFAULT_VALIDITY:
        raise ApiError(90007)
    return int(given)


def _check_reachable(recipient: str, sender: str | None, service: MessagingService | None, exchange: Exchange) -> None:
    """Landlines, opt-outs, trial accounts, full queues. With Advanced Opt-Out, with toll-free senders, and for
    scheduled messages a block shows only later (section 7)."""
    account = exchange.settings.account
    if ending_of(recipient) == Ending.LANDLINE:
        raise ApiError(21614, to=recipient)
    if account.trial and recipient not in account.verified_numbers:
        raise ApiError(21608, to=recipient)
    side = sender or (service.numbers[0] if service else "")
    says_so_later = (service is not None and service.advanced_opt_out) or is_toll_free(side)
    if not says_so_later and exchange.opt_outs.blocked(recipient, side, account):
        raise ApiError(21610)
    if sender and exchange.queues.is_full(sender, account):
        raise ApiError(21611, sender=sender)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(c.isspace() for c in url)
    except ValueError:
        return False
