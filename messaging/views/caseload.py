"""My clients, and New client."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from messaging import mass_choice, queries, unclaimed
from messaging.actions.caseload import AccountClosed, Added, ColleaguesClient, add_client
from messaging.forms import NewClientForm
from messaging.views.people import department_of, person


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
        "unclaimed": unclaimed.waiting_in(user.department),
        "held_count": found.held_total,
        "not_delivered": queries.not_delivered(user) if found.failed_total else None,
        "follow_ups": mass_choice.follow_ups(user, timezone.now()) if found.watched_total else [],
    }
    return render(request, "my_clients.html", context | banners)


@require_http_methods(["GET", "POST"])
def client_new(request: HttpRequest) -> HttpResponse:
    """A client for the list of the person who asks. Saving opens the conversation."""
    department = department_of(request)
    form = NewClientForm(request.POST if request.method == "POST" else None, department=department)
    if form.is_valid():
        try:
            added = add_client(new=form.new_client(), by=person(request), department=department, now=timezone.now())
        except ColleaguesClient as refusal:
            form.add_error(
                "phone_number",
                _("%(name)s works with the client of this number. A supervisor can transfer them to you.")
                % {"name": refusal.colleague.full_name},
            )
        except AccountClosed as error:
            raise PermissionDenied from error
        else:
            _tell(request, added)
            return redirect("conversation", added.assignment.client_id)
    return render(request, "client_new.html", {"form": form})


def _tell(request: HttpRequest, added: Added) -> None:
    if added.was_mine:
        messages.info(request, _("You have this client already. Nothing was changed."))
    elif added.was_unclaimed:
        messages.info(request, _("Texts had come from this number already. They are below."))
    elif added.was_restored:
        messages.info(request, _("This client was on your list before, and is back with the whole conversation."))
