"""The records of mass messages, and the buttons under one that is on its way."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts import audit
from messaging import access, mass_record, schedule
from messaging.actions import mass_drafts, mass_messages
from messaging.actions.mass_messages import UNDO_TIME
from messaging.actions.settling import TooLate
from messaging.mass_choice import LeftOut
from messaging.mass_record import Outcome, Record
from messaging.models import MassMessage
from messaging.views.people import department_of, person

FOLLOWED_FOR = timedelta(minutes=10)  # after its end an open page still asks what was delivered
KINDS = {"past": _("Sent"), "scheduled": _("Scheduled"), "drafts": _("Drafts")}


@require_GET
def mass_messages_list(request: HttpRequest) -> HttpResponse:
    """The scheduled, the past ones and the drafts of the person who asks."""
    zone = department_of(request).zone
    kind = request.GET.get("show", "past")
    kind = kind if kind in KINDS else "past"
    page = mass_record.read_list(person(request), kind, request.GET.get("page", "1"), now=timezone.now())
    lines = [(line, mass_record.moment_words(line.at, zone) if line.at else "") for line in page.object_list]
    context = {"kinds": KINDS.items(), "kind": kind, "page": page, "lines": lines}
    return render(request, "mass_messages.html", context)


@require_GET
def mass_message(request: HttpRequest, mass_id: int) -> HttpResponse:
    """The record. A script asks for the progress alone."""
    user = person(request)
    mass = access.mass_record_for(user, mass_id)
    if mass.is_draft:
        return redirect("mass-draft", mass_id)
    is_own, wants_fragment = mass.author_id == user.pk, "HX-Request" in request.headers
    if not is_own and not wants_fragment:
        audit.record(
            "mass_message.viewed", f"mass_message:{mass_id}", by=user, department=user.department, now=timezone.now()
        )
    return render(
        request, "_mass_progress.html" if wants_fragment else "mass_record.html", _context(request, mass, is_own)
    )


def _context(request: HttpRequest, mass: MassMessage, is_own: bool) -> dict[str, Any]:
    asked = request.GET.get("show", "")
    outcome = Outcome(asked) if asked in Outcome.values else None
    record, now, zone = mass_record.read_record(mass), timezone.now(), mass.department.zone
    assert mass.due_at is not None
    is_waiting = mass.due_at > now and mass.cancelled_at is None and mass.stopped_at is None
    when = mass_messages.wall_clock(mass)
    words = {"at": mass_record.moment_words(mass.due_at, zone)}
    return {
        "mass": mass,
        "is_own": is_own,
        "record": record,
        "page": mass_record.read_recipients(mass, outcome, request.GET.get("page", "1")),
        "outcome": outcome,
        "outcomes": [figure.outcome for figure in record.figures if figure.count],
        "heading": _heading(mass, record, is_waiting),
        "starts": schedule.in_words(when) if when and is_waiting else "",
        "sent_at": words["at"],
        "finish": mass_record.moment_words(mass.finish_by, zone) if mass.finish_by and record.is_going else "",
        "can_undo": is_own and is_waiting and when is None,
        "can_change": is_own and is_waiting and when is not None,
        "can_stop": is_own and record.is_going and not mass.stopped_at and not is_waiting,
        "can_resume": is_own and mass.stopped_at is not None and record.counts[Outcome.STOPPED] + record.is_going > 0,
        "can_text_unreached": is_own and record.counts[Outcome.NOT_DELIVERED] > 0,
        "can_correct": is_own and record.counts[Outcome.GOT_IT] > 0,
        "submission_key": uuid.uuid4(),
        "is_live": mass.cancelled_at is None
        and (mass.due_at - UNDO_TIME <= now < (mass.finish_by or now) + FOLLOWED_FOR),
        "seconds_left": max(0, round((mass.due_at - now).total_seconds())) if is_waiting and when is None else 0,
    }


def _heading(mass: MassMessage, record: Record, is_waiting: bool) -> str:
    if mass.cancelled_at is not None:
        return _("Taken back: nothing was sent")
    if mass.stopped_at is not None:
        return _("Stopped")
    words = {"count": record.people}
    if is_waiting and mass.scheduled_date is not None:
        return ngettext("Scheduled for %(count)d person", "Scheduled for %(count)d people", record.people) % words
    if record.is_going:
        return ngettext("Going out to %(count)d person", "Going out to %(count)d people", record.people) % words
    return ngettext("Sent to %(count)d person", "Sent to %(count)d people", record.people) % words


@require_POST
def mass_choice(request: HttpRequest, mass_id: int, choice: str) -> HttpResponse:
    """Does what a button of the record says."""
    if choice not in CHOICES:
        raise Http404
    mass = access.own_mass_message_for(person(request), mass_id)
    if mass.is_draft != (choice == "discard"):
        return redirect("mass-message", mass_id)
    try:
        return CHOICES[choice](request, mass)
    except (TooLate, mass_drafts.AlreadyConfirmed):
        messages.info(request, _("Too late: texts of it have begun to go out. “Stop the rest” stops the others."))
        return redirect("mass-message", mass_id)


def _undo(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    """Nothing goes out, and one is back where one wrote it."""
    mass_messages.withdraw(mass=mass, now=timezone.now())
    messages.info(request, _("Nothing was sent. Here is the message as you wrote it."))
    return _copied(request, mass, key=_key_for(mass, "undo"), outcome=None, body=mass.body)


def _delete(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    mass_messages.withdraw(mass=mass, now=timezone.now())
    messages.info(request, _("The mass message is deleted. It will not go out."))
    return redirect("mass-messages")


def _discard(request: HttpRequest, draft: MassMessage) -> HttpResponse:
    mass_drafts.delete_draft(draft=draft)
    messages.info(request, _("The draft is deleted."))
    return redirect("mass-messages")


def _stop(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    mass_messages.stop(mass=mass, now=timezone.now())
    return redirect("mass-message", mass.pk)


def _resume(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    mass_messages.resume(mass=mass, now=timezone.now())
    return redirect("mass-message", mass.pk)


def _change(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    """A draft that takes the place of the scheduled one when it is confirmed; until then that one stands."""
    if mass.due_at is None or mass.due_at <= timezone.now() or mass.cancelled_at is not None:
        raise TooLate
    messages.info(request, _("The message stays scheduled as it was until you have checked and scheduled the change."))
    key = _key_for(mass, "change")
    return _copied(request, mass, key=key, outcome=None, body=mass.body, replaces=True)


def _unreached(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    return _copied(request, mass, key=_key(request), outcome=Outcome.NOT_DELIVERED, body=mass.body)


def _correction(request: HttpRequest, mass: MassMessage) -> HttpResponse:
    return _copied(request, mass, key=_key(request), outcome=Outcome.GOT_IT, body="")


CHOICES = {
    "undo": _undo,
    "delete": _delete,
    "discard": _discard,
    "stop": _stop,
    "resume": _resume,
    "change": _change,
    "unreached": _unreached,
    "correction": _correction,
}


@require_POST
def mass_drop(request: HttpRequest, mass_id: int, client_id: int) -> HttpResponse:
    """Leaves one recipient out."""
    mass = access.own_mass_message_for(person(request), mass_id)
    if mass.is_draft or not mass.recipients.filter(client__pk=client_id).exists():
        raise Http404
    try:
        mass_messages.drop(mass=mass, client_id=client_id, now=timezone.now())
    except TooLate:
        messages.info(request, _("This text has moved on meanwhile. Nothing was changed."))
    return redirect("mass-message", mass_id)


def _copied(
    request: HttpRequest,
    mass: MassMessage,
    *,
    key: uuid.UUID,
    outcome: Outcome | None,
    body: str,
    replaces: bool = False,
) -> HttpResponse:
    """A new draft to those of its recipients, and its page."""
    recipients = mass_record.recipients(mass, outcome).exclude(left_out=LeftOut.DROPPED)
    draft = mass_drafts.copy_as_draft(
        source=mass,
        by=person(request),
        submission_key=key,
        now=timezone.now(),
        recipients=recipients,
        body=body,
        replaces=replaces,
    )
    return redirect(reverse("mass-draft", args=[draft.pk]))


def _key(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("submission_key", ""))
    except ValueError:
        return uuid.uuid4()


def _key_for(mass: MassMessage, choice: str) -> uuid.UUID:
    """The same for the same button of the same record: a double click makes one draft."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{choice} {mass.pk}")
