"""The address of My clients: it holds search, filter, order and page, so that Back, reload and bookmarks work.

Whatever stands in it, a list comes of it; what is usual is left out when we write it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from messaging.caseload_list import Show, Sort, Wanted

LARGEST_ID = 2**63 - 1


def wanted(data: QueryDict) -> Wanted:
    """Former clients stand in one order and have no status."""
    show, sort = data.get("show", ""), data.get("sort", "")
    search = data.get("search", "").replace("\0", "").strip()[:100]
    page = data.get("page", "1")[:9]
    if show == Show.FORMER:
        return Wanted(search, show, page=page)
    return Wanted(
        search=search,
        show=show if show in Show.values else Show.EVERYONE.value,
        status_id=an_id(data.get("status", "")),
        sort=sort if sort in Sort.values else Sort.USUAL.value,
        page=page,
    )


def an_id(typed: str) -> int | None:
    """A number that a table can hold as an id; None for anything else."""
    typed = typed.strip()
    return min(int(typed), LARGEST_ID) if typed.isascii() and typed.isdigit() and len(typed) < 20 else None


def query_of(asked: Wanted) -> str:
    """The end of the address, with its question mark; empty for the usual list."""
    parts = {
        "search": asked.search,
        "show": asked.show,
        "status": "" if asked.status_id is None else str(asked.status_id),
        "sort": asked.sort,
        "page": "" if asked.page == "1" else asked.page,
    }
    filled = urlencode({name: value for name, value in parts.items() if value})
    return f"?{filled}" if filled else ""


def is_a_step(asked: Wanted, from_address: str) -> bool:
    """Whether Back leads to what the page at that address showed: another list, not a word that was typed further."""
    before = wanted(QueryDict(from_address.partition("#")[0].partition("?")[2]))
    return replace(before, search="", page="") != replace(asked, search="", page="")


@dataclass(frozen=True)
class Heading:
    """A column's: to which order it leads, and whether the list stands in its order now."""

    name: str
    words: str
    query: str
    aria_sort: str


def headings(asked: Wanted) -> list[Heading]:
    """Chosen once more, the order turns round."""
    columns = [(Sort.NAME, _("Client")), (Sort.STATUS, _("Status")), (Sort.SCHEDULED, _("Scheduled"))]
    return [_heading(asked, sort.value, words) for sort, words in [*columns, (Sort.NEWEST, _("Last contact"))]]


_STARTS_FROM_THE_TOP = (Sort.SCHEDULED, Sort.NEWEST)  # in their usual direction the largest, the latest, stands first


def _heading(asked: Wanted, sort: str, words: str) -> Heading:
    is_sorted, is_back = asked.sort.removeprefix("-") == sort, asked.sort.startswith("-")
    next_sort = f"-{sort}" if is_sorted and not is_back else sort
    is_descending = (sort in _STARTS_FROM_THE_TOP) != is_back
    aria_sort = ("descending" if is_descending else "ascending") if is_sorted else ""
    return Heading(sort, words, query_of(replace(asked, sort=next_sort, page="1")), aria_sort)


@dataclass(frozen=True)
class Chip:
    """One thing that leaves clients out, and the end of the address without it."""

    words: str
    query: str


def chips(asked: Wanted, status_name: str) -> Iterator[Chip]:
    """What the list is filtered by, in words. The search box says the rest itself."""
    if asked.show:
        yield Chip(str(Show(asked.show).label), query_of(replace(asked, show="", page="1")))
    if asked.status_id is not None:
        words = _("Status: %(name)s") % {"name": status_name}
        yield Chip(words, query_of(replace(asked, status_id=None, page="1")))
    if asked.search:
        yield Chip(_("“%(words)s”") % {"words": asked.search}, query_of(replace(asked, search="", page="1")))
