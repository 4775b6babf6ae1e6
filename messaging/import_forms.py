"""A file of clients as it is uploaded, and what its columns are said to mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from messaging import csv_files
from messaging.csv_files import MAX_BYTES, NotATable, Table
from messaging.import_columns import LEFT_OUT, Field


class TableField(forms.FileField):
    """A file that is cleaned to the table in it; its name is kept by the form."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        uploaded: UploadedFile[Any] | None = super().clean(data, initial)
        if uploaded is None:
            return None
        try:
            # One more than is allowed says enough of a file that is too large.
            return csv_files.read(uploaded.read(MAX_BYTES + 1))
        except NotATable as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class ImportForm(forms.Form):
    """people: for whom an administrator can import; None for everybody else, who import for themselves."""

    for_whom = forms.ModelChoiceField(
        label=gettext_lazy("For whom"),
        queryset=User.objects.none(),
        empty_label=gettext_lazy("Choose a case manager"),
        help_text=gettext_lazy("Whose list the clients come on. They are told by e-mail."),
        error_messages={"required": gettext_lazy("Choose whose clients these are.")},
    )
    table = TableField(
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty."),
        },
    )

    def __init__(self, data: Any = None, files: Any = None, *, people: QuerySet[User] | None) -> None:
        super().__init__(data, files)
        if people is None:
            del self.fields["for_whom"]
        else:
            choice = self.fields["for_whom"]
            assert isinstance(choice, forms.ModelChoiceField)
            choice.queryset = people

    @property
    def table_read(self) -> Table:
        """Of a form without errors."""
        table = self.cleaned_data["table"]
        assert isinstance(table, Table)
        return table

    @property
    def file_name(self) -> str:
        return str(getattr(self.files.get("table"), "name", "") or "")


@dataclass(frozen=True)
class Posted:
    """What stands in the form under the file's columns."""

    columns: list[str]
    has_headings: bool

    @classmethod
    def read(cls, data: QueryDict, width: int) -> "Posted":
        chosen = [data.get(f"column-{column}", LEFT_OUT) for column in range(width)]
        return cls([field if field in Field.values else LEFT_OUT for field in chosen], data.get("has_headings") == "on")

    def is_as(self, columns: Sequence[str], *, has_headings: bool) -> bool:
        return self.columns == list(columns) and self.has_headings == has_headings


def choices() -> list[tuple[str, str]]:
    """What a column can mean."""
    return [(LEFT_OUT, _("Leave out")), *((str(field), str(field.label)) for field in Field)]
