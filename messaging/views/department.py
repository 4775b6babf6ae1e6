"""The department's page, for its supervisors and administrators."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from messaging import access, sending_figures, unclaimed
from messaging.actions.resuming import try_again_now
from messaging.sending_status import department_status
from messaging.views.people import person


@require_GET
def department(request: HttpRequest) -> HttpResponse:
    """How the sending is."""
    shown, now = access.supervised_department(person(request)), timezone.now()
    status = department_status(shown, now)
    context = {
        "department": shown,
        "unclaimed": unclaimed.waiting_in(shown),
        "state": sending_figures.state_of_sending(status, now, shown.zone),
        "sections": sending_figures.sections(status, now, shown.zone),
        "is_administrator": person(request).is_administrator,
        "can_try_again": status.stop is not None and person(request).is_administrator,
    }
    return render(request, "department.html", context)


@require_POST
def try_again(request: HttpRequest) -> HttpResponse:
    """What stopped the sending is settled, says an administrator."""
    shown = access.administered_department(person(request))
    if try_again_now(department=shown, by=person(request), now=timezone.now()):
        messages.info(request, _("The next text tries now. If it goes out, the others follow."))
    else:
        messages.info(request, _("Nothing is stopped any more."))
    return redirect("department")
