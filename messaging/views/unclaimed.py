"""The department's unclaimed clients: the list, and the pages on which one of them finds a place."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from messaging import access, unclaimed
from messaging.access import Conversation
from messaging.actions import claiming
from messaging.actions.sending import NotYours
from messaging.client_forms import SeenForm
from messaging.unclaimed_forms import ClaimForm, JoinForm
from messaging.views.people import department_of, person

View = Callable[[HttpRequest, Conversation], HttpResponse]


@require_GET
def unclaimed_list(request: HttpRequest) -> HttpResponse:
    """Everybody of the department sees who waits; supervisors also who was dismissed."""
    department, now = department_of(request), timezone.now()
    may_dismiss = person(request).is_supervisor
    shows_dismissed = may_dismiss and request.GET.get("show") == "dismissed"
    rows = unclaimed.dismissed_list if shows_dismissed else unclaimed.waiting_list
    context = {
        "page": rows(department, now=now, page_number=request.GET.get("page", "1")),
        "shows_dismissed": shows_dismissed,
        "may_dismiss": may_dismiss,
    }
    return render(request, "unclaimed.html", context)


def _of_an_unclaimed_client(view: View) -> Callable[[HttpRequest, int], HttpResponse]:
    """Gives the view the conversation; who comes too late is told who has the client now, and nothing more."""

    @wraps(view)
    def with_conversation(request: HttpRequest, client_id: int) -> HttpResponse:
        try:
            shown = access.unclaimed_for(person(request), client_id)
        except Http404:
            taken_by = access.taken_by(person(request), client_id, timezone.now())
            if taken_by == person(request):
                return redirect("conversation", client_id)
            messages.info(request, taken_words(taken_by))
            return redirect("department-unclaimed")
        return view(request, shown)

    return with_conversation


def taken_words(taken_by: User | None) -> str:
    """For whom a colleague was quicker."""
    if taken_by is None:
        return _("This client is no longer unclaimed: a supervisor dismissed them.")
    return _("%(name)s has this client now.") % {"name": taken_by.full_name}


@require_http_methods(["GET", "POST"])
@_of_an_unclaimed_client
def claim(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """Who it is; saving opens the conversation, or leads back to the list if a colleague has the client then."""
    user = person(request)
    form = ClaimForm(request.POST if request.method == "POST" else None, client=shown.client, by=user)
    if not form.is_valid():
        return render(request, "unclaimed_claim.html", _context(shown) | {"form": form})
    to = form.case_manager_chosen()
    try:
        claiming.claim(client_id=shown.client.pk, details=form.details(), by=user, to=to, now=timezone.now())
    except claiming.NotUnclaimed:
        return _claimed_meanwhile(request, shown, form)
    except claiming.NotAColleague:
        form.add_error(None, _("This person has no account here any more. Choose another. Nothing was saved."))
        return render(request, "unclaimed_claim.html", _context(shown) | {"form": form})
    except NotYours as error:
        raise Http404 from error
    if to == user:
        return redirect("conversation", shown.client.pk)
    messages.success(request, _("%(name)s has this client now, and is told by e-mail.") % {"name": to.full_name})
    return redirect("department-unclaimed")


def _claimed_meanwhile(request: HttpRequest, shown: Conversation, form: ClaimForm) -> HttpResponse:
    """Nothing of what was typed is lost; nothing more of the conversation is shown."""
    taken_by = access.taken_by(person(request), shown.client.pk, timezone.now())
    if taken_by == person(request):  # a double click
        return redirect("conversation", shown.client.pk)
    form.add_error(None, taken_words(taken_by) + " " + _("Nothing was saved."))
    return render(request, "unclaimed_claim.html", _context(shown) | {"form": form, "is_gone": True})


@require_http_methods(["GET", "POST"])
@_of_an_unclaimed_client
def join(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """Which of one's own clients it is, then which number is texted from now on."""
    if request.method == "POST":
        return _join(request, shown)
    user, chosen = person(request), request.GET.get("client", "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
        return _ask_number(request, shown, access.own_conversation_for(user, int(chosen)))
    search = request.GET.get("search", "").replace("\0", "").strip()[:100]
    context = {
        "search": search,
        "suggested": [] if search else unclaimed.suggestions(user, shown.assignment),
        "page": unclaimed.own_clients(user, search=search, page_number=request.GET.get("page", "1")),
    }
    return render(request, "unclaimed_join.html", _context(shown) | context)


def _ask_number(request: HttpRequest, shown: Conversation, own: Conversation) -> HttpResponse:
    context = {"own": own.client, "own_number": own.number}
    return render(request, "unclaimed_join_number.html", _context(shown) | context)


def _join(request: HttpRequest, shown: Conversation) -> HttpResponse:
    form = JoinForm(request.POST)
    if not form.is_valid():
        return redirect("client-join", shown.client.pk)
    try:
        own = claiming.join_to_own(
            client_id=shown.client.pk,
            own_client_id=form.cleaned_data["client"],
            texts_new_number=form.texts_new_number,
            by=person(request),
            now=timezone.now(),
        )
    except claiming.NotUnclaimed:
        messages.info(request, taken_words(access.taken_by(person(request), shown.client.pk, timezone.now())))
        return redirect("department-unclaimed")
    except NotYours as error:
        raise Http404 from error
    messages.success(
        request, _("The texts are in this conversation now. Whatever comes from either number arrives here.")
    )
    return redirect("conversation", own.pk)


@require_http_methods(["GET", "POST"])
@_of_an_unclaimed_client
def dismiss(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """Asks, and then takes the client off the list; for supervisors. What came since is shown first."""
    if not person(request).is_supervisor:
        raise Http404
    form = SeenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _dismiss_page(request, shown)
    try:
        claiming.dismiss(client_id=shown.client.pk, by=person(request), now=timezone.now(), **form.cleaned_data)
    except claiming.NewTexts:
        messages.warning(request, _("A new text came meanwhile. Nothing was changed."))
        return _dismiss_page(request, shown)
    except claiming.NotUnclaimed:
        messages.info(request, taken_words(access.taken_by(person(request), shown.client.pk, timezone.now())))
    except NotYours as error:
        raise Http404 from error
    else:
        messages.success(request, _("Dismissed. Under “Dismissed” you can undo it."))
    return redirect("department-unclaimed")


def _dismiss_page(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """The texts are read after what the page says was seen, so that one that comes is news."""
    form = SeenForm(initial={"seen_up_to": unclaimed.newest_incoming(shown.assignment)})
    return render(request, "unclaimed_dismiss.html", _context(shown) | {"form": form})


@require_POST
def dismiss_undo(request: HttpRequest, client_id: int) -> HttpResponse:
    """On the list again."""
    access.dismissed_for(person(request), client_id)
    try:
        claiming.take_back_dismissal(client_id=client_id, by=person(request), now=timezone.now())
    except claiming.NotDismissed:
        messages.info(request, _("This client is back already."))
    except NotYours as error:
        raise Http404 from error
    else:
        messages.success(request, _("On the list again."))
    return redirect("department-unclaimed")


def _context(shown: Conversation) -> dict[str, object]:
    return {
        "client": shown.client,
        "number": shown.number,
        "texts": unclaimed.latest_words(shown.assignment),
    }
