"""The Media subresource: what came with a message, and the files themselves (section 9, 12.25)."""

import hashlib
import hmac

from aiohttp import web

from telephony.simulator.api.edge import Call, operation
from telephony.simulator.api.errors import ApiError, gateway_error
from telephony.simulator.api.listing import envelope
from telephony.simulator.api.messages import message_of
from telephony.simulator.api.resources import media_resource
from telephony.simulator.carrier.faults import Kind, Point
from telephony.simulator.carrier.media import Media
from telephony.simulator.exchange import EXCHANGE, Exchange

COLLECTION = "/2010-04-01/Accounts/{account}/Messages/{sid}/Media"
# How long the address lives that a file's own address leads to.
LINK_SECONDS = 4 * 3600


async def listed(call: Call) -> web.Response:
    found = call.exchange.media.of(message_of(call).sid)
    body = envelope(
        name="media_list",
        items=[media_resource(media, call.account_sid) for media in found],
        path=call.request.path,
        query=call.request.query,
        next_place=None,
    )
    return web.json_response(body)


async def fetch(call: Call) -> web.Response:
    return web.json_response(media_resource(_media_of(call), call.account_sid))


async def delete(call: Call) -> web.Response:
    media, message = _media_of(call), message_of(call)
    call.exchange.media.delete(media.sid)
    call.exchange.messages.change(message, media=message.media - 1)
    return web.Response(status=204)


async def locate(call: Call) -> web.Response:
    """The file's own address, the one in MediaUrl: leads to a signed one that expires. It may be missing at first."""
    media = _media_of(call)
    if fault := call.exchange.faults.take(Point.MEDIA, number=call.number):
        if fault.kind == Kind.MEDIA_ERROR:
            return gateway_error(fault.code)
        raise ApiError(20404, path=call.request.path)
    expires = str(int(call.exchange.clock.now()) + LINK_SECONDS)
    link = f"/cdn/{media.sid}?Expires={expires}&Signature={_signature(call.exchange, media.sid, expires)}"
    return web.Response(status=307, headers={"Location": call.exchange.config.base_url + link})


async def content(request: web.Request) -> web.Response:
    """The file. Twilio has this on another host, where the account's credentials have no business; the log says
    whether they came along."""
    exchange = request.app[EXCHANGE]
    sid, query = request.match_info["media"], request.query
    media = exchange.media.get(sid)
    right = hmac.compare_digest(query.get("Signature", ""), _signature(exchange, sid, query.get("Expires", "")))
    fresh = right and int(query["Expires"]) > exchange.clock.now()
    status = 200 if media and fresh and not media.deleted else 403
    exchange.journal.add(
        "asked", number="", operation="cdn", method=request.method, path=request.path, status=status,
        parameters=[], credentials="Authorization" in request.headers, fault=None, seconds=0.0,
    )  # fmt: skip
    if media is None or status == 403:
        return web.Response(status=403, text="AccessDenied")
    return web.Response(body=media.content, headers={"Content-Type": media.content_type})


def _media_of(call: Call) -> Media:
    message = message_of(call)
    sid = call.request.match_info["media"]
    media = next((media for media in call.exchange.media.of(message.sid) if media.sid == sid), None)
    if media is None:
        raise ApiError(20404, path=call.request.path)
    return media


def _signature(exchange: Exchange, sid: str, expires: str) -> str:
    key = exchange.config.auth_tokens[0].encode()
    return hmac.new(key, f"{sid} {expires}".encode(), hashlib.sha256).hexdigest()


ROUTES = [
    web.get(COLLECTION + ".json", operation("media", listed)),
    web.get(COLLECTION + "/{media}.json", operation("media", fetch)),
    web.delete(COLLECTION + "/{media}.json", operation("media", delete)),
    web.delete(COLLECTION + "/{media}", operation("media", delete)),
    web.get(COLLECTION + "/{media}", operation("media", locate, public=True)),
    web.get("/cdn/{media}", content),
]
