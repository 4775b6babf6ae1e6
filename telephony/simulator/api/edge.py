"""The edge that every API request passes: credentials, faults, the log, Twilio's headers."""

import asyncio
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from multidict import MultiDict

from telephony.simulator.api import magic
from telephony.simulator.api.authentication import Caller, caller_of, check_account
from telephony.simulator.api.errors import ApiError, gateway_error
from telephony.simulator.carrier.faults import Fault, Kind, Point
from telephony.simulator.exchange import EXCHANGE, Exchange

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the handlers see it. `form` holds the parameters of a POST, strings only."""

    exchange: Exchange
    request: web.Request
    form: MultiDict[str]
    operation: str
    public: bool = False

    @property
    def account_sid(self) -> str:
        return self.exchange.config.account_sid

    @property
    def number(self) -> str:
        """The client's number that the request is about, for faults and for the log; "" when about none."""
        asked = self.form.get("To") or self.request.query.get("To") or self.request.match_info.get("number")
        if asked:
            return asked
        message = self.exchange.messages.get(self.request.match_info.get("sid", ""))
        return message.phone if message else ""


Operation = Callable[[Call], Awaitable[web.Response]]


def operation(name: str, answer: Operation, *, public: bool = False) -> Handler:
    """Wrap an operation of the API for aiohttp's router. `name` is what a fault's `operation` refers to.

    `public`: needs no credentials unless the account demands them (files).
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        exchange = request.app[EXCHANGE]
        form = MultiDict((key, value) for key, value in (await request.post()).items() if isinstance(value, str))
        call = Call(exchange, request, form, name, public)
        started = time.monotonic()
        exchange.requests_under_way += 1
        try:
            passage = await _pass(call, answer)
        finally:
            exchange.requests_under_way -= 1
        _log(call, passage, time.monotonic() - started)
        if passage.response is None:
            await asyncio.sleep(passage.silence)
            _cut(request, reset=passage.reset)
            return web.Response()
        _add_headers(passage.response, exchange, time.monotonic() - started)
        return passage.response

    return handle


@dataclass(frozen=True, slots=True)
class Passage:
    """How a request fared. Without a response the line is cut after `silence` seconds, by a reset if `reset`."""

    response: web.Response | None
    fault: Kind | None = None
    reset: bool = False
    silence: float = 0.0


async def _pass(call: Call, answer: Operation) -> Passage:
    """Before the answer one fault may strike, after it another; refusals are answers as well."""
    faults = call.exchange.faults
    before = faults.take(Point.BEFORE, number=call.number, operation=call.operation)
    if before and before.kind != Kind.SLOW:
        return _struck(before)
    if before:
        await asyncio.sleep(before.seconds)
    try:
        response = await _answer(call, answer)
    except ApiError as error:
        return Passage(error.response(), before.kind if before else None)
    if after := faults.take(Point.AFTER, number=call.number, operation=call.operation):
        return _struck(after)
    return Passage(response, before.kind if before else None)


async def _answer(call: Call, answer: Operation) -> web.Response:
    exchange = call.exchange
    account = exchange.settings.account
    open_to_all = call.public and not account.media_needs_credentials
    caller = Caller.ACCOUNT if open_to_all else caller_of(call.request, exchange.config)
    if exchange.requests_under_way > account.concurrent_requests:
        raise ApiError(20429)
    if caller == Caller.TEST:
        check_account(call.request, exchange.config.test_account_sid)
        return magic.answer(call.operation, call.form, exchange)
    check_account(call.request, exchange.config.account_sid)
    if account.suspended:
        raise ApiError(20005)
    return await answer(call)


def _struck(fault: Fault) -> Passage:
    match fault.kind:
        case Kind.RATE_LIMITED:
            return Passage(ApiError(20429).response(), fault.kind)
        case Kind.UNAUTHORIZED:
            return Passage(ApiError(20003).response(), fault.kind)
        case Kind.REFUSED:
            return Passage(ApiError(fault.code).response(), fault.kind)
        case Kind.SERVER_ERROR | Kind.SERVER_ERROR_AFTER:
            return Passage(gateway_error(fault.code), fault.kind)
        case Kind.HANG | Kind.HANG_BEFORE:
            return Passage(None, fault.kind, silence=fault.seconds)
        case _:
            return Passage(None, fault.kind, reset=True)


def _cut(request: web.Request, *, reset: bool) -> None:
    """Close the connection without an answer; with `reset` the far end sees RST instead of a close."""
    transport = request.transport
    if transport is None:
        return
    line = transport.get_extra_info("socket")
    if reset and line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _log(call: Call, passage: Passage, seconds: float) -> None:
    parameters = call.form if call.request.method == "POST" else call.request.query
    call.exchange.journal.add(
        "asked",
        number=call.number,
        operation=call.operation,
        method=call.request.method,
        path=call.request.path,
        parameters=[[name, value] for name, value in parameters.items()],
        credentials="Authorization" in call.request.headers,
        status=passage.response.status if passage.response else None,
        fault=passage.fault,
        seconds=round(seconds, 3),
    )


def _add_headers(response: web.Response, exchange: Exchange, seconds: float) -> None:
    response.headers["Twilio-Request-Id"] = "RQ" + secrets.token_hex(16)
    response.headers["Twilio-Concurrent-Requests"] = str(exchange.requests_under_way + 1)
    response.headers["Twilio-Request-Duration"] = f"{seconds:.3f}"
    response.headers["X-Home-Region"] = "us1"
