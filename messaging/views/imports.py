"""Clients from a file: uploading it, checking it, following it; and the caseload as a file."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit
from accounts.models import User
from messaging import access, caseload_export, csv_files, import_columns, import_record
from messaging.actions import importing
from messaging.actions.importing import AlreadyConfirmed, NotChecked
from messaging.client_imports import ClientImport
from messaging.import_forms import ImportForm, Posted, choices
from messaging.import_record import Figures, Show
from messaging.views.people import department_of, person

SHOWN_BEFORE = 10  # imports; older ones are erased soon


@require_http_methods(["GET", "POST"])
def client_import(request: HttpRequest) -> HttpResponse:
    """Takes a file, for oneself or as an administrator for a colleague, and shows what is in it."""
    user, department = person(request), department_of(request)
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = ImportForm(*sent, people=_people(user))
    if form.is_valid():
        made = importing.begin_import(
            table=form.table_read,
            file_name=form.file_name,
            by=user,
            for_whom=form.cleaned_data.get("for_whom", user),
            department=department,
            now=timezone.now(),
        )
        return redirect("client-import-check", made.pk)
    before = ClientImport.objects.filter(made_by=user, department=department).select_related("for_whom")
    context = {
        "form": form,
        "earlier": before.order_by("-pk")[:SHOWN_BEFORE],
        "most_rows": f"{csv_files.MAX_ROWS:,}",
        "days": importing.KEPT_FOR.days,
    }
    return render(request, "client_import.html", context)


def _people(user: User) -> QuerySet[User] | None:
    """For whom the user can import beside themselves."""
    if not user.is_administrator:
        return None
    return User.objects.filter(department=user.department_id, is_active=True).order_by("full_name", "pk")


@require_http_methods(["GET", "POST"])
def client_import_check(request: HttpRequest, import_id: int) -> HttpResponse:
    """What would become of each row; then how far it is, and what became of each."""
    found = access.own_import_for(person(request), import_id)
    if request.method == "POST":
        return _choose(request, found)
    if found.confirmed_at is None:
        return render(request, "client_import_check.html", _context(request, found) | _choice(found))
    return render(request, "client_import_record.html", _context(request, found))


def _context(request: HttpRequest, found: ClientImport) -> dict[str, Any]:
    asked = request.GET.get("show", "")
    show = Show(asked) if asked in Show.values else Show.ALL
    figures = import_record.read_figures(found)
    return {
        "it": found,
        "figures": figures,
        "show": show,
        "tabs": _tabs(found, figures),
        "page": import_record.read_lines(found, show, request.GET.get("page", "1")),
        "to_add": figures.of(Show.TAKEN),
        "unchanged": figures.of(Show.UNCHANGED),
        "refused": figures.of(Show.REFUSED),
        "is_live": found.confirmed_at is not None and found.finished_at is None,
        "days": importing.KEPT_FOR.days,
    }


def _tabs(found: ClientImport, figures: Figures) -> list[tuple[Show, str, int]]:
    """Which rows can be looked at, by what will become or became of them."""
    label = _("Added") if found.finished_at else _("Will be added")
    words = {Show.TAKEN: label}
    return [(show, words.get(show, str(show.label)), count) for show in Show if (count := figures.of(show))]


def _choice(found: ClientImport) -> dict[str, Any]:
    return {
        "columns": import_record.read_columns(found),
        "choices": choices(),
        "columns_problem": import_columns.problem(found.columns),
    }


def _choose(request: HttpRequest, found: ClientImport) -> HttpResponse:
    """Does what a button of the check page says."""
    button = request.POST.get("button", "")
    try:
        if button == "discard":
            importing.discard(client_import=found)
            messages.info(request, _("The file is erased. Clients who were added stay."))
            return redirect("client-import")
        if found.confirmed_at is None and button in ("check", "apply"):
            _check_or_apply(request, found, is_to_apply=button == "apply")
    except (AlreadyConfirmed, NotChecked):
        messages.info(request, _("This has moved on meanwhile. Nothing was changed."))
    return redirect("client-import-check", found.pk)


def _check_or_apply(request: HttpRequest, found: ClientImport, *, is_to_apply: bool) -> None:
    """Only what was checked is applied: with other columns the rows are judged first, and shown again."""
    posted = Posted.read(request.POST, len(found.columns))
    if not posted.is_as(found.columns, has_headings=found.has_headings):
        importing.choose_columns(client_import=found, columns=posted.columns, has_headings=posted.has_headings)
        if is_to_apply:
            messages.info(request, _("You changed what the columns mean. Look at the rows again before you add them."))
    elif is_to_apply:
        importing.confirm(client_import=found, now=timezone.now())
    else:
        importing.choose_columns(client_import=found, columns=found.columns, has_headings=found.has_headings)


@require_GET
def not_taken(request: HttpRequest, import_id: int) -> HttpResponseBase:
    """The refused rows as a file, each with its reason."""
    found = access.own_import_for(person(request), import_id)
    return _file("not-taken.csv", import_record.not_taken(found))


@require_POST
def client_export(request: HttpRequest) -> HttpResponseBase:
    """One's own caseload as a file. Not by a link, which browsers fetch ahead: each one is written down."""
    user, department, now = person(request), department_of(request), timezone.now()
    count = caseload_export.caseload(user).count()
    audit.record("client.export", f"user:{user.pk}", by=user, department=department, now=now, count=count)
    day = now.astimezone(department.zone).date().isoformat()
    return _file(f"clients-{day}.csv", caseload_export.rows(user))


def _file(name: str, rows: Iterator[Sequence[str]]) -> HttpResponseBase:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(csv_files.write(rows), content_type="text/csv; charset=utf-8", headers=headers)
