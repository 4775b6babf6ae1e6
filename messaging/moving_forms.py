"""What is typed when a client goes to a colleague, or two become one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import Department, User
from messaging import department_people
from messaging.merge_choice import Side

MAX_NOTE = 1000
_MAX_ID = 2**63 - 1


class ColleagueField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in its stubs only
    """Somebody of the department, by name; of two with one name, with the e-mail address."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("New case manager"),
            queryset=User.objects.none(),
            empty_label=gettext_lazy("Choose a colleague"),
            error_messages={
                "required": gettext_lazy("Choose who works with the client from now on."),
                "invalid_choice": gettext_lazy(
                    "This colleague's account was closed, or they have the client already. Choose somebody else."
                ),
            },
        )
        self._names: Counter[str] = Counter()

    def offer(self, department: Department, *, besides: User | None) -> None:
        self.queryset = department_people.colleagues(department, besides=besides)
        self._names = Counter(person.full_name for person in self.queryset)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} ({obj.email})" if self._names[obj.full_name] > 1 else str(obj)


def _note_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Stands in the conversation, where you both read it. It isn't in the e-mail."),
    )


class TransferForm(forms.Form):
    """To whom, and what to say. former: who has the client, as the page showed it."""

    colleague = ColleagueField()
    note = _note_field()
    takes_notes = forms.BooleanField(
        label=gettext_lazy("Take my notes along"),
        required=False,
        help_text=gettext_lazy("Otherwise they stay with you alone."),
    )
    former = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=_MAX_ID)

    def __init__(self, data: Any = None, *, department: Department, former: User, has_notes: bool) -> None:
        super().__init__(data, initial={"former": former.pk})
        colleague = self.fields["colleague"]
        assert isinstance(colleague, ColleagueField)
        colleague.offer(department, besides=former)
        if not has_notes:
            del self.fields["takes_notes"]


class BulkMoveForm(forms.Form):
    """The same for many. after, moved: how far "all of them" has come."""

    colleague = ColleagueField()
    note = _note_field()
    after = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=_MAX_ID)
    moved = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=_MAX_ID)

    def __init__(self, data: Any = None, *, department: Department, former: User) -> None:
        super().__init__(data)
        colleague = self.fields["colleague"]
        assert isinstance(colleague, ColleagueField)
        colleague.offer(department, besides=former)


_TICK = {"class": "form-check-input"}


class MergeForm(forms.Form):
    """Which name and which number survive; each an id of one of the two."""

    name_of = forms.TypedChoiceField(
        label=gettext_lazy("Name"), coerce=int, widget=forms.RadioSelect(attrs=_TICK), choices=[]
    )
    number_of = forms.TypedChoiceField(
        label=gettext_lazy("Phone number"), coerce=int, widget=forms.RadioSelect(attrs=_TICK), choices=[]
    )

    def __init__(self, data: Any = None, *, sides: Sequence[Side]) -> None:
        super().__init__(data, initial={"name_of": sides[0].client_id, "number_of": sides[0].client_id})
        for field, options in (
            ("name_of", [(side.client_id, side.name) for side in sides]),
            ("number_of", [(side.client_id, side.number_words) for side in sides if side.number]),
        ):
            chosen = self.fields[field]
            assert isinstance(chosen, forms.TypedChoiceField)
            chosen.choices = options
            chosen.required = bool(options)
