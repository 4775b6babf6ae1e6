"""The buttons under a text that stopped on its way."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from messaging import access, wording
from messaging.actions import sending, settling
from messaging.views.people import person

ACTIONS = {
    "try-again": settling.try_again,
    "arrived": settling.confirm_arrival,
    "send-now": settling.send_held,
    "drop": settling.drop_held,
}


@require_POST
def settle(request: HttpRequest, client_id: int, public_id: UUID, choice: str) -> HttpResponse:
    """Does what the button says, and shows the conversation, or the list of held texts that the button stands in."""
    if choice == "change":
        return redirect("scheduled-change", client_id, public_id)
    if choice not in ACTIONS:
        raise Http404
    message = access.message_for(person(request), client_id, public_id)
    try:
        ACTIONS[choice](message=message, by=person(request), now=timezone.now())
    except settling.TooLate:
        messages.info(request, _("This text has moved on meanwhile. Nothing was changed."))
    except sending.RefusedByGate as refusal:
        messages.error(request, wording.refusal_words(refusal.reason, refusal.number))
    except sending.NotYours as error:
        raise Http404 from error
    return redirect("held-texts") if "from_held" in request.POST else redirect("conversation", client_id)
