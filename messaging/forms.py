"""What is typed on our pages, checked and turned into our own values."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import phone_numbers
from accounts.models import Department
from clients.models import ClientStatus
from messaging import schedule, segments
from messaging.actions.caseload import NewClient
from messaging.evenings import Answer
from messaging.schedule import CannotSchedule, Pick, TooFarAhead, WallClock

SEND_NOW = "now"


class TextField(forms.CharField):
    """The words of a text, cleaned to what will be sent."""

    def __init__(self) -> None:
        required = gettext_lazy("Write something first.")
        super().__init__(
            label=gettext_lazy("Message"), strip=False, widget=forms.Textarea, error_messages={"required": required}
        )

    def clean(self, value: Any) -> str:
        body: str = super().clean(value).replace("\r\n", "\n").rstrip()
        if not body.strip():
            raise forms.ValidationError(self.error_messages["required"])
        too_many = segments.length(body) - segments.MAX_LENGTH
        if too_many > 0:
            raise forms.ValidationError(
                _("This is %(count)s characters too long. A message can have 1,600. Nothing was sent.")
                % {"count": too_many}
            )
        return body


class MessageForm(forms.Form):
    """The composer. Its key makes sure that the same form never sends twice."""

    body = TextField()
    submission_key = forms.UUIDField(widget=forms.HiddenInput)
    seen_up_to = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)
    answer = forms.CharField(required=False)  # no field on the page: a button's value

    def clean_answer(self) -> Answer | None:
        """None also for what no button of ours sends: then the question is asked again."""
        typed = self.cleaned_data["answer"]
        if typed == SEND_NOW:
            return Answer()
        try:
            opening = parse_datetime(typed)
        except ValueError:
            return None
        return Answer(opening) if opening is not None and is_aware(opening) else None

    @classmethod
    def empty(cls, *, seen_up_to: int | None) -> "MessageForm":
        return cls(initial={"submission_key": uuid.uuid4(), "seen_up_to": seen_up_to})

    @classmethod
    def as_typed(cls, data: QueryDict) -> "MessageForm":
        """The box with what stands in it, and no judgement yet: nothing was to be sent."""
        kept = {name: data.get(name, "") for name in ("body", "submission_key", "seen_up_to")}
        return cls(initial=kept | {"submission_key": kept["submission_key"] or uuid.uuid4()})

    def with_fresh_key(self, **values: str) -> None:
        """The text comes back in the box; sending it again is a new decision."""
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        for name, value in {"submission_key": str(uuid.uuid4()), **values}.items():
            data[name] = value
        self.data = data


def _schedule_attrs(kind: str) -> dict[str, str]:
    """The browser's own picker; the words under the fields say the time back."""
    marks = {f"data-schedule-{kind}": "", "aria-describedby": "schedule-words"}
    return {"type": kind, "class": "form-control", **marks}


