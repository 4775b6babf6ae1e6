"""What is typed is checked and becomes our own values; what can't be taken says why."""

import uuid
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Department
from clients.models import ClientStatus
from messaging import segments
from messaging.actions.caseload import NewClient
from messaging.forms import MessageForm, NewClientForm, ScheduleForm
from messaging.schedule import WallClock
from tests import builders

EMOJI = "\N{GRINNING FACE}"


def message_form(body: str, **fields: str) -> MessageForm:
    data = QueryDict(mutable=True)
    data.update({"body": body, "submission_key": str(uuid.uuid4())} | fields)
    return MessageForm(data)


def new_client_form(department: Department, **fields: str) -> NewClientForm:
    status = ClientStatus.objects.get(department=department, name="Active")
    usual = {"last_name": "Lopez", "phone_number": "(801) 555-0177", "status": str(status.pk)}
    return NewClientForm(usual | fields, department=department)


@pytest.mark.parametrize(
    ("typed", "clean"),
    [("Hello", "Hello"), ("a\r\nb\r\n", "a\nb"), ("  a ", "  a"), ("x" * 1600, "x" * 1600), (EMOJI * 800, EMOJI * 800)],
)
def test_a_message_is_cleaned_to_what_will_be_sent(typed: str, clean: str) -> None:
    form = message_form(typed)
    assert form.is_valid()
    assert form.cleaned_data["body"] == clean


@pytest.mark.parametrize("typed", ["", " ", "\r\n\t "])
def test_a_message_without_words_is_refused(typed: str) -> None:
    assert message_form(typed).errors == {"body": ["Write something first."]}


@pytest.mark.parametrize(("typed", "too_many"), [("x" * 1601, 1), (EMOJI * 801, 2), ("\n" + "x" * 1650, 51)])
def test_a_message_that_is_too_long_says_by_how_much(typed: str, too_many: int) -> None:
    (said,) = message_form(typed).errors["body"]
    assert str(said).startswith(f"This is {too_many} characters too long. A message can have 1,600.")


def test_a_message_with_nul_is_refused() -> None:
    assert "body" in message_form("a\0b").errors


@given(st.text(max_size=40).map(lambda text: text * 60))
def test_what_the_form_takes_can_always_be_sent(typed: str) -> None:
    form = message_form(typed)
    if form.is_valid():
        body = form.cleaned_data["body"]
        assert body.strip()
        assert "\r\n" not in body
        assert 1 <= segments.length(body) <= 1600


@pytest.mark.parametrize("key", ["", "1", "not-a-key", "0" * 31])
def test_a_form_without_a_proper_key_is_refused(key: str) -> None:
    assert "submission_key" in message_form("Hello", submission_key=key).errors


@pytest.mark.parametrize(
    ("seen_up_to", "valid"),
    [("", True), ("1", True), (str(2**63 - 1), True), ("0", False), ("-1", False), (str(2**63), False), ("x", False)],
)
def test_the_mark_of_what_was_seen_is_a_row_number(seen_up_to: str, valid: bool) -> None:
    assert message_form("Hello", seen_up_to=seen_up_to).is_valid() is valid


def test_each_empty_form_has_a_key_of_its_own() -> None:
    first, second = (MessageForm.empty(seen_up_to=7) for _ in range(2))
    assert first.initial["submission_key"] != second.initial["submission_key"]
    assert first.initial["seen_up_to"] == 7


def test_a_fresh_key_keeps_the_words() -> None:
    form = message_form("Hello")
    key = form["submission_key"].value()
    form.with_fresh_key()
    assert form["submission_key"].value() not in (key, "")
    assert form["body"].value() == "Hello"


