"""The conversation page: the talk, the composer, and the read marks."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit
from accounts.models import User
from clients.models import CaseAssignment
from messaging import access, gate, holds, hours, schedule, whereabouts, wording
from messaging.access import Conversation
from messaging.actions import reading, scheduling, sending
from messaging.forms import MessageForm, ScheduleForm
from messaging.opt_outs import OptOutSource
from messaging.schedule import WallClock
from messaging.talk import Talk, read_talk
from messaging.views.people import person
from messaging.views.scheduled import hours_context, scheduled_context
from messaging.views.unclaimed import taken_words
from messaging.wording import EveningQuestion


@require_http_methods(["GET", "POST"])
def conversation(request: HttpRequest, client_id: int) -> HttpResponse:
    """Shows the talk; POST sends a text and comes back to it, or to the box with the reason and what was typed.

    The address of a client who was merged into another leads to the other.
    """
    user = person(request)
    if request.method == "POST":
        return _posted(request, client_id)
    try:
        shown = access.conversation_for(user, client_id)
    except Http404:
        if (survivor := access.survivor_of(user, client_id)) is None:
            raise
        return redirect("conversation", survivor)
    if shown.is_colleagues:
        audit.record(
            "conversation.viewed", f"client:{client_id}", by=user, department=user.department, now=timezone.now()
        )
    return _page(request, shown)


def _posted(request: HttpRequest, client_id: int) -> HttpResponse:
    """What was typed comes back also if the client has left the list, or was merged, while the page was open."""
    user = person(request)
    try:
        shown, refusal = access.conversation_for(user, client_id), _("This client is no longer on your list.")
    except Http404:
        survivor = access.survivor_of(user, client_id)
        try:
            shown = access.conversation_for(user, survivor or client_id)
        except Http404:
            return _taken(request, client_id)
        refusal = _("Two clients were merged meanwhile.")
    if shown.client.pk != client_id or not shown.can_answer:
        return _not_sent(request, shown, refusal)
    if request.POST.get("later"):
        return _later(request, access.own_conversation_for(user, client_id))
    return _send(request, shown)


def _not_sent(request: HttpRequest, shown: Conversation, refusal: str) -> HttpResponse:
    """Another page than the one that was typed in: nothing on it counts as read. What was sent before is not asked."""
    form = MessageForm(request.POST)
    if form.is_valid() and sending.was_stored(by=person(request), submission_key=form.cleaned_data["submission_key"]):
        return redirect("conversation", shown.client.pk)
    form.with_fresh_key(seen_up_to="")
    form.add_error("body", f"{refusal} {_('Nothing was sent.')}")
    return _page(request, shown, form)


@require_GET
def talk(request: HttpRequest, client_id: int) -> HttpResponse:
    """The messages alone, for the script that keeps the open page up to date."""
    shown = access.conversation_for(person(request), client_id)
    return render(request, "_talk.html", _talk_context(request, shown, _read(request, shown)))


@require_POST
def mark_read(request: HttpRequest, client_id: int) -> HttpResponse:
    """Marks what the case manager saw, up to the message named. A script gets no page back."""
    shown = access.own_conversation_for(person(request), client_id)
    up_to = request.POST.get("up_to", "")
    if up_to.isascii() and up_to.isdigit() and len(up_to) < 19:
        reading.mark_read(assignment=shown.assignment, up_to=int(up_to), now=timezone.now())
    return HttpResponse(status=204) if request.headers.get("HX-Request") else redirect("conversation", client_id)


@require_POST
def mark_unread(request: HttpRequest, client_id: int) -> HttpResponse:
    """Keeps the client's newest text for later. Leads to the list: on its page it would be read again at once."""
    shown = access.own_conversation_for(person(request), client_id)
    if not reading.mark_unread(assignment=shown.assignment, by=person(request), now=timezone.now()):
        messages.info(request, _("There is no text from this client to mark as unread."))
        return redirect("conversation", client_id)
    messages.success(request, _("Marked as unread: %(name)s") % {"name": _name(shown)})
    return redirect("my-clients")


def _name(shown: Conversation) -> str:
    """Who has no name yet is called by the number."""
    return shown.client.full_name or (shown.number.display if shown.number else "")


