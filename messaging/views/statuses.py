"""The department's statuses, for its administrators."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clients import actions
from clients.models import ClientStatus
from messaging import access, queries
from messaging.status_forms import StatusForm
from messaging.views.people import person

PLACES = {"up": -1, "down": 1}


@require_http_methods(["GET", "POST"])
def statuses(request: HttpRequest) -> HttpResponse:
    """The list in its order; POST adds one at its end."""
    department = access.administered_department(person(request))
    uses = queries.status_uses(department)
    form = StatusForm(request.POST if request.method == "POST" else None, department=department)
    if form.is_valid():
        position = max((use.status.position for use in uses), default=-1) + 1
        try:
            actions.add_status(
                department=department, settings=form.settings(position), by=person(request), now=timezone.now()
            )
        except actions.StatusNameTaken:
            form.refuse_name()
        else:
            messages.success(request, _("Added: %(name)s") % {"name": form.cleaned_data["name"]})
            return redirect("department-statuses")
    return render(request, "statuses.html", {"uses": uses, "form": form, "is_only_one": len(uses) == 1})


@require_http_methods(["GET", "POST"])
def status(request: HttpRequest, status_id: int) -> HttpResponse:
    """One of them, to be changed."""
    shown = access.managed_status_for(person(request), status_id)
    data = request.POST if request.method == "POST" else None
    form = StatusForm(data, department=shown.department, status=shown)
    if form.is_valid():
        settings = form.settings(shown.position)
        try:
            actions.change_status(status=shown, settings=settings, by=person(request), now=timezone.now())
        except actions.StatusNameTaken:
            form.refuse_name()
        except ClientStatus.DoesNotExist as error:
            raise Http404 from error
        else:
            messages.success(request, _("Saved: %(name)s") % {"name": settings.name})
            return redirect("department-statuses")
    return render(request, "status_change.html", {"status": shown, "form": form})


@require_POST
def settle(request: HttpRequest, status_id: int, choice: str) -> HttpResponse:
    """Up, down, or out of the list."""
    shown = access.managed_status_for(person(request), status_id)
    try:
        if choice == "delete":
            _delete(request, shown)
        elif choice in PLACES:
            actions.move_status(status=shown, places=PLACES[choice], by=person(request), now=timezone.now())
        else:
            raise Http404
    except ClientStatus.DoesNotExist:
        messages.info(request, _("This status was deleted meanwhile."))
    return redirect("department-statuses")


def _delete(request: HttpRequest, status: ClientStatus) -> None:
    try:
        actions.delete_status(status=status, by=person(request), now=timezone.now())
    except actions.LastStatus:
        messages.error(request, _("A department keeps at least one status. Add another one first."))
    except actions.StatusInUse:
        messages.error(request, _in_use(status))
    else:
        messages.success(request, _("Deleted: %(name)s") % {"name": status.name})


def _in_use(status: ClientStatus) -> str:
    uses = queries.status_uses(status.department)
    count = next((use.current for use in uses if use.status.pk == status.pk), 0)
    if not count:
        return _("%(name)s stays: clients had it before.") % {"name": status.name}
    words = ngettext(
        "%(name)s stays: %(count)d client has it. Give them another status first.",
        "%(name)s stays: %(count)d clients have it. Give them another status first.",
        count,
    )
    return words % {"name": status.name, "count": count}
