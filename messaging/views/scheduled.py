"""What waits in one conversation for its time: the list, and changing, sending or deleting one of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit
from accounts.models import Department
from messaging import access, schedule, waiting, wording
from messaging.access import Conversation
from messaging.actions import scheduling, sending, settling
from messaging.forms import ScheduledMessageForm
from messaging.models import Message
from messaging.views.people import person

ACTIONS = {"send-now": scheduling.send_now, "delete": scheduling.delete}


def scheduled_context(shown: Conversation, now: datetime) -> dict[str, Any]:
    """The quiet strip at the talk's foot: how many, and when the next one goes out."""
    next_at, zone = shown.assignment.next_scheduled_at, shown.client.department.zone
    next_words = ""
    if next_at is not None and next_at > now:
        next_words = schedule.short_words(next_at.astimezone(zone), now.astimezone(zone))
    return {"scheduled_count": shown.assignment.scheduled_count, "next_scheduled": next_words}


def hours_context(department: Department) -> dict[str, str]:
    """For the question about a time outside texting hours."""
    opens, closes = schedule.clock_words(department.opens_at), schedule.clock_words(department.closes_at)
    return {"opens_at": opens, "closes_at": closes}


@require_GET
def scheduled(request: HttpRequest, client_id: int) -> HttpResponse:
    """All of them, soonest first."""
    user, now = person(request), timezone.now()
    shown = access.conversation_for(user, client_id)
    if shown.is_former:
        return redirect("conversation", client_id)  # nothing waits there any more, and that page says why
    if shown.is_colleagues:
        audit.record("conversation.viewed", f"client:{client_id}", by=user, department=user.department, now=now)
    items, page = waiting.scheduled(shown.assignment, now=now, page_number=request.GET.get("page", "1"))
    context = {"client": shown.client, "items": items, "page": page, "is_own": shown.is_own}
    return render(request, "scheduled.html", context | {"zone": schedule.place(shown.client.department.zone)})


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, client_id: int, public_id: UUID) -> HttpResponse:
    """The words and the time of one that waits, or was held."""
    message = access.message_for(person(request), client_id, public_id)
    zone, now = message.department.zone, timezone.now()
    if request.method == "POST":
        return _change(request, message, ScheduledMessageForm(request.POST, zone=zone, now=now))
    if not scheduling.can_change(message) or message.mass_message_id is not None:
        return _too_late(request, client_id)
    form = ScheduledMessageForm(
        zone=zone,
        now=now,
        when=message.when if scheduling.is_scheduled(message) else None,
        initial={"body": message.body},
    )
    return _form(request, message, form)


@require_POST
def settle(request: HttpRequest, client_id: int, public_id: UUID, choice: str) -> HttpResponse:
    """Does what the button in the list says, and shows the list."""
    if choice not in ACTIONS:
        raise Http404
    message = access.message_for(person(request), client_id, public_id)
    try:
        ACTIONS[choice](message=message, by=person(request), now=timezone.now())
    except (settling.TooLate, scheduling.PartOfMassMessage):
        return _too_late(request, client_id)
    except sending.RefusedByGate as refusal:
        messages.error(request, wording.refusal_words(refusal.reason, refusal.number))
    except sending.NotYours as error:
        raise Http404 from error
    return redirect("conversation" if choice == "send-now" else "conversation-scheduled", client_id)


def _change(request: HttpRequest, message: Message, form: ScheduledMessageForm) -> HttpResponse:
    pick = request.POST.get("later", "schedule")
    if pick != "schedule":
        form.take_pick(pick)
        return _form(request, message, form)
    if not form.is_valid():
        return _form(request, message, form)
    when, body = form.cleaned_data["when"], form.cleaned_data["body"]
    by, now = person(request), form.now
    try:
        scheduling.change(message=message, body=body, when=when, by=by, now=now, any_hour=form.is_confirmed)
    except scheduling.OutsideHours:
        form.ask()
        return _form(request, message, form)
    except (settling.TooLate, scheduling.PartOfMassMessage):
        form.add_error(None, _("This text has gone out or was dropped meanwhile. Nothing was changed."))
        return _form(request, message, form)
    except sending.RefusedByGate as refusal:
        form.add_error(None, wording.refusal_words(refusal.reason, refusal.number))
        return _form(request, message, form)
    except sending.NotYours as error:
        raise Http404 from error
    messages.success(request, _("Scheduled for %(when)s.") % {"when": schedule.in_words(when)})
    return redirect("conversation-scheduled", message.client_id)


def _form(request: HttpRequest, message: Message, form: ScheduledMessageForm) -> HttpResponse:
    context = {"client": message.client, "form": form, "when": form, **hours_context(message.department)}
    return render(request, "scheduled_change.html", context)


def _too_late(request: HttpRequest, client_id: int) -> HttpResponse:
    messages.info(request, _("This text has gone out or was dropped meanwhile. Nothing was changed."))
    return redirect("conversation-scheduled", client_id)
