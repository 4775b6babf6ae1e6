"""Templates and static files of the pages."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from telephony.simulator.carrier.addresses import for_reading

HERE = Path(__file__).parent
STATIC = HERE / "static"

# Nothing comes from elsewhere and nothing is written into the pages: no inline script or style.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _time_of_day(seconds: float) -> str:
    """On this machine's clock: it is the person in front of it who reads it."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%H:%M:%S")


_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["phone"] = for_reading
_templates.filters["clock"] = _time_of_day


def page(template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page or a fragment; everything in `values` is escaped."""
    text = _templates.get_template(template).render(**values)
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)
