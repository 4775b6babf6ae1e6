"""Test credentials: nothing is sent, no callback comes, and some numbers always refuse (section 11)."""

from aiohttp import web
from multidict import MultiMapping

from telephony.simulator.api.errors import ApiError
from telephony.simulator.api.resources import message_resource
from telephony.simulator.carrier.messages import Direction, Message, Status
from telephony.simulator.carrier.segments import count_segments
from telephony.simulator.carrier.sids import new_sid
from telephony.simulator.exchange import Exchange

GOOD_SENDER = "+15005550006"
SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}


def answer(operation: str, form: MultiMapping[str], exchange: Exchange) -> web.Response:
    """Only creating works; everything else is 20008. The message shown is kept nowhere."""
    if operation != "create":
        raise ApiError(20008)
    to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
    for given, code in ((to, 21604), (sender, 21603), (body, 21602)):
        if not given:
            raise ApiError(code)
    if to in RECIPIENTS:
        raise ApiError(RECIPIENTS[to], to=to)
    if sender != GOOD_SENDER:
        raise ApiError(SENDERS.get(sender, 21606), sender=sender)
    now = exchange.clock.now()
    message = Message(
        sid=new_sid("SM"),
        direction=Direction.OUTBOUND_API,
        status=Status.QUEUED,
        sender=sender,
        recipient=to,
        body=body,
        segments=count_segments(body),
        created_at=now,
        updated_at=now,
    )
    return web.json_response(message_resource(message, exchange.config.test_account_sid), status=201)
