"""The fault panel: the same switches as the control API, for people."""

from itertools import groupby

from aiohttp import web

from telephony.simulator.carrier.addresses import for_reading, from_typing
from telephony.simulator.carrier.faults import TRAITS, Kind, Point
from telephony.simulator.exchange import EXCHANGE
from telephony.simulator.loopback import loopback_only
from telephony.simulator.pages.rendering import page

HEADINGS = {
    Point.BEFORE: "The API, before anything is created",
    Point.AFTER: "The API, after the message was created",
    Point.DELIVERY: "On the way to the phone",
    Point.CALLBACK: "Status callbacks",
    Point.INBOUND: "Incoming texts",
    Point.MEDIA: "Pictures",
}
NEWEST_ENTRIES = 100


async def show(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    exchange = request.app[EXCHANGE]
    groups = [
        (HEADINGS[point], [(kind, trait) for kind, trait in kinds])
        for point, kinds in groupby(TRAITS.items(), key=lambda item: item[1].point)
    ]
    return page(
        "faults.html", faults=exchange.faults.active(), groups=groups, timing=exchange.settings.timing,
        account=exchange.settings.account, error=error, status=status,
    )  # fmt: skip


async def add(request: web.Request) -> web.Response:
    form = {name: str(value).strip() for name, value in (await request.post()).items()}
    try:
        request.app[EXCHANGE].faults.add(
            Kind(form["kind"]),
            number=from_typing(form["number"]) if form.get("number") else "",
            times=int(form["times"]) if form.get("times") else None,
            seconds=float(form["seconds"]) if form.get("seconds") else None,
            code=int(form["code"]) if form.get("code") else None,
            operation=form.get("operation", "create"),
        )
    except (ValueError, KeyError) as error:
        return await show(request, error=str(error), status=400)
    raise web.HTTPSeeOther("/faults")


async def remove(request: web.Request) -> web.Response:
    """One fault, or with no id all of them."""
    fault_id = str((await request.post()).get("id", ""))
    faults = request.app[EXCHANGE].faults
    if fault_id:
        faults.remove(fault_id)
    else:
        faults.clear()
    raise web.HTTPSeeOther("/faults")


async def behave(request: web.Request) -> web.Response:
    """Timing and the account's modes, in one form."""
    form = await request.post()
    settings = request.app[EXCHANGE].settings
    try:
        settings.change_timing({name: float(str(form[name])) for name in ("sent", "delivered")})
        rate = str(form.get("segments_per_second", "")).strip()
        settings.change_account({
            "trial": "trial" in form,
            "suspended": "suspended" in form,
            "media_needs_credentials": "media_needs_credentials" in form,
            "segments_per_second": float(rate) if rate else None,
        })  # fmt: skip
    except (ValueError, KeyError) as error:
        return await show(request, error=str(error), status=400)
    raise web.HTTPSeeOther("/faults")


async def wire(request: web.Request) -> web.Response:
    """The newest lines of the log."""
    entries = request.app[EXCHANGE].journal.newest(NEWEST_ENTRIES)
    return page("wire.html", entries=[(entry, _summary(entry)) for entry in entries])


def _summary(entry: dict[str, object]) -> str:
    """One line about an entry of the log."""
    number = for_reading(str(entry["number"]))
    match entry["kind"]:
        case "arrived":
            return f"{number} got a text from the {entry['by']}"
        case "posted":
            outcome = entry.get("status") or entry.get("error") or entry.get("error_code") or "fetched"
            return f"{entry['purpose']} about {number} posted to the product: {outcome}"
        case "asked":
            fault = f" (fault: {entry['fault']})" if entry["fault"] else ""
            outcome = entry["status"] or "cut off"
            return f"the product asked {entry['method']} {entry['operation']} {number}: {outcome}{fault}"
        case _:
            return f"alert {entry.get('code')} about {number}"


ROUTES = [
    web.get("/faults", loopback_only(show)),
    web.post("/faults", loopback_only(add)),
    web.post("/faults/remove", loopback_only(remove)),
    web.post("/faults/behaviour", loopback_only(behave)),
    web.get("/wire", loopback_only(wire)),
]
