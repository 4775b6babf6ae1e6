"""What an administrator types about a status."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Department
from clients.actions import StatusSettings
from clients.models import ClientStatus


class StatusForm(forms.Form):
    """One status of the department. Its place in the list is changed by buttons there."""

    name = forms.CharField(label=_("Name"), max_length=50)
    colour = forms.ChoiceField(
        label=_("Colour"),
        choices=ClientStatus.Colour.choices,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        initial="grey",
    )
    follow_up_days = forms.IntegerField(
        label=_("Follow up after days without contact"),
        required=False,
        min_value=1,
        max_value=365,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=_("Empty: no follow-up. From five days before, My clients says who is due."),
    )

    def __init__(self, *args: Any, department: Department, status: ClientStatus | None = None, **options: Any) -> None:
        self.department, self.status = department, status
        if status is not None:
            names = ("name", "colour", "follow_up_days")
            options.setdefault("initial", {name: getattr(status, name) for name in names})
        super().__init__(*args, **options)

    def clean_name(self) -> str:
        """Two that differ in capitals alone would be one to who reads them."""
        name: str = " ".join(self.cleaned_data["name"].split())
        others = ClientStatus.objects.filter(department=self.department, name__iexact=name)
        if self.status is not None:
            others = others.exclude(pk=self.status.pk)
        if others.exists():
            self.refuse_name()
        return name

    def refuse_name(self) -> None:
        self.add_error("name", _("This department has a status of that name already."))

    def settings(self, position: int) -> StatusSettings:
        return StatusSettings(position=position, **self.cleaned_data)
