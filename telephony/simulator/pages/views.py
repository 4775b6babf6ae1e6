"""The phones: a list, and for each number a talk with the department that one can write in."""

import asyncio
from urllib.parse import quote

from aiohttp import web
from aiohttp.web import FileField

from telephony.simulator.carrier.addresses import MEANINGS, from_typing, is_phone_number, is_short_code
from telephony.simulator.carrier.inbound import IncomingText, SentFile
from telephony.simulator.exchange import EXCHANGE, Exchange
from telephony.simulator.loopback import same_site_only
from telephony.simulator.pages import fault_panel
from telephony.simulator.pages.rendering import STATIC, page

# A form comes back when the product has answered, at the latest after this; the talk shows the rest.
PATIENCE_SECONDS = 2.0
# Shown in the page as they are; anything else is a link to download.
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

_sending = web.AppKey("sending", set[asyncio.Task[object]])


async def phones(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    numbers = await exchange.numbers.all()
    return page("phones.html", phones=exchange.phones.listed(), numbers=numbers, endings=MEANINGS, error="", typed="")


async def phones_fragment(request: web.Request) -> web.Response:
    return page("_phones.html", phones=request.app[EXCHANGE].phones.listed())


async def add_phone(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    typed = str((await request.post()).get("number", "")).strip()
    try:
        number = typed if is_short_code(typed) else from_typing(typed)
    except ValueError as error:
        numbers, listed = await exchange.numbers.all(), exchange.phones.listed()
        return page(
            "phones.html", phones=listed, numbers=numbers, endings=MEANINGS, error=str(error), typed=typed, status=400
        )
    exchange.phones.switch_on(number)
    raise web.HTTPSeeOther(_address(number))


async def phone(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    number = _number(request)
    texts = exchange.phones.texts(number)
    numbers = await exchange.numbers.all()
    newest = next((text.department for text in reversed(texts) if text.department in numbers), "")
    return page(
        "phone.html", number=number, texts=texts, numbers=numbers, chosen=newest, pictures=PICTURES,
        blocked=_blocked(exchange, number, numbers),
    )  # fmt: skip


async def talk_fragment(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    number = _number(request)
    blocked = _blocked(exchange, number, await exchange.numbers.all())
    return page("_talk.html", number=number, texts=exchange.phones.texts(number), pictures=PICTURES, blocked=blocked)


async def send(request: web.Request) -> web.Response:
    """Send what was typed; the product has `PATIENCE_SECONDS` to answer before the page comes back without it."""
    exchange = request.app[EXCHANGE]
    number = _number(request)
    form = await request.post()
    files = tuple(
        SentFile(file.content_type, file.file.read())
        for file in form.getall("files", [])
        if isinstance(file, FileField) and file.filename
    )
    body, recipient = str(form.get("body", "")).replace("\r\n", "\n"), str(form.get("to", ""))
    if recipient and (body or files):
        text = IncomingText(sender=number, recipient=recipient, body=body, files=files)
        task: asyncio.Task[object] = asyncio.create_task(exchange.inbound.take(text))
        request.app[_sending].add(task)
        task.add_done_callback(request.app[_sending].discard)
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    raise web.HTTPSeeOther(_address(number))


async def picture(request: web.Request) -> web.Response:
    """A file as the phone has it; only pictures are shown, the rest is for download."""
    exchange = request.app[EXCHANGE]
    media = exchange.media.get(request.match_info["media"])
    if media is None or media.message_sid not in {text.message_sid for text in exchange.phones.texts(_number(request))}:
        raise web.HTTPNotFound
    shown = media.content_type in PICTURES
    headers = {
        "Content-Type": media.content_type if shown else "application/octet-stream",
        "Content-Disposition": "inline" if shown else "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=media.content, headers=headers)


async def _stop_sending(app: web.Application) -> None:
    tasks = app[_sending]
    for task in tuple(tasks):
        task.cancel()


def install(app: web.Application) -> None:
    """Add the pages to the application."""
    app[_sending] = set()
    app.on_shutdown.append(_stop_sending)
    app.add_routes([
        web.get("/", phones),
        web.get("/phones", phones_fragment),
        web.post("/phones", same_site_only(add_phone)),
        web.get("/phones/{number}", phone),
        web.get("/phones/{number}/talk", talk_fragment),
        web.post("/phones/{number}/texts", same_site_only(send)),
        web.get("/phones/{number}/files/{media}", picture),
        web.static("/static", STATIC),
        *fault_panel.ROUTES,
    ])  # fmt: skip


def _address(number: str) -> str:
    return f"/phones/{quote(number)}"


def _blocked(exchange: Exchange, number: str, departments: tuple[str, ...]) -> list[str]:
    """The department's numbers that this phone gets nothing from, for having texted STOP."""
    account = exchange.settings.account
    return [department for department in departments if exchange.opt_outs.blocked(number, department, account)]


def _number(request: web.Request) -> str:
    number = request.match_info["number"]
    if not is_phone_number(number) and not is_short_code(number):
        raise web.HTTPNotFound
    return number