def _send(request: HttpRequest, shown: Conversation) -> HttpResponse:
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, form)
    try:
        sent = sending.send_message(
            client_id=shown.client.pk, by=person(request), now=timezone.now(), **form.cleaned_data
        )
    except sending.OutsideHours as evening:  # the same form, with the same key, waits for the answer
        question = wording.evening_question(evening.opening, timezone.now(), shown.client.department)
        return _page(request, shown, form, question=question)
    except sending.NotSent as refusal:
        if isinstance(refusal, sending.NotYours) and shown.is_unclaimed:
            return _taken(request, shown.client.pk)
        form.with_fresh_key()
        form.add_error("body", _refusal_words(refusal))
        return _page(request, shown, form)
    if sent.when is not None:
        _say_when(request, sent.when)
    return redirect("conversation", shown.client.pk)


def _taken(request: HttpRequest, client_id: int) -> HttpResponse:
    """For an answer to an unclaimed client that came too late: who has them now, and the text, which is kept.

    Raises Http404 if the client was none.
    """
    taken_by = access.taken_by(person(request), client_id, timezone.now())
    context = {"words": taken_words(taken_by), "body": request.POST.get("body", "")}
    return render(request, "unclaimed_taken.html", context, status=409)


def _say_when(request: HttpRequest, when: WallClock) -> None:
    messages.success(request, _("Scheduled for %(when)s.") % {"when": schedule.in_words(when)})


