"""A number that nobody knows gets one automatic reply, ever; machines and those who want no texts get none."""

import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from time_machine import travel

from accounts import doorbell
from accounts.models import Department, User
from clients.models import CaseAssignment, ClientStatus, PhoneNumber
from messaging import delivery
from messaging.actions import claiming
from messaging.actions.caseload import NewClient, add_client
from messaging.actions.receiving import receive_text
from messaging.actions.sending import send_message
from messaging.known_numbers import SAME_PERSON
from messaging.models import Message
from messaging.tests.carriers import Carrier
from messaging.tests.pages import words
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

STRANGER = "+18015550177"
NIGHT = datetime(2026, 3, 4, 9, tzinfo=UTC)  # 2 am in Denver


@pytest.fixture
def department(db: None) -> Department:
    return builders.make_department(
        phone_number="+18015550100",
        name="Pretrial Services",
        automatic_reply="This is {department}. Who are you?",
        opens_at=time(8),
        closes_at=time(21),
    )


def text_in(department: Department, body: str = "Hello", *, at: datetime | None = None, **fields: Any) -> Message:
    """From a stranger, unless fields say otherwise. sent_at: the carrier's time of a text that comes late."""
    sent_at = fields.pop("sent_at", None)
    fields = {"from_address": STRANGER, "to_number": department.phone_number} | fields
    return receive_text(text=builders.inbound_text(None, body, **fields), now=at or timezone.now(), sent_at=sent_at)


def claimed(by: User) -> CaseAssignment:
    """The stranger on this person's list, as Maria Lopez."""
    department = by.department
    assert department is not None
    status = ClientStatus.objects.get(department=department, name="Active")
    new = NewClient("Maria", "Lopez", STRANGER, status)
    return add_client(new=new, by=by, department=department, now=timezone.now(), answer=SAME_PERSON).assignment


def replies() -> list[str]:
    return list(Message.objects.filter(direction="out").order_by("pk").values_list("body", flat=True))


def number() -> PhoneNumber:
    return PhoneNumber.objects.get(address=STRANGER)


def test_a_stranger_gets_the_departments_words(department: Department) -> None:
    now = timezone.now()
    text = text_in(department, at=now)
    reply = Message.objects.get(direction="out")
    assert reply.body == "This is Pretrial Services. Who are you?"
    assert (reply.state, reply.author, reply.any_hour, reply.due_at) == ("waiting", None, True, now)
    assert (reply.client, reply.assignment, reply.assignment.case_manager) == (text.client, text.assignment, None)
    assert number().auto_replied_at == now


def test_the_reply_stands_below_the_text_and_the_list_knows_of_it(department: Department) -> None:
    text = text_in(department)
    ordered = Message.objects.filter(client=text.client).order_by("placed_at", "pk")
    assert [message.direction for message in ordered] == ["in", "out"]
    assignment = CaseAssignment.objects.get()
    assert (assignment.snippet_is_outgoing, assignment.unread_count) == (True, 1)