@pytest.mark.django_db
def test_a_new_client_is_cleaned_to_our_values(department: Department) -> None:
    form = new_client_form(department, first_name=" Maria ", notes="one\r\ntwo", id_number=" A-17 ", language="Spanish")
    assert form.is_valid()
    assert form.new_client() == NewClient(
        first_name="Maria",
        last_name="Lopez",
        phone_number="+18015550177",
        status=ClientStatus.objects.get(department=department, name="Active"),
        notes="one\r\ntwo",
        id_number="A-17",
        language="Spanish",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("last_name", " ", "required"),
        ("last_name", "x" * 101, "at most 100"),
        ("last_name", "\0", "Null characters"),
        ("phone_number", "", "required"),
        ("phone_number", "555-0142", "only 7 digits"),
        ("phone_number", "9" * 41, "at most 40"),
        ("phone_number", "\0", "Null characters"),
        ("status", "", "required"),
        ("status", "0", "valid choice"),
        ("status", "x", "valid choice"),
        ("status", "9" * 30, "valid choice"),
        ("first_name", "x" * 101, "at most 100"),
        ("id_number", "x" * 51, "at most 50"),
        ("notes", "x" * 10_001, "at most 10000"),
    ],
)
def test_what_can_not_be_taken_of_a_new_client_says_why(
    field: str, typed: str, said: str, department: Department
) -> None:
    form = new_client_form(department, **{field: typed})
    assert list(form.errors) == [field]
    assert said in form.errors[field][0]


@pytest.mark.django_db
def test_the_statuses_are_the_departments_own_and_the_first_is_preselected(
    department: Department, elsewhere: Department
) -> None:
    foreign = ClientStatus.objects.get(department=elsewhere, name="Active")
    assert "status" in new_client_form(department, status=str(foreign.pk)).errors
    first = ClientStatus.objects.create(department=builders.make_department(), name="Only")
    ClientStatus.objects.filter(department=first.department).exclude(pk=first.pk).update(position=5)
    form = NewClientForm(department=first.department)
    assert form.fields["status"].initial == first


DENVER = ZoneInfo("America/Denver")
MONDAY = datetime(2026, 3, 2, 17, 15, tzinfo=UTC)  # 10:15 am in Denver


def schedule_form(day: str, clock: str) -> ScheduleForm:
    return ScheduleForm(QueryDict(f"date={day}&time={clock}"), zone=DENVER, now=MONDAY)


@pytest.mark.parametrize("clock", ["14:05", "14:05:30", "2:05 pm", "2:05PM", "02:05 PM"])
@pytest.mark.parametrize("day", ["2026-03-31", "3/31/2026", "03/31/26"])
def test_a_day_and_a_time_become_a_time_on_the_wall(day: str, clock: str) -> None:
    form = schedule_form(day, clock)
    assert form.is_valid()
    assert form.cleaned_data["when"] == WallClock(date(2026, 3, 31), time(14, 5), DENVER)


@pytest.mark.parametrize(
    ("day", "clock", "errors"),
    [
        ("", "", {"date": ["Choose a day."], "time": ["Choose a time."]}),
        ("2026-02-29", "9:00", {"date": ["Write the day like 3/31/2026."]}),
        ("2026-03-03", "25:00", {"time": ["Write the time like 9:30 am."]}),
        ("2026-03-02", "10:15", {"time": ["This time has passed. Choose a later one."]}),
        ("2027-03-03", "9:00", {"date": ["This is more than a year away. Choose an earlier time."]}),
        ("9999-12-31", "23:59", {"date": ["This is more than a year away. Choose an earlier time."]}),
    ],
)
def test_a_time_that_cannot_be_scheduled_says_why(day: str, clock: str, errors: dict[str, list[str]]) -> None:
    form = schedule_form(day, clock)
    assert form.errors == errors
    assert form.in_words == ""


def test_the_time_in_the_fields_is_said_back() -> None:
    assert schedule_form("2026-03-03", "9:00").in_words == "Tuesday, March 3, 9:00 am (Denver time)"
    assert ScheduleForm(zone=DENVER, now=MONDAY).in_words == "Tuesday, March 3, 9:00 am (Denver time)"


def test_a_pick_fills_the_fields_and_an_unknown_one_changes_nothing() -> None:
    form = schedule_form("2026-03-20", "9:00")
    form.take_pick("hour")
    assert (form["date"].value(), form["time"].value()) == ("2026-03-02", "11:15")
    form.take_pick("never")
    assert form.in_words == "Monday, March 2, 11:15 am (Denver time)"
