"""The forms of New client and Manage client, and what is answered on the pages between."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from accounts import phone_numbers
from accounts.models import Department
from messaging.actions.caseload import NewClient
from messaging.actions.managing import Fields
from messaging.forms import NewClientForm
from messaging.known_numbers import Answer, Choice

MAX_ID = 2**63 - 1


def read_answer(data: QueryDict) -> Answer | None:
    """The button pressed on the page that asks; None for the form's own button, and for what is none of ours."""
    choice, _separator, client_id = data.get("answer", "").partition("-")
    is_id = client_id.isascii() and client_id.isdigit() and len(client_id) < 20
    if choice not in {it.value for it in Choice} or not is_id:
        return None
    return Answer(Choice(choice), int(client_id))


class ManageForm(NewClientForm):
    """What is known of a client. seen: the stamp of the values that the person had before them."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, data: Any = None, *, department: Department, shown: Fields) -> None:
        super().__init__(data, department=department)
        self._address, self._display = shown.phone_number, phone_numbers.display(shown.phone_number)
        self.initial = {**vars(shown), "phone_number": self._display, "seen": shown.stamp}
        number = self.fields["phone_number"]
        number.required = bool(shown.phone_number)
        number.help_text = gettext_lazy("Texts from the old number still arrive here if you change it.")

    def full_clean(self) -> None:
        """The number as it stands is taken as it is: a short code can't be typed, only kept."""
        if self.is_bound and self.data.get("phone_number", "").strip() == self._display:
            self.fields["phone_number"] = _Kept(self._address, self.fields["phone_number"])
        super().full_clean()

    def new_client(self) -> NewClient:
        return NewClient(**{name: value for name, value in self.cleaned_data.items() if name != "seen"})

    def with_fresh_stamp(self, shown: Fields) -> None:
        """Saving it again is a new decision, with what stands there now in view."""
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["seen"] = shown.stamp
        self.data = data


class _Kept(forms.CharField):
    """Whatever stands in it, the value is this."""

    def __init__(self, value: str, drawn_as: forms.Field) -> None:
        super().__init__(label=drawn_as.label, widget=drawn_as.widget, required=False, help_text=drawn_as.help_text)
        self._value = value

    def clean(self, value: Any) -> str:
        return self._value


class SeenForm(forms.Form):
    """What the page that asked had shown: seen_up_to, its newest incoming text (0: none)."""

    seen_up_to = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=MAX_ID)
