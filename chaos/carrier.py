"""The truth at the carrier: its own list of texts, read without any of the product's code."""

import base64
import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from chaos.ground import Ground


@dataclass(frozen=True)
class Listed:
    """One text in the carrier's list. made_at has whole seconds."""

    sid: str
    sender: str
    recipient: str
    body: str
    is_incoming: bool
    status: str
    made_at: datetime


def listed(ground: Ground) -> list[Listed]:
    """Every text, in the order in which the carrier took them."""
    found: list[dict[str, Any]] = []
    path: str | None = f"/2010-04-01/Accounts/{ground.account_sid}/Messages.json?PageSize=1000"
    while path:
        page = _get(ground, path)
        found += page["messages"]
        path = page["next_page_uri"]
    return [_listed(message) for message in reversed(found)]


def creations(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """For each request to create a message: our public id, from its StatusCallback, and the fault it met, if any."""
    asked = [entry for entry in entries if entry["operation"] == "create"]
    return [(_public_id(dict(entry["parameters"])["StatusCallback"]), entry["fault"] or "") for entry in asked]


def _public_id(callback: str) -> str:
    return urllib.parse.parse_qs(urllib.parse.urlsplit(callback).query)["m"][0]


def _get(ground: Ground, path: str) -> Any:
    credentials = base64.b64encode(f"{ground.account_sid}:{ground.token}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 our own address
        ground.phones_url + path, headers={"Authorization": f"Basic {credentials}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 our own address
        return json.load(answer)


def _listed(message: dict[str, Any]) -> Listed:
    return Listed(
        sid=message["sid"],
        sender=message["from"],
        recipient=message["to"],
        body=message["body"],
        is_incoming=message["direction"] == "inbound",
        status=message["status"],
        made_at=parsedate_to_datetime(message["date_created"]),
    )