class ScheduleForm(forms.Form):
    """The day and the time at which something is to go out, on the clock of the zone; cleaned to `when`.

    Drawn by _schedule_fields.html. when: what stands there at first, else the next working day at nine.
    """

    date = forms.DateField(
        label=gettext_lazy("Date"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs=_schedule_attrs("date")),
        error_messages={
            "required": gettext_lazy("Choose a day."),
            "invalid": gettext_lazy("Write the day like 3/31/2026."),
        },
    )
    time = forms.TimeField(
        label=gettext_lazy("Time"),
        input_formats=["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p"],
        widget=forms.TimeInput(format="%H:%M", attrs=_schedule_attrs("time")),
        error_messages={
            "required": gettext_lazy("Choose a time."),
            "invalid": gettext_lazy("Write the time like 9:30 am."),
        },
    )

    confirmed = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(
        self, data: Any = None, *, zone: ZoneInfo, now: datetime, when: WallClock | None = None, **options: Any
    ) -> None:
        self.zone, self.now = zone, now
        self.asks_about: WallClock | None = None
        proposed = when or schedule.default(zone, now)
        initial = {"date": proposed.date, "time": proposed.time, **options.pop("initial", {})}
        super().__init__(data, initial=initial, **options)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "date" in cleaned and "time" in cleaned:
            try:
                cleaned["when"] = schedule.at(cleaned["date"], cleaned["time"], self.zone, self.now)
            except CannotSchedule as refusal:
                wrong = "date" if isinstance(refusal, TooFarAhead) else "time"
                self.add_error(wrong, schedule.refusal_words(refusal))
        return cleaned

    @property
    def picks(self) -> list[Pick]:
        return schedule.picks(self.zone, self.now)

    @property
    def in_words(self) -> str:
        """The time in the fields, said back; empty if nothing can be scheduled for it."""
        try:
            day, clock = (self.fields[name].clean(self[name].value()) for name in ("date", "time"))
            return schedule.in_words(schedule.at(day, clock, self.zone, self.now))
        except (CannotSchedule, forms.ValidationError):
            return ""

    @property
    def place(self) -> str:
        return schedule.place(self.zone)

    @property
    def asked_time(self) -> str:
        return schedule.clock_words(self.asks_about.time) if self.asks_about else ""

    @property
    def is_confirmed(self) -> bool:
        """Whether a person was asked about this very time, and sent the form again. For a cleaned form."""
        confirmed: bool = self.cleaned_data["confirmed"] == _stamp(self.cleaned_data["when"])
        return confirmed

    def ask(self) -> None:
        """Drawn again, it asks whether the time is meant; sent again with this time, it is."""
        self.asks_about = self.cleaned_data["when"]
        self._put(confirmed=_stamp(self.asks_about))

    def take_pick(self, name: str) -> None:
        """Puts the time of that button into the fields, where a person still sees and changes it."""
        for pick in self.picks:
            if pick.name == name:
                self._put(date=pick.when.date.isoformat(), time=f"{pick.when.time:%H:%M}")

    def _put(self, **values: str) -> None:
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        for name, value in values.items():
            data[name] = value
        self.data = data


def _stamp(when: WallClock) -> str:
    return f"{when.date.isoformat()}T{when.time:%H:%M}"


class ScheduledMessageForm(ScheduleForm):
    """A text that waits: its words and its time."""

    body = TextField()
    field_order = ("body", "date", "time")


class PhoneNumberField(forms.CharField):
    """A phone number in any usual writing; cleaned to E.164."""

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        try:
            return phone_numbers.parse(typed) if typed else ""
        except phone_numbers.NotAPhoneNumber as error:
            raise forms.ValidationError(str(error)) from error


class NumberForm(forms.Form):
    """What a person says of a client's number, and why."""

    choice = forms.ChoiceField(choices=[(name, name) for name in ("opt-out", "opt-in", "wrong", "right")])
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why, in a few words: it is shown in the conversation.")},
    )


class NewClientForm(forms.Form):
    """A client to be put on one's list."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=100, required=False)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=100)
    phone_number = PhoneNumberField(
        label=gettext_lazy("Phone number"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "inputmode": "tel"}),
        help_text=gettext_lazy("A mobile number, written in any usual way."),
    )
    status = forms.ModelChoiceField(
        label=gettext_lazy("Status"), queryset=ClientStatus.objects.none(), empty_label=None
    )
    id_number = forms.CharField(label=gettext_lazy("ID number"), max_length=50, required=False)
    language = forms.CharField(label=gettext_lazy("Language"), max_length=50, required=False)
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Only you see them."),
    )

    def __init__(self, data: Any = None, *, department: Department) -> None:
        super().__init__(data)
        self._department = department
        statuses = ClientStatus.objects.filter(department=department).order_by("position", "pk")
        status_field = self.fields["status"]
        assert isinstance(status_field, forms.ModelChoiceField)
        status_field.queryset = statuses
        status_field.initial = statuses.first()

    def clean_phone_number(self) -> str:
        number: str = self.cleaned_data["phone_number"]
        if number == self._department.phone_number:
            raise forms.ValidationError(_("This is your department's own number. Enter the client's."))
        return number

    @property
    def typed_name(self) -> str:
        """For a cleaned form."""
        return f"{self.cleaned_data['first_name']} {self.cleaned_data['last_name']}".strip()

    def new_client(self) -> NewClient:
        return NewClient(**self.cleaned_data)
