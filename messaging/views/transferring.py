"""Giving a client to a colleague."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from messaging import access
from messaging.access import Conversation
from messaging.actions.moving import ColleagueGone, Move, MovedMeanwhile, NotMoved, transfer_client
from messaging.actions.sending import NotYours
from messaging.moving_forms import TransferForm
from messaging.views.people import department_of, person


@require_http_methods(["GET", "POST"])
def transfer(request: HttpRequest, client_id: int) -> HttpResponse:
    """The page says what goes along before anything does. A refusal keeps what was typed."""
    user = person(request)
    shown = access.conversation_for(user, client_id)
    if shown.is_unclaimed or shown.assignment.case_manager is None:
        raise Http404
    if not access.may_transfer(shown, user) and request.method == "GET":
        return redirect("conversation", client_id)  # it was theirs: that page says who has the client now
    form = TransferForm(
        request.POST if request.method == "POST" else None,
        department=department_of(request),
        former=shown.assignment.case_manager,
        has_notes=shown.is_own and bool(shown.assignment.notes),
    )
    if form.is_valid():
        return _transfer(request, shown, form)
    return _page(request, shown, form)


def _transfer(request: HttpRequest, shown: Conversation, form: TransferForm) -> HttpResponse:
    """The form names who had the client when the page was drawn: if that has changed, the person is told."""
    cleaned = form.cleaned_data
    former = User.objects.filter(pk=cleaned["former"], department=person(request).department_id).first()
    if former is None:
        raise Http404
    move = Move(former, cleaned["colleague"], cleaned["note"], cleaned.get("takes_notes", False))
    try:
        transfer_client(client_id=shown.client.pk, move=move, by=person(request), now=timezone.now())
    except NotMoved as refusal:
        form.add_error(None, refusal_words(refusal))
        return _page(request, shown, form)
    except NotYours as error:
        raise Http404 from error
    names = {"client": shown.client, "name": move.to}
    messages.success(request, _("%(client)s is on the list of %(name)s now.") % names)
    return redirect("conversation", shown.client.pk)


def refusal_words(refusal: NotMoved) -> str:
    match refusal:
        case ColleagueGone(colleague=colleague):
            return _("The account of %(name)s was closed meanwhile. Nothing was changed.") % {"name": colleague}
        case MovedMeanwhile(case_manager=User() as holder):
            return _("This client is on the list of %(name)s meanwhile. Nothing was changed.") % {"name": holder}
    return _("This client was deleted meanwhile. Nothing was changed.")


def _page(request: HttpRequest, shown: Conversation, form: TransferForm) -> HttpResponse:
    assignment = shown.assignment
    context = {
        "client": shown.client,
        "former": assignment.case_manager,
        "is_own": shown.is_own,
        "unread": assignment.unread_count,
        "scheduled": assignment.scheduled_count,
        "held": assignment.held_count,
        "shows_history": shown.client.department.shows_earlier_history,
        "form": form,
    }
    return render(request, "client_transfer.html", context)
