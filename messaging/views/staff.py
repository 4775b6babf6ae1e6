"""The department's people, for supervisors and administrators: how many clients each has, and moving them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from messaging import access, department_people
from messaging.actions import bulk_moving
from messaging.actions.bulk_moving import Moved
from messaging.actions.moving import ColleagueGone, Move
from messaging.actions.people import HasActiveClients, OwnAccount, disable_person
from messaging.moving_forms import BulkMoveForm
from messaging.views.people import department_of, person
from messaging.views.transferring import refusal_words

NAMED_AT_MOST = 20


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Names and counts."""
    department = access.supervised_department(person(request))
    rows, page = department_people.people(department, page_number=request.GET.get("page", "1"))
    context = {"department": department, "rows": rows, "page": page, "can_close": person(request).is_administrator}
    return render(request, "department_people.html", context)


@require_POST
def close(request: HttpRequest, person_id: int) -> HttpResponse:
    """Closes an account, which an administrator may; while there are clients it leads to moving them."""
    access.administered_department(person(request))
    leaver = access.person_for(person(request), person_id)
    try:
        disable_person(person=leaver, by=person(request), now=timezone.now())
    except HasActiveClients as refusal:
        words = ngettext(
            "%(name)s still has %(count)s client. Move this client first, so that no text is lost.",
            "%(name)s still has %(count)s clients. Move them first, so that no text is lost.",
            refusal.count,
        )
        messages.error(request, words % {"name": leaver, "count": refusal.count})
        return redirect("person-move", leaver.pk)
    except OwnAccount:
        messages.error(request, _("This is your own account. Another administrator can close it."))
    else:
        messages.success(request, _("The account of %(name)s is closed.") % {"name": leaver})
    return redirect("department-people")


@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, person_id: int) -> HttpResponse:
    """The person's clients with boxes to tick; POST moves the ticked, or all, a batch at a time."""
    former = access.person_for(person(request), person_id)
    form = BulkMoveForm(
        request.POST if request.method == "POST" else None, department=department_of(request), former=former
    )
    is_all = request.POST.get("do") == "all"
    ticked = _ticked(request)
    if request.method == "POST" and not (is_all or ticked):
        form.add_error(None, _("Tick who is to be moved, or choose to move all."))
    if form.is_valid():
        try:
            return _move_all(request, former, form) if is_all else _move(request, former, form, ticked)
        except ColleagueGone as refusal:
            form.add_error(None, refusal_words(refusal))
    return _page(request, former, form, ticked)


def _ticked(request: HttpRequest) -> list[int]:
    typed = (it for it in request.POST.getlist("clients") if it.isascii() and it.isdigit() and len(it) < 19)
    return sorted({int(it) for it in typed})[: department_people.CLIENTS_PER_PAGE]


def _wanted(former: User, form: BulkMoveForm) -> Move:
    return Move(former, form.cleaned_data["colleague"], form.cleaned_data["note"])


def _move(request: HttpRequest, former: User, form: BulkMoveForm, ticked: list[int]) -> HttpResponse:
    wanted = _wanted(former, form)
    done = bulk_moving.move_clients(client_ids=ticked, move=wanted, by=person(request), now=timezone.now())
    _tell(request, wanted.to, done.count)
    _tell_who_stayed(request, done)
    if later := len([it for it in ticked if it > done.last]):
        messages.warning(request, _("There was no time for the other %(count)s: tick them again.") % {"count": later})
    return redirect("person-move", former.pk)


def _move_all(request: HttpRequest, former: User, form: BulkMoveForm) -> HttpResponse:
    """A batch; while there are more, a page that goes on by itself, or by its button. Stopped, it goes on any time."""
    wanted = _wanted(former, form)
    batch = bulk_moving.next_batch(former, after=form.cleaned_data["after"] or 0)
    done = bulk_moving.move_clients(client_ids=batch, move=wanted, by=person(request), now=timezone.now())
    moved = (form.cleaned_data["moved"] or 0) + done.count
    _tell_who_stayed(request, done)
    left = department_people.clients_of(former)[1].paginator.count
    if batch and bulk_moving.next_batch(former, after=done.last):
        context = {"former": former, "move": wanted, "after": done.last, "moved": moved, "left": left}
        return render(request, "person_move_progress.html", context)
    _tell(request, wanted.to, moved)
    return redirect("person-move", former.pk)


def _tell(request: HttpRequest, to: User, count: int) -> None:
    if not count:
        return
    words = ngettext(
        "%(count)s client is on the list of %(name)s now.", "%(count)s clients are on the list of %(name)s now.", count
    )
    messages.success(request, words % {"count": count, "name": to})


def _tell_who_stayed(request: HttpRequest, done: Moved) -> None:
    names = department_people.names_of(list(done.left)[:NAMED_AT_MOST], department_of(request))
    for client_id, holder in list(done.left.items())[:NAMED_AT_MOST]:
        client = {"client": names.get(client_id, ""), "name": holder}
        if holder is not None:
            words = _("%(client)s was not moved: on the list of %(name)s meanwhile.") % client
        else:
            words = _("%(client)s was not moved: deleted meanwhile.") % client
        messages.warning(request, words)
    if (more := len(done.left) - NAMED_AT_MOST) > 0:
        messages.warning(request, _("%(count)s more were not moved.") % {"count": more})


def _page(request: HttpRequest, former: User, form: BulkMoveForm, ticked: list[int]) -> HttpResponse:
    rows, page = department_people.clients_of(former, page_number=request.GET.get("page", "1"))
    if request.GET.get("tick") == "page":
        ticked = [row.client_id for row in rows]
    context = {
        "former": former,
        "form": form,
        "rows": rows,
        "page": page,
        "total": page.paginator.count,
        "ticked": set(ticked),
        "can_close": person(request).is_administrator and former != request.user and former.is_active,
    }
    return render(request, "person_move.html", context)
