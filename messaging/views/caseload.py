"""My clients."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Department, User
from clients.models import ClientStatus
from messaging import caseload_forms, former_clients, mass_choice, queries, unclaimed
from messaging.caseload_list import Show, Sort, Wanted
from messaging.queries import Caseload
from messaging.views.people import person


@require_GET
def my_clients(request: HttpRequest) -> HttpResponse:
    """The caseload of the person who asks, or who was on it. A script gets the list alone."""
    user = person(request)
    if user.department is None:
        return redirect("admin:index")
    is_alone = bool(request.headers.get("HX-Request"))
    asked, statuses = _asked(request, user.department, is_alone=is_alone)
    context = _former(user, asked) if asked.show == Show.FORMER else _current(user, asked)
    status_name = next((status.name for status in statuses if status.pk == asked.status_id), "")
    context |= {
        "asked": asked,
        "chips": list(caseload_forms.chips(asked, status_name)),
        "list_url": reverse("my-clients"),
        "list_query": caseload_forms.query_of(asked),
    }
    if is_alone:
        return _with_address(request, asked, render(request, "_caseload.html", context))
    choices = {"statuses": statuses, "shows": Show.choices, "sorts": Sort.choices}
    return render(request, "my_clients.html", context | choices | _banners(user, context["found"]))


def _asked(request: HttpRequest, department: Department, *, is_alone: bool) -> tuple[Wanted, list[ClientStatus]]:
    """What the address asks for, and the statuses as far as the answer shows them."""
    asked = caseload_forms.wanted(request.GET)
    statuses = [] if is_alone and asked.status_id is None else queries.statuses_of(department)
    if asked.status_id is not None and asked.status_id not in {status.pk for status in statuses}:
        asked = replace(asked, status_id=None)
    return asked, statuses


def _current(user: User, asked: Wanted) -> dict[str, Any]:
    found = queries.caseload(user, asked)
    count = found.page.paginator.count
    return {
        "found": found,
        "page": found.page,
        "headings": caseload_forms.headings(asked),
        "former_count": former_clients.count_former(user, asked.search) if asked.search or not found.total_count else 0,
        "former_query": caseload_forms.query_of(Wanted(search=asked.search, show=Show.FORMER.value)),
        "nobody": "" if count else _nobody(asked),
    }


def _former(user: User, asked: Wanted) -> dict[str, Any]:
    page = former_clients.former_clients(user, search=asked.search, page=asked.page)
    return {"found": None, "page": page, "nobody": "" if page.paginator.count else _nobody(asked)}


def _nobody(asked: Wanted) -> str:
    """Says that the list is empty, by what it was asked for."""
    if asked.search and asked.status_id is None and not asked.show:
        return _("No client matches “%(search)s”") % {"search": asked.search}
    if asked.search or asked.status_id is not None:
        return _("No client matches")
    words = {
        Show.UNREAD.value: _("Nothing is unread"),
        Show.NEEDS_REPLY.value: _("Nobody waits for a reply"),
        Show.NOT_DELIVERED.value: _("No last text failed"),
        Show.OPTED_OUT.value: _("Nobody has opted out"),
        Show.FORMER.value: _("No former clients"),
    }
    return words.get(asked.show, "")


def _banners(user: User, found: Caseload | None) -> dict[str, Any]:
    """What needs a person. Each is asked for only where the list's figures say that there is one."""
    assert user.department is not None  # who has none gets another page
    return {
        "unclaimed": unclaimed.waiting_in(user.department),
        "held_count": found.held_total if found else 0,
        "not_delivered": queries.not_delivered(user) if found and found.failed_total else None,
        "follow_ups": mass_choice.follow_ups(user, timezone.now()) if found and found.watched_total else [],
    }


def _with_address(request: HttpRequest, asked: Wanted, response: HttpResponse) -> HttpResponse:
    """The window's address follows the list; another filter or order is a step for Back, another letter is none."""
    if current := request.headers.get("HX-Current-URL"):
        is_step = caseload_forms.is_a_step(asked, current)
        address = reverse("my-clients") + caseload_forms.query_of(asked)
        response["HX-Push-Url" if is_step else "HX-Replace-Url"] = address
    return response
