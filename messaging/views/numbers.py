"""Texting a client's number: opt-outs told by word of mouth, wrong numbers, and taking them back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from messaging import access
from messaging.actions import numbers
from messaging.actions.sending import NotYours
from messaging.forms import NumberForm
from messaging.views.people import person

ACTIONS = {
    "opt-out": numbers.record_opt_out,
    "opt-in": numbers.lift_opt_out,
    "wrong": numbers.mark_wrong,
    "right": numbers.mark_right,
}


@require_http_methods(["GET", "POST"])
def number(request: HttpRequest, client_id: int) -> HttpResponse:
    """What is known of the number, and the forms that change it; each wants a reason."""
    shown = access.own_conversation_for(person(request), client_id)
    if shown.number is None:
        raise Http404
    form = NumberForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _change(request, client_id, form)
    opted_out_by_client = shown.number.is_opted_out and shown.number.opted_out_source != "person"
    context = {"client": shown.client, "number": shown.number, "form": form, "only_client_can": opted_out_by_client}
    return render(request, "number.html", context)


def _change(request: HttpRequest, client_id: int, form: NumberForm) -> HttpResponse:
    change = ACTIONS[form.cleaned_data["choice"]]
    try:
        change(client_id=client_id, by=person(request), reason=form.cleaned_data["reason"], now=timezone.now())
    except numbers.OnlyTheClientCan:
        messages.error(request, _("This client opted out by texting STOP. Only their START brings them back."))
    except NotYours as error:
        raise Http404 from error
    return redirect("conversation", client_id)
