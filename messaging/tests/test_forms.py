"""What is typed is checked and becomes our own values; what can't be taken says why."""

import uuid

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Department
from clients.models import ClientStatus
from messaging import segments
from messaging.actions.caseload import NewClient
from messaging.forms import MessageForm, NewClientForm
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
