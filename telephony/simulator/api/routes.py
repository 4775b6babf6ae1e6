"""All addresses of the API."""

from aiohttp import web

from telephony.simulator.api import lookups, media, messages
from telephony.simulator.api.edge import Call, operation
from telephony.simulator.api.errors import ApiError


async def unknown(call: Call) -> web.Response:
    """What isn't there is refused as Twilio does, in JSON."""
    raise ApiError(20404, path=call.request.path)


ROUTES = [
    *messages.ROUTES,
    *media.ROUTES,
    *lookups.ROUTES,
    web.route("*", "/2010-04-01/{tail:.*}", operation("unknown", unknown)),
]
