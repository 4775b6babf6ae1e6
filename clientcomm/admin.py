"""The operator's pages: departments, people, statuses, the log, stops, orphans, stray texts.

All that is written goes through actions.

A site of its own, so that only these are reachable: what libraries register (groups, e-mail addresses) would be written
past the actions and past the log.
"""

from datetime import datetime
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import update_session_auth_hash
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from accounts import phone_numbers
from accounts.actions import own_account
from accounts.actions import people as staff
from accounts.models import AuditEntry, Department, User
from clientcomm.admin_forms import DepartmentForm, PersonForm, StatusForm, active_clients_words
from clients import actions as offices
from clients.models import ClientStatus
from messaging import orphans
from messaging.actions import departments, people, resuming
from messaging.models import Orphan, SendingHold
from telephony.models import StrayText


class OperatorSite(admin.AdminSite):
    site_title = site_header = gettext_lazy("ClientComm for operators")
    index_title = gettext_lazy("Departments and people")

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signing in is the product's, with its limit on wrong passwords; who is no operator gets 403."""
        return super().login(request, extra_context)

    def password_change(  # type: ignore[override]  # django-stubs: always a template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The account settings do it, and write it down."""
        return redirect("account-settings")


site = OperatorSite(name="admin")
site.disable_action("delete_selected")  # one at a time, each with its own refusal


def operator(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


class OperatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Lists in pages, and a plain sentence when something can't be deleted."""

    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False

    def why_not_delete(self, request: HttpRequest, obj: Any) -> str:
        """The reason to show, or "" if it may go."""
        return ""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and (reason := self.why_not_delete(request, obj)):
            messages.error(request, reason)
            return redirect(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change", obj.pk)
        return super().delete_view(request, object_id, extra_context)


class ReadOnlyAdmin(OperatorAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Department, site=site)
class DepartmentAdmin(OperatorAdmin):
    """A department is never deleted: its number, people and log stay."""

    form = DepartmentForm
    list_display = ("name", "display_number", "time_zone")
    search_fields = ("name", "phone_number")
    ordering = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Department, form: DepartmentForm, change: bool) -> None:
        by, now, settings = operator(request), timezone.now(), form.settings()
        if change:
            departments.change_department(department=obj, settings=settings, by=by, now=now)
        else:
            _take(obj, offices.create_department(settings=settings, by=by, now=now))


@admin.register(ClientStatus, site=site)
class StatusAdmin(OperatorAdmin):
    form = StatusForm
    list_display = ("name", "department", "position", "follow_up_days")
    list_filter = ("department",)
    list_select_related = ("department",)
    search_fields = ("name",)
    ordering = ("department__name", "position", "name")

    def save_model(self, request: HttpRequest, obj: ClientStatus, form: StatusForm, change: bool) -> None:
        by, now, settings = operator(request), timezone.now(), form.settings()
        if change:
            offices.change_status(status=obj, settings=settings, by=by, now=now)
        else:
            _take(obj, offices.add_status(department=obj.department, settings=settings, by=by, now=now))

    def why_not_delete(self, request: HttpRequest, obj: ClientStatus) -> str:
        if offices.is_used(obj):
            return _("Clients have or had this status: it stays.")
        return _("A department keeps at least one status.") if offices.is_last(obj) else ""

    def delete_model(self, request: HttpRequest, obj: ClientStatus) -> None:
        offices.delete_status(status=obj, by=operator(request), now=timezone.now())


@admin.register(User, site=site)
class PersonAdmin(OperatorAdmin):
    form = PersonForm
    list_display = ("full_name", "email", "department", "role", "is_active")
    list_filter = ("department", "role", "is_active")
    list_select_related = ("department",)
    search_fields = ("full_name", "email")
    ordering = ("email",)
    actions = ("disable_people", "enable_people", "invite_people")

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = ("full_name", "email", "department", "role", "desk_phone", "new_password")
        return fields if obj is None else (*fields, "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("is_active",) if obj == request.user else ()

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: PersonForm, change: bool) -> None:
        if change:
            _change_person(request, obj, form)
        else:
            _take(obj, _add_person(request, form))

    def why_not_delete(self, request: HttpRequest, obj: User) -> str:
        if obj == request.user:
            return _("You can't delete your own account.")
        try:
            people.refuse_with_active_clients(obj)
        except people.HasActiveClients as refusal:
            return active_clients_words(refusal)
        if staff.has_history(obj):
            return _("%(person)s has done something here that must stay on record. Close the account instead.") % {
                "person": obj.full_name
            }
        return ""

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        staff.delete_person(person=obj, by=operator(request), now=timezone.now())

    @admin.action(description=gettext_lazy("Close the accounts of the chosen people"))
    def disable_people(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        closed = 0
        for person in queryset.filter(is_active=True):
            try:
                people.disable_person(person=person, by=operator(request), now=timezone.now())
                closed += 1
            except people.HasActiveClients as refusal:
                messages.error(request, active_clients_words(refusal))
            except people.OwnAccount:
                messages.error(request, _("You can't close your own account."))
        if closed:
            words = ngettext("%(count)s account was closed.", "%(count)s accounts were closed.", closed)
            messages.success(request, words % {"count": closed})

    @admin.action(description=gettext_lazy("Open the accounts of the chosen people again"))
    def enable_people(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        chosen = list(queryset.filter(is_active=False))
        for person in chosen:
            staff.enable_person(person=person, by=operator(request), now=timezone.now())
        words = ngettext("%(count)s account is open again.", "%(count)s accounts are open again.", len(chosen))
        messages.success(request, words % {"count": len(chosen)})

    @admin.action(description=gettext_lazy("Invite the chosen people to choose a password"))
    def invite_people(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            if not person.is_active:
                messages.error(request, _("The account of %(person)s is closed.") % {"person": person})
            elif person.has_usable_password():
                messages.error(
                    request,
                    _("%(person)s has a password already, and can ask for a new one where one signs in.")
                    % {"person": person},
                )
            else:
                own_account.invite(person=person, by=operator(request), now=timezone.now())
                messages.success(request, _("%(person)s was invited.") % {"person": person})


def _take(obj: Model, saved: Model) -> None:
    """Lets the admin's own object, which it shows and logs, stand for the row that the action made."""
    obj.pk, obj._state.adding = saved.pk, False


def _add_person(request: HttpRequest, form: PersonForm) -> User:
    by, now, password = operator(request), timezone.now(), form.cleaned_data["new_password"]
    person = staff.add_person(
        profile=form.profile(),
        department=form.cleaned_data["department"],
        by=by,
        now=now,
        password=password or None,
    )
    if not password:
        own_account.invite(person=person, by=by, now=now)
    return person


def _change_person(request: HttpRequest, person: User, form: PersonForm) -> None:
    by, now = operator(request), timezone.now()
    staff.change_person(person=person, profile=form.profile(), by=by, now=now)
    if "department" in form.changed_data:
        offices.move_person(person=person, department=form.cleaned_data["department"], by=by, now=now)
    if password := form.cleaned_data["new_password"]:
        changed = staff.set_password(person=person, password=password, by=by, now=now)
        update_session_auth_hash(request, changed)  # only if it is the operator's own, who stays signed in
    if "is_active" in form.changed_data:
        change_account = staff.enable_person if form.cleaned_data["is_active"] else people.disable_person
        change_account(person=person, by=by, now=now)


def _time(at: datetime | None) -> str:
    """With its zone: the operator belongs to no department."""
    return formats.date_format(timezone.localtime(at), "Y-m-d H:i:s T") if at else "--"


@admin.register(AuditEntry, site=site)
class AuditAdmin(ReadOnlyAdmin):
    """The log. Newest first by id, which is the order of writing and has an index without a department."""

    fields = ("time", "by", "department", "action", "subject", "details")
    list_display = ("time", "by", "department", "action", "subject")
    list_filter = ("department",)
    list_select_related = ("by", "department")
    search_fields = ("=action", "=subject")
    search_help_text = gettext_lazy("An action (person.added) or a subject (user:5), in full.")
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("time"))
    def time(self, entry: AuditEntry) -> str:
        return _time(entry.at)


@admin.register(SendingHold, site=site)
class SendingHoldAdmin(ReadOnlyAdmin):
    """What stops the sending. By itself one text in five minutes tries whether it is settled."""

    fields = list_display = ("of", "reason", "error_code", "stopped", "next_try")
    ordering = ("since", "pk")
    actions = ("try_again_now",)

    @admin.display(description=gettext_lazy("what is stopped"))
    def of(self, hold: SendingHold) -> str:
        return phone_numbers.display(hold.number) if hold.number else _("the whole account")

    @admin.display(description=gettext_lazy("since"))
    def stopped(self, hold: SendingHold) -> str:
        return _time(hold.since)

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, hold: SendingHold) -> str:
        return _time(hold.try_at)

    @admin.action(description=gettext_lazy("Try again now"))
    def try_again_now(self, request: HttpRequest, queryset: QuerySet[SendingHold]) -> None:
        for number in queryset.values_list("number", flat=True):
            resuming.try_number_now(number=number, by=operator(request), now=timezone.now())
        messages.success(request, _("The next text tries now. If it goes out, the others follow."))


@admin.register(Orphan, site=site)
class OrphanAdmin(ReadOnlyAdmin):
    """Texts in the carrier's list that have no row here. No search by number: it would stand in the address."""

    fields = ("department", "direction", "number", "made", "found", "carrier_id")
    list_display = ("made", "direction", "number", "department", "found")
    list_filter = ("department", "direction")
    list_select_related = ("department",)
    search_fields = ("=carrier_id",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Orphan]:
        return orphans.unclaimed()

    @admin.display(description=gettext_lazy("the other number"))
    def number(self, orphan: Orphan) -> str:
        return phone_numbers.display(orphan.their_number)

    @admin.display(description=gettext_lazy("time at the carrier"))
    def made(self, orphan: Orphan) -> str:
        return _time(orphan.created_at)

    @admin.display(description=gettext_lazy("found"))
    def found(self, orphan: Orphan) -> str:
        return _time(orphan.found_at)


@admin.register(StrayText, site=site)
class StrayTextAdmin(ReadOnlyAdmin):
    """What has no department, no sender, or could not be received. It is tried again by itself."""

    fields = ("time", "reason", "attempts", "placed", "carrier_id", "form")
    list_display = ("time", "reason", "attempts", "placed")
    list_filter = ("reason", ("placed_at", admin.EmptyFieldListFilter))
    search_fields = ("=carrier_id",)
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("received"))
    def time(self, stray: StrayText) -> str:
        return _time(stray.received_at)

    @admin.display(description=gettext_lazy("found its conversation"))
    def placed(self, stray: StrayText) -> str:
        return _time(stray.placed_at)
