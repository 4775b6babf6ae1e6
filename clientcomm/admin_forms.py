"""What the operator types, checked and turned into our own values. What is fixed is shown, and says why."""

import zoneinfo
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import phone_numbers
from accounts.actions.people import Profile
from accounts.models import Department, User
from clients import actions as offices
from clients.actions import DepartmentSettings, StatusSettings
from clients.models import ClientStatus
from messaging import segments
from messaging.actions import people
from messaging.actions.people import HasActiveClients


def time_zones() -> list[tuple[str, str]]:
    """Every zone that has a place in its name (America/Denver), as choices."""
    return [(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name or name == "UTC"]


class DepartmentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=time_zones, initial="America/Denver")

    class Meta:
        model = Department
        fields = (
            *("name", "phone_number", "time_zone", "late_limit_minutes", "idle_limit_hours"),
            *("segments_per_second", "opens_at", "closes_at", "automatic_reply", "erase_at_carrier"),
            "shows_earlier_history",
        )
        widgets: ClassVar = {
            "opens_at": forms.TimeInput({"type": "time"}, "%H:%M"),
            "closes_at": forms.TimeInput({"type": "time"}, "%H:%M"),
            "automatic_reply": forms.Textarea({"rows": 4}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = self.fields["phone_number"]
        assert isinstance(number, forms.CharField)
        number.max_length, number.validators = 40, []  # as people write it, until it is cleaned
        number.widget.attrs["maxlength"] = 40
        number.help_text = _("In any usual writing, like (801) 555-0142.")
        if self.instance.pk and offices.has_clients(self.instance):
            number.disabled = True
            number.help_text = _("Clients text this number, so it can't be changed any more.")
        for name in ("late_limit_minutes", "idle_limit_hours"):
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label, help_text=self.fields[name].help_text, min_value=1, max_value=32_767
            )
        pace = self.fields["segments_per_second"]
        self.fields["segments_per_second"] = forms.DecimalField(
            label=pace.label,
            help_text=pace.help_text,
            required=False,
            min_value=Decimal("0.01"),
            max_digits=6,
            decimal_places=2,
        )

    def clean_phone_number(self) -> str:
        try:
            return phone_numbers.parse(self.cleaned_data["phone_number"])
        except phone_numbers.NotAPhoneNumber as error:
            raise forms.ValidationError(str(error)) from error

    def clean_automatic_reply(self) -> str:
        reply: str = self.cleaned_data["automatic_reply"].replace("\r\n", "\n").strip()
        name = self.cleaned_data.get("name", "")
        if segments.length(reply.replace("{department}", name)) > segments.MAX_LENGTH:
            raise forms.ValidationError(_("A text can have 1,600 characters. Shorten the reply."))
        return reply

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        opens_at, closes_at = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens_at and closes_at and opens_at >= closes_at:
            self.add_error("closes_at", _("The texting hours must end later on the day than they begin."))
        return cleaned

    def settings(self) -> DepartmentSettings:
        return DepartmentSettings(**self.cleaned_data)


class StatusForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    class Meta:
        model = ClientStatus
        fields = ("department", "name", "colour", "position", "follow_up_days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["department"].disabled = True
            self.fields["department"].help_text = _("A status belongs to its department for good.")

    def settings(self) -> StatusSettings:
        values = {name: self.cleaned_data[name] for name in ("name", "colour", "position", "follow_up_days")}
        return StatusSettings(**values)


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("full_name", "email", "department", "role", "desk_phone", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password"].help_text = (
            _("Leave it empty to keep the present one.")
            if self.instance.pk
            else _("Leave it empty: the person gets a mail with a link to choose one.")
        )
        self._fit_department(self.fields["department"])
        self.initial["desk_phone"] = phone_numbers.display_desk(self.instance.desk_phone)

    def _fit_department(self, field: forms.Field) -> None:
        field.required = not self.instance.is_superuser
        if self.instance.is_superuser:
            field.disabled, field.help_text = True, _("An operator belongs to no department.")
        elif self.instance.pk and offices.has_assignments(self.instance):
            field.disabled = True
            field.help_text = _("The person has worked with clients of this department, so it can't be changed.")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()  # signing in looks for small letters only
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Someone has this e-mail address already."))
        return email

    def clean_desk_phone(self) -> str:
        typed: str = self.cleaned_data["desk_phone"]
        try:
            return phone_numbers.parse_desk(typed) if typed else ""
        except phone_numbers.NotAPhoneNumber as error:
            raise forms.ValidationError(str(error)) from error

    def clean_is_active(self) -> bool:
        is_active: bool = self.cleaned_data["is_active"]
        if self.instance.pk and self.instance.is_active and not is_active:
            try:
                people.refuse_with_active_clients(self.instance)
            except HasActiveClients as refusal:
                raise forms.ValidationError(active_clients_words(refusal)) from refusal
        return is_active

    def clean(self) -> dict[str, Any]:
        """The password last: it is compared with the name and the e-mail address."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if password := cleaned.get("new_password"):
            person = User(email=cleaned.get("email", ""), full_name=cleaned.get("full_name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("new_password", error)
        return cleaned

    def profile(self) -> Profile:
        values = {name: self.cleaned_data[name] for name in ("email", "full_name", "role", "desk_phone")}
        return Profile(**values)


def active_clients_words(refusal: HasActiveClients) -> str:
    """Whom to move before the account can be closed."""
    names = ", ".join(refusal.names)
    more = refusal.count - len(refusal.names)
    if more:
        names = _("%(names)s and %(count)s more") % {"names": names, "count": more}
    return _(
        "%(person)s still works with %(names)s. Move these clients to colleagues first, so that no text is lost."
    ) % {"person": refusal.person.full_name, "names": names}
