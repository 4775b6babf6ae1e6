"""Two of one's clients are the same person: choosing the other, then what survives."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from messaging import access, merge_choice
from messaging.access import Conversation
from messaging.actions.merging import Choice, NotMerged, merge_clients
from messaging.moving_forms import MergeForm
from messaging.views.people import person


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, client_id: int) -> HttpResponse:
    """?with=<id>: the other is chosen, and both stand side by side; POST merges them."""
    user = person(request)
    try:
        shown = access.own_conversation_for(user, client_id)
    except Http404:
        if (survivor := access.survivor_of(user, client_id)) is None:
            raise
        return redirect("conversation", survivor)
    other = _id(request.POST.get("with") or request.GET.get("with", ""))
    if other is not None and access.survivor_of(user, other) == client_id:
        messages.info(request, _("These two are one client already."))
        return redirect("conversation", client_id)
    sides = merge_choice.sides(user, [client_id, other], timezone.now()) if other not in (None, client_id) else []
    if len(sides) == 2:
        return _check(request, shown, sides)
    if other is not None:
        messages.error(request, _not_both_yours())
    return _choose(request, shown)


def _id(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else None


def _not_both_yours() -> str:
    return _("Only two different clients of yours can be merged. Nothing was changed.")


def _check(request: HttpRequest, shown: Conversation, sides: list[merge_choice.Side]) -> HttpResponse:
    form = MergeForm(request.POST if request.method == "POST" else None, sides=sides)
    if form.is_valid():
        kept, given_up = (side.client_id for side in sides)
        choice = Choice(form.cleaned_data["name_of"], form.cleaned_data["number_of"] or kept)
        try:
            merge_clients(kept_id=kept, given_up_id=given_up, choice=choice, by=person(request), now=timezone.now())
        except NotMerged:
            form.add_error(None, _not_both_yours())
        else:
            messages.success(request, _("They are one client now, with one conversation."))
            return redirect("conversation", kept)
    context = {
        "client": shown.client,
        "sides": sides,
        "form": form,
        "unread": sum(side.unread_count for side in sides),
        "scheduled": sum(side.scheduled_count for side in sides),
        "have_notes": all(side.has_notes for side in sides),
    }
    return render(request, "client_merge.html", context)


def _choose(request: HttpRequest, shown: Conversation) -> HttpResponse:
    search = request.GET.get("search", "").replace("\0", "").strip()[:100]
    rows, page = merge_choice.others(
        person(request), shown.client, search=search, page_number=request.GET.get("page", "1")
    )
    context = {"client": shown.client, "rows": rows, "page": page, "search": search}
    return render(request, "client_merge_choose.html", context)
