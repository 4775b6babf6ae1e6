"""Who may use the switches and the pages: this machine's own programs and people, not other sites' scripts."""

import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def loopback_only(handler: Handler) -> Handler:
    """Refuse (403) whoever isn't on this machine, whatever address the phones listen on."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if not _is_loopback(request.remote or ""):
            raise web.HTTPForbidden(text="The switches of the pocket phones can be reached from this machine only.")
        _refuse_other_sites(request)
        return await handler(request)

    return guarded


def same_site_only(handler: Handler) -> Handler:
    """Refuse (403) a form that another site's page sent through the person's browser."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        _refuse_other_sites(request)
        return await handler(request)

    return guarded


def _refuse_other_sites(request: web.Request) -> None:
    """Browsers say in Sec-Fetch-Site where a request comes from; programs don't send it."""
    if request.method != "GET" and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="This form was sent by another site.")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
