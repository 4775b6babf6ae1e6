"""Lists as the 2010 API gives them: newest first, filtered, page by page with an opaque token (12.5)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from multidict import MultiMapping

from telephony.simulator.api.errors import ApiError
from telephony.simulator.carrier.messages import Filters

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
TOKEN_PREFIX = "PASM"  # noqa: S105  the start of a page's token

Query = MultiMapping[str]


def filters_from(query: Query) -> Filters:
    """`DateSent` is a day, also when a moment is given (Twilio's packages send midnight); `DateSent<` and `DateSent>`
    are days or moments and include what they name."""
    sent_from = sent_until = None
    if day := query.get("DateSent"):
        sent_from, sent_until = _span(day[:10], "DateSent")
    if since := query.get("DateSent>"):
        sent_from = _span(since, "DateSent>")[0]
    if until := query.get("DateSent<"):
        sent_until = _span(until, "DateSent<")[1]
    return Filters(
        recipient=query.get("To", ""), sender=query.get("From", ""), sent_from=sent_from, sent_until=sent_until
    )


def page_size(query: Query) -> int:
    given = query.get("PageSize", "")
    return min(max(int(given), 1), MAX_PAGE_SIZE) if given.isascii() and given.isdigit() else DEFAULT_PAGE_SIZE


def place_after(query: Query) -> int | None:
    """The place in the list that the page begins after; None for the first page."""
    token = query.get("PageToken", "")
    if not token:
        return None
    try:
        return int(token.removeprefix(TOKEN_PREFIX), 16)
    except ValueError:
        raise ApiError(20422, name="PageToken") from None


def envelope(
    *, name: str, items: list[dict[str, Any]], path: str, query: Query, next_place: int | None
) -> dict[str, Any]:
    """The page around the items. `next_place` is where the next page begins, None at the end."""
    size = page_size(query)
    page = int(query.get("Page", "0")) if query.get("Page", "0").isdigit() else 0
    filters = [(key, value) for key, value in query.items() if key not in ("Page", "PageToken", "PageSize")]

    def uri(number: int, place: int | None = None) -> str:
        token = [] if place is None else [("PageToken", f"{TOKEN_PREFIX}{place:032x}")]
        return f"{path}?{urlencode([*filters, ('PageSize', str(size)), ('Page', str(number)), *token])}"

    return {
        "first_page_uri": uri(0),
        "next_page_uri": None if next_place is None else uri(page + 1, next_place),
        "previous_page_uri": None,
        "uri": uri(page, place_after(query)),
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(items) - 1, 0),
        name: items,
    }


def _span(text: str, name: str) -> tuple[float, float]:
    """First and last second that a day or a moment covers, in GMT."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(20422, name=name) from None
    start = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    whole_day = len(text) == len("2026-11-22")
    length = timedelta(days=1) if whole_day else timedelta(seconds=1)
    return start.timestamp(), (start + length - timedelta(microseconds=1)).timestamp()