def _later(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """What the buttons of "Send later" do. Only "Schedule message" stores anything; the others keep what was typed."""
    zone, now = shown.client.department.zone, timezone.now()
    match request.POST["later"]:
        case "schedule":
            return _schedule(request, shown, MessageForm(request.POST), ScheduleForm(request.POST, zone=zone, now=now))
        case "open":
            return _page(request, shown, MessageForm.as_typed(request.POST), when=ScheduleForm(zone=zone, now=now))
        case "close":
            return _page(request, shown, MessageForm.as_typed(request.POST))
        case pick:
            when = ScheduleForm(request.POST, zone=zone, now=now)
            when.take_pick(pick)
            return _page(request, shown, MessageForm.as_typed(request.POST), when=when)


def _schedule(request: HttpRequest, shown: Conversation, form: MessageForm, when: ScheduleForm) -> HttpResponse:
    if not (form.is_valid() and when.is_valid()):
        return _page(request, shown, form, when=when)
    chosen = when.cleaned_data["when"]
    try:
        scheduling.schedule_message(
            client_id=shown.client.pk,
            when=chosen,
            by=person(request),
            now=when.now,
            any_hour=when.is_confirmed,
            **{name: form.cleaned_data[name] for name in ("body", "submission_key", "seen_up_to")},
        )
    except scheduling.OutsideHours:
        when.ask()
        return _page(request, shown, MessageForm.as_typed(request.POST), when=when)
    except sending.NotSent as refusal:
        form.with_fresh_key()
        form.add_error("body", _refusal_words(refusal))
        return _page(request, shown, form, when=when)
    _say_when(request, chosen)
    return redirect("conversation", shown.client.pk)


def _refusal_words(refusal: sending.NotSent) -> str:
    match refusal:
        case sending.AlreadySentOtherWords(earlier=earlier):
            return wording.already_sent(earlier, timezone.now())
        case sending.OpeningHasPassed():
            return _("That hour has come, and nothing was sent. Send it now?")
        case sending.RefusedByGate(reason=reason, number=number):
            return wording.refusal_words(reason, number)
        case sending.NotYours():
            return _("This client is no longer on your list. Nothing was sent.")
    return _("Nothing was sent.")


def _page(
    request: HttpRequest,
    shown: Conversation,
    form: MessageForm | None = None,
    *,
    when: ScheduleForm | None = None,
    question: EveningQuestion | None = None,
) -> HttpResponse:
    """The whole page. form, when: what was typed and is kept; when: "Send later" is open."""
    page, cannot_send = _read(request, shown), _why_not(request, shown)
    context = {
        **_talk_context(request, shown, page),
        "card": _card(shown, person(request)),
        "is_own": shown.is_own,
        "is_former": shown.is_former,
        "can_transfer": access.may_transfer(shown, person(request)),
        **_standing(request, shown),
        "suspicion": page.suspicion.name.lower() if page.suspicion and shown.is_own and not cannot_send else "",
        "question": question,
        "form": form or MessageForm.empty(seen_up_to=page.latest_incoming_id),
        "when": when,
        **hours_context(shown.client.department),
        "can_send": not cannot_send or (form is not None and shown.can_answer),
        "can_schedule": shown.is_own,
        "cannot_send_reason": cannot_send,
        "restore_url": reverse("client-restore", args=[shown.client.pk]) if _can_restore(request, shown) else "",
        "sending_is_stopped": holds.is_stopped(shown.client.department.phone_number),
        "conversations_url": reverse("my-clients"),
    }
    return render(request, "conversation.html", context)


def _why_not(request: HttpRequest, shown: Conversation) -> str:
    """What stands in the place of the box; empty if one can write."""
    if shown.is_dismissed:
        return _("Dismissed. A text from this number brings it back.")
    if not shown.can_answer:
        return whereabouts.words(shown.assignment, person(request), timezone.now())
    reason = gate.reason_against_number(shown.number)
    return wording.refusal_words(reason, shown.number) if reason else ""


def _can_restore(request: HttpRequest, shown: Conversation) -> bool:
    """Whether the person deleted the client and reads the old conversation; a colleague may have the client by now."""
    ended = shown.assignment
    return ended.case_manager_id == person(request).pk and ended.end_reason == CaseAssignment.EndReason.DELETED


def _read(request: HttpRequest, shown: Conversation) -> Talk:
    before = request.GET.get("before", "")
    before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    return read_talk(
        shown.assignment, reader=person(request), now=timezone.now(), before=before_id, number=shown.number
    )


def _talk_context(request: HttpRequest, shown: Conversation, page: Talk) -> dict[str, Any]:
    client_id = shown.client.pk
    older = f"{reverse('conversation', args=[client_id])}?before={page.oldest_id}"
    return {
        "client": {
            "id": client_id,
            "name": shown.client.full_name,
            "display_number": shown.number.display if shown.number else "",
            "id_number": shown.client.id_number,
            "language": shown.client.language,
        },
        "talk": page.days,
        "older_url": older if page.oldest_id else "",
        "talk_url": reverse("conversation-talk", args=[client_id]),
        "mark_read_url": reverse("conversation-read", args=[client_id]) if shown.is_own else "",
        "has_unread": page.has_unread,
        "has_messages": page.has_messages,
        "latest_incoming_id": page.latest_incoming_id,
        "is_open": hours.is_open(shown.client.department, timezone.now()),
        **scheduled_context(shown, timezone.now()),
    }


def _standing(request: HttpRequest, shown: Conversation) -> dict[str, Any]:
    """What the page says above the talk or the box if it isn't simply one's own."""
    colleague = shown.assignment.case_manager if shown.is_colleagues and shown.can_answer else None
    return {
        "is_unclaimed": shown.is_unclaimed,
        "is_dismissed": shown.is_dismissed,
        "may_dismiss": person(request).is_supervisor,
        "writes_for": colleague.full_name if colleague else "",
    }


def _card(shown: Conversation, reader: User) -> dict[str, Any]:
    """The notes are for who wrote them alone, also once the client is a colleague's."""
    are_readers = shown.assignment.case_manager_id == reader.pk
    status_name = shown.assignment.status.name if shown.assignment.status else ""
    if shown.is_unclaimed or shown.is_dismissed:
        status_name = _("Unclaimed") if shown.is_unclaimed else _("Dismissed")
    return {
        "status_name": status_name,
        "status_colour": shown.assignment.status.colour if shown.assignment.status else "",
        "notes": shown.assignment.notes if are_readers else "",
        "notes_are_hidden": not are_readers,
        "opted_out": shown.number is not None and shown.number.is_opted_out,
        "opted_out_since": shown.number.opted_out_at if shown.number else None,
        "opted_out_by_person": shown.number is not None and shown.number.opted_out_source == OptOutSource.PERSON,
        "wrong_number": shown.number is not None and shown.number.is_wrong,
    }
