"""The switches as JSON, for tests, chaos runs and benchmarks. `control.PocketPhones` is the typed client for them.

GET    /control/ready                          the account's numbers, how much is still to happen
GET    /control/log?after=&kind=&number=       what arrived, was posted, was asked (see `carrier.journal`)
POST   /control/texts                          a client sends a text; answers when the product has answered
GET    /control/faults   POST   DELETE         what goes wrong; DELETE /control/faults/{id} switches one off
GET    /control/timing   POST                  seconds until `sent` and `delivered`
GET    /control/account  POST                  the account's modes (see `carrier.settings.Account`)
POST   /control/clock                          {"advance": seconds}: let time pass
POST   /control/reset                          forget everything
"""

import base64
import binascii
import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from telephony.simulator.carrier.faults import Fault, Kind
from telephony.simulator.carrier.inbound import IncomingText, Outcome, SentFile
from telephony.simulator.carrier.webhooks import Result
from telephony.simulator.exchange import EXCHANGE, Exchange
from telephony.simulator.loopback import Handler, loopback_only


async def ready(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    numbers = await exchange.numbers.all()
    return web.json_response({"ready": True, "numbers": numbers, "pending": exchange.agenda.pending()})


async def log(request: web.Request) -> web.Response:
    query = request.query
    entries = request.app[EXCHANGE].journal.entries(
        after=int(query.get("after", "0")), kind=query.get("kind", ""), number=query.get("number", "")
    )
    return web.json_response({"entries": entries})


async def send_text(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    wanted = await _json(request)
    files = wanted.get("media", [])
    text = IncomingText(
        sender=wanted["from"],
        recipient=wanted.get("to") or (await _first_number(exchange)),
        body=wanted.get("body", ""),
        files=tuple(SentFile(file["content_type"], base64.b64decode(file["base64"], validate=True)) for file in files),
        times=int(wanted.get("times", 1)),
        signing=wanted.get("signing", "right"),
        as_json=bool(wanted.get("as_json", False)),
        parameters=wanted.get("parameters", {}),
    )
    return web.json_response(_outcome(await exchange.inbound.take(text)), status=201)


async def list_faults(request: web.Request) -> web.Response:
    return web.json_response({"faults": [_fault(fault) for fault in request.app[EXCHANGE].faults.active()]})


async def add_fault(request: web.Request) -> web.Response:
    wanted = await _json(request)
    fault = request.app[EXCHANGE].faults.add(Kind(wanted.pop("kind")), **wanted)
    return web.json_response(_fault(fault), status=201)


async def clear_faults(request: web.Request) -> web.Response:
    request.app[EXCHANGE].faults.clear()
    return web.Response(status=204)


async def remove_fault(request: web.Request) -> web.Response:
    request.app[EXCHANGE].faults.remove(request.match_info["id"])
    return web.Response(status=204)


async def show_timing(request: web.Request) -> web.Response:
    return web.json_response(asdict(request.app[EXCHANGE].settings.timing))


async def change_timing(request: web.Request) -> web.Response:
    request.app[EXCHANGE].settings.change_timing(await _json(request))
    return await show_timing(request)


async def show_account(request: web.Request) -> web.Response:
    return web.json_response(asdict(request.app[EXCHANGE].settings.account))


async def change_account(request: web.Request) -> web.Response:
    request.app[EXCHANGE].settings.change_account(await _json(request))
    return await show_account(request)


async def move_clock(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    exchange.move_clock(float((await _json(request))["advance"]))
    return web.json_response({"now": exchange.clock.now()})


async def reset(request: web.Request) -> web.Response:
    await request.app[EXCHANGE].reset()
    return web.Response(status=204)


def _switch(handler: Handler) -> Handler:
    """Loopback only; what makes no sense is a 400 in words."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (ValueError, TypeError, KeyError, binascii.Error) as error:
            raise web.HTTPBadRequest(text=f"{type(error).__name__}: {error}") from error

    return loopback_only(answer)


async def _json(request: web.Request) -> dict[str, Any]:
    wanted = json.loads(await request.text())
    if not isinstance(wanted, dict):
        raise TypeError("a JSON object is wanted")
    return wanted


async def _first_number(exchange: Exchange) -> str:
    numbers = await exchange.numbers.all()
    if not numbers:
        raise ValueError("the account has no numbers: say which one the text goes to")
    return numbers[0]


def _fault(fault: Fault) -> dict[str, Any]:
    return {**asdict(fault), "point": fault.point, "label": fault.label}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"sid": outcome.message.sid, "webhooks": [_result(result) for result in outcome.results]}


def _result(result: Result) -> dict[str, Any]:
    return {
        "status": result.status,
        "error": result.error,
        "error_code": result.error_code,
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        "content_type": result.content_type,
        "body": result.body.decode("utf-8", "replace"),
    }


ROUTES = [
    web.get("/control/ready", _switch(ready)),
    web.get("/control/log", _switch(log)),
    web.post("/control/texts", _switch(send_text)),
    web.get("/control/faults", _switch(list_faults)),
    web.post("/control/faults", _switch(add_fault)),
    web.delete("/control/faults", _switch(clear_faults)),
    web.delete("/control/faults/{id}", _switch(remove_fault)),
    web.get("/control/timing", _switch(show_timing)),
    web.post("/control/timing", _switch(change_timing)),
    web.get("/control/account", _switch(show_account)),
    web.post("/control/account", _switch(change_account)),
    web.post("/control/clock", _switch(move_clock)),
    web.post("/control/reset", _switch(reset)),
]
