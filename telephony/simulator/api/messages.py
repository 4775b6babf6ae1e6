"""The Messages resource: create, list, fetch, redact, cancel, delete."""

from aiohttp import web

from telephony.simulator.api.create import draft_from
from telephony.simulator.api.edge import Call, operation
from telephony.simulator.api.errors import ApiError
from telephony.simulator.api.listing import envelope, filters_from, page_size, place_after
from telephony.simulator.api.resources import message_resource
from telephony.simulator.carrier.callbacks import has_quirk
from telephony.simulator.carrier.faults import Kind
from telephony.simulator.carrier.messages import FINAL, Message, Status

COLLECTION = "/2010-04-01/Accounts/{account}/Messages.json"
MEMBER = "/2010-04-01/Accounts/{account}/Messages/{sid}.json"

# How long the answer waits for a callback that is to overtake it.
EARLY_CALLBACK_SECONDS = 5.0
# How long Twilio waits for a carrier's receipt before it takes `sent` as the last word.
RECEIPT_SECONDS = 3600.0


async def create(call: Call) -> web.Response:
    draft = await draft_from(call.form, call.exchange)
    message = call.exchange.deliveries.accept(draft)
    if has_quirk(message, Kind.CALLBACK_EARLY):
        await call.exchange.callbacks.first(message.sid, timeout=EARLY_CALLBACK_SECONDS)
    return _shown(call, message, status=201)


async def listed(call: Call) -> web.Response:
    query = call.request.query
    size = page_size(query)
    found = call.exchange.messages.page(filters_from(query), before=place_after(query), size=size + 1)
    shown = found[:size]
    body = envelope(
        name="messages",
        items=[message_resource(message, call.account_sid) for message in shown],
        path=call.request.path,
        query=query,
        next_place=shown[-1].seq if len(found) > size else None,
    )
    return web.json_response(body)


async def fetch(call: Call) -> web.Response:
    return _shown(call, message_of(call))


async def update(call: Call) -> web.Response:
    """`Status=canceled` takes back a scheduled message; an empty `Body` redacts the text for good."""
    message = message_of(call)
    if "Status" in call.form:
        if call.form["Status"] != "canceled" or message.status != Status.SCHEDULED:
            raise ApiError(30409)
        message = call.exchange.deliveries.cancel(message)
    if "Body" in call.form:
        if call.form["Body"]:
            raise ApiError(20422, name="Body: it may only be emptied")
        _check_finished(call, message)
        message = call.exchange.messages.change(message, body="")
    return _shown(call, message)


async def delete(call: Call) -> web.Response:
    """Its media go with it; what has reached the phone stays there."""
    message = message_of(call)
    _check_finished(call, message)
    for media in call.exchange.media.of(message.sid):
        call.exchange.media.delete(media.sid)
    call.exchange.messages.delete(message.sid)
    return web.Response(status=204)


def message_of(call: Call) -> Message:
    message = call.exchange.messages.get(call.request.match_info["sid"])
    if message is None:
        raise ApiError(20404, path=call.request.path)
    return message


def _check_finished(call: Call, message: Message) -> None:
    """Redacting and deleting wait for the end; of a message without a receipt, for an hour after it was sent."""
    unheard_of = call.exchange.clock.now() - (message.sent_at or message.created_at) > RECEIPT_SECONDS
    if message.status not in FINAL and not (message.status == Status.SENT and unheard_of):
        raise ApiError(20009)


def _shown(call: Call, message: Message, *, status: int = 200) -> web.Response:
    return web.json_response(message_resource(message, call.account_sid), status=status)


ROUTES = [
    web.post(COLLECTION, operation("create", create)),
    web.get(COLLECTION, operation("list", listed)),
    web.get(MEMBER, operation("fetch", fetch)),
    web.post(MEMBER, operation("update", update)),
    web.delete(MEMBER, operation("delete", delete)),
]
