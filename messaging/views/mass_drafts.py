"""Writing a mass message: the page with text and recipients, and the page that says what will happen.

Every button of the first page saves all of it, so text and ticks survive whatever one does next.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from clients.models import ClientStatus
from messaging import access, hours, mass_choice, mass_forms, mass_outlook, mass_record, merge_fields, pace, schedule
from messaging.actions import mass_drafts, mass_messages
from messaging.actions.settling import TooLate
from messaging.forms import ScheduleForm
from messaging.mass_choice import Listed, Sort
from messaging.models import MassMessage
from messaging.views.people import department_of, person

NOBODY = Q(pk__in=[])


@mass_forms.takes_many_fields
@require_http_methods(["GET", "POST"])
def mass_new(request: HttpRequest) -> HttpResponse:
    """An empty one, or with those ticked whom the address names. A row is made by the first button."""
    department = department_of(request)
    ticked = _named_in(request.GET)
    if request.method != "POST":
        return _page(request, None, mass_forms.listed(QueryDict()), ticked)
    key = _key(request.POST.get("submission_key", ""))
    draft = mass_drafts.begin_draft(
        by=person(request), department=department, submission_key=key, now=timezone.now(), ticked=ticked
    )
    return _save(request, draft)


@mass_forms.takes_many_fields
@require_http_methods(["GET", "POST"])
def mass_draft(request: HttpRequest, mass_id: int) -> HttpResponse:
    """The draft as it was left. "Continue" leads to the check, every other button back here."""
    draft = access.own_mass_message_for(person(request), mass_id)
    if not draft.is_draft:
        return _gone(request, draft)
    if request.method == "POST":
        return _save(request, draft)
    return _page(request, draft, mass_forms.listed(request.GET), mass_choice.ticked_in(draft))


@require_http_methods(["GET", "POST"])
def mass_check(request: HttpRequest, mass_id: int) -> HttpResponse:
    """What would happen; its button does it."""
    draft = access.own_mass_message_for(person(request), mass_id)
    if not draft.is_draft:
        return redirect("mass-message", mass_id)
    if request.method == "POST":
        return _confirm(request, draft)
    outlook, due_at = mass_outlook.read_outlook(draft), mass_messages.due_at_of(draft, timezone.now())
    if outlook.problems or due_at is None:
        return redirect(f"{reverse('mass-draft', args=[mass_id])}?look=1")
    finish_at = pace.finish_time(draft.department, segments=outlook.texts, begins_at=due_at)
    when, zone = mass_messages.wall_clock(draft), draft.department.zone
    opens_at = hours.next_opening(draft.department, due_at)
    context = {
        "draft": draft,
        "outlook": outlook,
        "left_out": mass_outlook.left_out(draft),
        "nameless": mass_outlook.nameless(draft),
        "starts": schedule.in_words(when) if when else "",
        "waits_until": mass_record.moment_words(opens_at, zone) if opens_at > due_at else "",
        "finish": mass_record.moment_words(finish_at, zone),
    }
    return render(request, "mass_check.html", context)


def _confirm(request: HttpRequest, draft: MassMessage) -> HttpResponse:
    typed = request.POST.get("revision", "")
    revision = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1
    try:
        mass_messages.confirm(draft=draft, revision=revision, by=person(request), now=timezone.now())
    except mass_messages.NotReady:
        return redirect(f"{reverse('mass-draft', args=[draft.pk])}?look=1")
    except mass_messages.ChangedMeanwhile:
        messages.error(request, _("This was changed in another window. Look at it once more. Nothing was sent."))
        return redirect("mass-check", draft.pk)
    except TooLate:
        messages.error(request, _("The earlier message has begun to go out, so it was not changed."))
        return redirect("mass-draft", draft.pk)
    return redirect("mass-message", draft.pk)


def _save(request: HttpRequest, draft: MassMessage) -> HttpResponse:
    """Keeps what stands on the page, then goes where the button says."""
    times = _schedule_form(request, draft)
    wants_time = _wants_time(request)
    when = times.cleaned_data.get("when") if wants_time and times.is_valid() else None
    ticks = mass_forms.ticks(request.POST)
    try:
        refused = mass_drafts.save_draft(draft=draft, body=request.POST.get("body", ""), ticks=ticks, when=when)
    except mass_drafts.AlreadyConfirmed:
        return _gone(request, draft)
    draft.refresh_from_db()
    problems = [_not_yours(refused)] if refused else []
    wants_check = request.POST.get("do") == "continue"
    time_is_wrong = wants_time and when is None and wants_check
    if problems or time_is_wrong or request.POST.get("pick"):
        return _page(request, draft, _wanted(request), mass_choice.ticked_in(draft), times=times, problems=problems)
    if wants_check:
        return redirect("mass-check", draft.pk)
    query = mass_forms.query_of(_wanted(request))
    address = reverse("mass-draft", args=[draft.pk])
    return redirect(f"{address}?{query}#recipients" if query else f"{address}#recipients")


def _wanted(request: HttpRequest) -> Listed:
    """The list to show next. A new search or filter begins at its first page."""
    asked, before = mass_forms.listed(request.POST), mass_forms.listed(request.POST, prefix="listed_")
    same = (asked.search, asked.status_id, asked.sort) == (before.search, before.status_id, before.sort)
    return asked if same else Listed(asked.search, asked.status_id, asked.sort)


def _not_yours(count: int) -> str:
    words = ngettext(
        "%(count)d of those chosen is not on your list, or no longer, and was not ticked. Nothing was sent.",
        "%(count)d of those chosen are not on your list, or no longer, and were not ticked. Nothing was sent.",
        count,
    )
    return words % {"count": count}


def _gone(request: HttpRequest, draft: MassMessage) -> HttpResponse:
    messages.info(request, _("This mass message was confirmed already. Nothing was changed."))
    return redirect("mass-message", draft.pk)


def _page(
    request: HttpRequest,
    draft: MassMessage | None,
    wanted: Listed,
    ticked: Q,
    *,
    times: ScheduleForm | None = None,
    problems: list[str] | None = None,
) -> HttpResponse:
    """The page to write and choose. draft: None while nothing is kept yet."""
    user = person(request)
    times = times or _schedule_form(request, draft)
    problems = [*(problems or []), *_problems(request, draft)]
    context = {
        "draft": draft,
        "action": reverse("mass-draft", args=[draft.pk]) if draft else request.get_full_path(),
        "submission_key": uuid.uuid4(),
        "body": draft.body if draft else "",
        "later": _wants_time(request) or (draft is not None and draft.scheduled_date is not None),
        "times": times,
        "problems": problems,
        "fields": [f"{{{name}}}" for name in merge_fields.NAMES],
        **_list(user, wanted, ticked),
    }
    return render(request, "mass_draft.html", context)


def _list(user: User, wanted: Listed, ticked: Q) -> dict[str, Any]:
    """What the list of recipients shows."""
    choice = mass_choice.read_choice(user, wanted, ticked, timezone.now())
    statuses = ClientStatus.objects.filter(department=user.department_id).order_by("position", "pk")
    return {
        "choice": choice,
        "shown": ",".join(str(row.client_id) for row in choice.page.object_list if not row.reason),
        "listed": wanted,
        "statuses": list(statuses),
        "sorts": [{"value": it.value, "label": it.label} for it in Sort],
    }


def _problems(request: HttpRequest, draft: MassMessage | None) -> list[str]:
    """What stands in the way, if one has tried to go on."""
    if draft is None or "look" not in request.GET:
        return []
    problems = mass_outlook.read_outlook(draft).problems
    if mass_messages.due_at_of(draft, timezone.now()) is None:
        problems.append(_("The time that you chose has passed. Choose a later one."))
    return problems


def _schedule_form(request: HttpRequest, draft: MassMessage | None) -> ScheduleForm:
    """The day and time under "Send later"; a quick pick puts its own there."""
    zone, now = department_of(request).zone, timezone.now()
    when = mass_messages.wall_clock(draft) if draft else None
    data = request.POST if _wants_time(request) else None
    form = ScheduleForm(data, zone=zone, now=now, when=when)
    if data is not None and (pick := request.POST.get("pick")):
        form.take_pick(pick)
    return form


def _wants_time(request: HttpRequest) -> bool:
    return "later" in request.POST or "pick" in request.POST


def _named_in(query: QueryDict) -> Q:
    """A condition on one's clients: those whom the address ticks (?clients=1,2, ?status=3, ?follow_up=3)."""
    named = NOBODY
    if "clients" in query:
        named |= mass_choice.ticked_among(sorted(mass_forms.ids(query.getlist("clients")))[: mass_drafts.BATCH])
    if status_ids := mass_forms.ids(query.getlist("status")):
        named |= Q(status__in=status_ids)
    if follow_up := mass_forms.ids(query.getlist("follow_up")):
        named |= Q(status__in=follow_up) & mass_choice.due_for_follow_up(timezone.now())
    return named


def _key(typed: str) -> uuid.UUID:
    try:
        return uuid.UUID(typed)
    except ValueError:
        return uuid.uuid4()
