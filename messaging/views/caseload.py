"""My clients."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from messaging import mass_choice, queries
from messaging.views.people import person


@require_GET
def my_clients(request: HttpRequest) -> HttpResponse:
    """The caseload of the person who asks. A script gets the list alone."""
    user = person(request)
    if user.department is None:
        return redirect("admin:index")
    search = request.GET.get("search", "").replace("\0", "").strip()[:100]
    found = queries.caseload(user, search=search, page_number=request.GET.get("page", "1"))
    context = {
        "page": found.page,
        "total_count": found.total_count,
        "unread_total": found.unread_total,
        "search": search,
        "form_url": reverse("my-clients"),
    }
    if request.headers.get("HX-Request"):
        return render(request, "_caseload.html", context)
    banners = {
        "held_count": found.held_total,
        "not_delivered": queries.not_delivered(user) if found.failed_total else None,
        "follow_ups": mass_choice.follow_ups(user, timezone.now()) if found.watched_total else [],
    }
    return render(request, "my_clients.html", context | banners)
