"""What is typed where an unclaimed client finds a place."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from clients.models import Client
from messaging.actions.claiming import Details
from messaging.forms import NewClientForm


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for mypy alone
    """A person by name, as each is known in the department."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.full_name)


class ClaimForm(NewClientForm):
    """Who it is that texted; the number is known. A supervisor says whose client it is to be."""

    case_manager = PersonField(
        label=gettext_lazy("Case manager"),
        queryset=User.objects.none(),
        empty_label=None,
        error_messages={"invalid_choice": gettext_lazy("This person has no account here any more. Choose another.")},
    )
    field_order = ("case_manager", "first_name", "last_name")

    def __init__(self, data: Any = None, *, client: Client, by: User) -> None:
        super().__init__(data, department=client.department)
        del self.fields["phone_number"]
        for name in ("first_name", "last_name", "id_number", "language"):
            self.fields[name].initial = getattr(client, name)
        self._by = by
        if by.is_supervisor:
            self._offer_colleagues()
        else:
            del self.fields["case_manager"]

    def _offer_colleagues(self) -> None:
        field = self.fields["case_manager"]
        assert isinstance(field, forms.ModelChoiceField)
        people = User.objects.filter(department=self._by.department_id, is_active=True)
        field.queryset = people.order_by("full_name", "pk")
        field.initial = self._by
        self.fields["notes"].help_text = _("Only the case manager sees them.")

    def details(self) -> Details:
        fields = ("first_name", "last_name", "status", "notes", "id_number", "language")
        return Details(**{name: self.cleaned_data[name] for name in fields})

    def case_manager_chosen(self) -> User:
        chosen: User = self.cleaned_data.get("case_manager", self._by)
        return chosen


class JoinForm(forms.Form):
    """Which of one's clients it is, and which number is texted from now on. Both are buttons' values."""

    client = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    number = forms.ChoiceField(choices=[("new", "new"), ("old", "old")])

    @property
    def texts_new_number(self) -> bool:
        return bool(self.cleaned_data["number"] == "new")
