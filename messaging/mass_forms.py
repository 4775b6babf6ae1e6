"""What is typed and ticked on the page of a mass message, turned into our own values.

Nothing typed is refused here: a draft keeps whatever stands on the page; its check page says what is wrong with it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from messaging.actions.mass_drafts import Ticks
from messaging.caseload_forms import an_id
from messaging.mass_choice import Listed, Sort

MAX_FIELDS = 250_000

View = Callable[..., HttpResponse]


def takes_many_fields(view: View) -> View:
    """For a form with a box for each client: Django takes a thousand fields, and reads them before any view is asked.

    So the form is read here, and protected against forgery right after.
    """
    protected = csrf_protect(view)

    @wraps(view)
    def read_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
            request.POST = _read(request)  # type: ignore[assignment]  # as Django's own reading leaves it
        return protected(request, *args, **kwargs)

    return csrf_exempt(read_first)


def _read(request: HttpRequest) -> QueryDict:
    fields = QueryDict(mutable=True)
    try:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise SuspiciousOperation("more fields than any caseload has clients") from error
    for name, value in pairs:
        fields.appendlist(name, value)
    fields._mutable = False
    return fields


def listed(data: QueryDict, prefix: str = "") -> Listed:
    """What of the caseload is to be listed. Whatever stands there, a list comes of it."""
    sort = data.get(f"{prefix}sort", "")
    return Listed(
        search=data.get(f"{prefix}search", "").replace("\0", "").strip()[:100],
        status_id=an_id(data.get(f"{prefix}status", "")),
        sort=sort if sort in Sort.values else Sort.LAST_CONTACT.value,
        page=data.get("page", "1")[:9],
    )


def query_of(wanted: Listed) -> str:
    """The same as the end of an address, without what is usual."""
    parts = {
        "search": wanted.search,
        "status": str(wanted.status_id or ""),
        "sort": "" if wanted.sort == Sort.LAST_CONTACT else wanted.sort,
        "page": "" if wanted.page == "1" else wanted.page,
    }
    return urlencode({name: value for name, value in parts.items() if value})


def ticks(data: QueryDict) -> Ticks:
    """The boxes of the page. "Select all" counts when it was changed; who matches is what the page had listed."""
    was_all, is_all = data.get("all_was") == "1", "select_all" in data
    return Ticks(
        shown=ids(data.getlist("shown")),
        ticked=ids(data.getlist("clients")),
        everyone=None if was_all == is_all else is_all,
        listed=listed(data, prefix="listed_"),
    )


def ids(typed: list[str]) -> frozenset[int]:
    """Ids, alone or with commas between. What is none stands for a client of nobody (0)."""
    return frozenset(an_id(part) or 0 for text in typed for part in text.split(",") if part.strip())