def test_the_worker_is_rung_for(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(doorbell, "ring", rung.append)
    text_in(department)
    assert rung == ["messaging.deliver_due"]


def test_it_is_handed_over_at_any_hour(department: Department) -> None:
    with travel(NIGHT, tick=False):
        text_in(department)
        carrier = Carrier()
        assert delivery.deliver_due(carrier) == 1
    assert carrier.bodies == ["This is Pretrial Services. Who are you?"]


def test_it_is_the_only_one_whatever_comes_later(department: Department, alice: User) -> None:
    for body in ("Hello", "It's me", "Answer me"):
        text_in(department, body)
    maria = claimed(alice)
    text_in(department)
    maria.ended_at, maria.end_reason = timezone.now(), "left"
    maria.save()
    text_in(department)
    assert len(replies()) == 1


@pytest.mark.django_db(transaction=True)
def test_texts_and_copies_that_come_at_once_get_one(department: Department) -> None:
    texts = [builders.inbound_text(None, "Hi", from_address=STRANGER, to_number="+18015550100") for _ in range(3)] * 2
    at_once(lambda: receive_text(text=texts.pop(), now=timezone.now()), times=6)
    assert (Message.objects.filter(direction="in").count(), len(replies())) == (3, 1)


def test_each_department_answers_for_itself(department: Department) -> None:
    other = builders.make_department(automatic_reply="Who is it?")
    text_in(department)
    text_in(other)
    assert replies() == ["This is Pretrial Services. Who are you?", "Who is it?"]


@pytest.mark.parametrize("address", ["32665", "ACME", "whatsapp:+18015550177", "+18015550100", "+13035550100"])
def test_what_is_no_phone_or_is_one_of_ours_gets_none(
    department: Department, elsewhere: Department, address: str
) -> None:
    text_in(department, from_address=address)
    assert replies() == []


@pytest.mark.parametrize("body", ["STOP", " stop ", "Unsubscribe", "START", "unstop", "yes", "HELP", "info\n"])
def test_a_word_for_the_carrier_gets_none(department: Department, body: str) -> None:
    text_in(department, body)
    assert replies() == []


@pytest.mark.parametrize("opt_out_type", ["STOP", "START", "HELP"])
def test_what_the_carrier_has_answered_gets_none(department: Department, opt_out_type: str) -> None:
    text_in(department, "baja", opt_out_type=opt_out_type)
    assert replies() == []


@pytest.mark.parametrize(
    "body",
    [
        "Win a car today. Reply STOP to opt out",
        "Txt STOP 2 end",
        "This is an automated message. Please do not reply.",
        "Auto-reply: I am driving",
        "123456 is your verification code",
        "NETWORK MSG: you are unsubscribed",
        "This inbox is not monitored",
    ],
)
def test_another_machine_gets_none(department: Department, body: str) -> None:
    text_in(department, body)
    assert replies() == []


@pytest.mark.parametrize("body", ["Hi, when is my court date?", "Stop by at 5?", "I auto parked", "", "help me please"])
def test_a_person_gets_one_whatever_the_words(department: Department, body: str) -> None:
    text_in(department, body)
    assert len(replies()) == 1


def test_a_text_after_a_word_for_the_carrier_gets_it(department: Department) -> None:
    text_in(department, "HELP")
    text_in(department, "Is this the court?")
    assert len(replies()) == 1


def test_two_installations_that_answer_each_other_stop_at_once(department: Department) -> None:
    text_in(department, "Thank you for texting us. Who is this?")
    for _ in range(5):
        text_in(department, "We have not understood you.")
    assert len(replies()) == 1


def test_who_has_opted_out_gets_none(department: Department) -> None:
    text_in(department, "STOP")
    text_in(department, "Who are you anyway")
    assert replies() == []
    text_in(department, "START")
    text_in(department, "Hello")
    assert len(replies()) == 1


@pytest.mark.parametrize("mark", ["dismissed_at", "wrong_at"])
def test_a_number_that_was_set_aside_gets_none(department: Department, mark: str) -> None:
    client = builders.make_client(None, department=department, first_name="", last_name="", address=STRANGER)
    PhoneNumber.objects.filter(client=client.client_id).update(**{mark: timezone.now()})
    text_in(department)
    assert replies() == []


def test_a_client_gets_none_also_after_the_case_manager_left(department: Department, alice: User) -> None:
    maria = builders.make_client(alice)
    receive_text(text=builders.inbound_text(maria), now=timezone.now())
    alice.is_active = False
    alice.save()
    receive_text(text=builders.inbound_text(maria), now=timezone.now())
    assert CaseAssignment.objects.filter(case_manager=None).exists()
    assert replies() == []


def test_a_dismissed_number_that_comes_back_gets_none(department: Department, supervisor: User) -> None:
    text = text_in(department, "HELP")  # gets none, so that the number has its turn yet
    claiming.dismiss(client_id=text.client_id, by=supervisor, now=timezone.now())
    back = text_in(department, "Buy this")
    assert (back.assignment, replies()) == (text.assignment, [])


def test_who_was_answered_by_a_person_gets_none(department: Department, alice: User) -> None:
    text = text_in(department, "HELP")
    send_message(
        client_id=text.client_id, body="Who is this?", by=alice, submission_key=uuid.uuid4(), now=timezone.now()
    )
    text_in(department, "Maria")
    assert replies() == ["Who is this?"]


def test_a_dismissal_that_was_undone_leaves_the_number_its_turn(department: Department, supervisor: User) -> None:
    text = text_in(department, "HELP")
    claiming.dismiss(client_id=text.client_id, by=supervisor, now=timezone.now())
    claiming.take_back_dismissal(client_id=text.client_id, by=supervisor, now=timezone.now())
    text_in(department, "Is this the court?")
    assert len(replies()) == 1


def test_a_reply_that_waits_when_the_number_is_dismissed_never_goes_out(
    department: Department, supervisor: User
) -> None:
    text = text_in(department)
    claiming.dismiss(client_id=text.client_id, by=supervisor, now=timezone.now())
    assert delivery.deliver_due(Carrier()) == 0
    assert Message.objects.get(direction="out").state == "cancelled"


@pytest.mark.parametrize(("late", "count"), [(timedelta(minutes=15), 1), (timedelta(minutes=15, seconds=1), 0)])
def test_a_text_that_was_found_late_gets_none(department: Department, late: timedelta, count: int) -> None:
    now = timezone.now()
    text_in(department, at=now, sent_at=now - late)
    assert len(replies()) == count


def test_a_text_in_time_after_a_late_one_gets_it(department: Department) -> None:
    now = timezone.now()
    text_in(department, at=now, sent_at=now - timedelta(hours=1))
    text_in(department, at=now)
    assert len(replies()) == 1


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_without_words_there_is_none_and_the_number_keeps_its_turn(department: Department, nothing: str) -> None:
    Department.objects.update(automatic_reply=nothing)
    text_in(department)
    assert (replies(), number().auto_replied_at) == ([], None)
    Department.objects.update(automatic_reply="Who is it?")
    text_in(department)
    assert replies() == ["Who is it?"]


def test_who_opts_out_before_it_is_handed_over_gets_none(department: Department) -> None:
    text_in(department)
    text_in(department, "STOP")
    assert delivery.deliver_due(Carrier()) == 0
    assert Message.objects.get(direction="out").state == "held"


def test_the_conversation_names_it(
    department: Department, as_supervisor: Browser, as_alice: Browser, alice: User
) -> None:
    client = text_in(department).client
    assert "Automatic reply: This is Pretrial Services." in words(as_supervisor.get(f"/conversations/{client.pk}/"))
    status = ClientStatus.objects.filter(department=department).first()
    assert status is not None
    add_client(
        new=NewClient("Maria", "Lopez", STRANGER, status),
        by=alice,
        department=department,
        now=timezone.now(),
        answer=SAME_PERSON,
    )
    assert "Automatic reply: This is Pretrial Services." in words(as_alice.get(f"/conversations/{client.pk}/"))


def test_a_reply_that_was_held_can_be_dropped_by_anybody_and_then_by_whoever_claims_the_client(
    department: Department, as_alice: Browser, alice: User, as_bob: Browser, as_supervisor: Browser
) -> None:
    client = text_in(department).client
    Message.objects.filter(direction="out").update(state="held", hold_reason="too_late")
    page = f"/conversations/{client.pk}/"
    for browser in (as_bob, as_supervisor):
        assert "Drop it" in words(browser.get(page))
    claimed(alice)
    assert "Drop it" not in words(as_supervisor.get(page))
    assert "Drop it" in words(as_alice.get(page))
    public_id = Message.objects.get(direction="out").public_id
    as_alice.post(f"{page}messages/{public_id}/drop/")
    assert Message.objects.get(direction="out").state == "cancelled"


def test_the_reply_hides_no_text_that_asks_for_a_look(department: Department, alice: User, as_alice: Browser) -> None:
    client = text_in(department, "You have the wrong number").client
    assert len(replies()) == 1
    claimed(alice)
    assert "may mean that this is the wrong number" in words(as_alice.get(f"/conversations/{client.pk}/"))
