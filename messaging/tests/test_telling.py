"""A supervisor writes in a colleague's conversation: the bubble says so, the log says so, the case manager is told."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from time_machine import travel

from accounts.models import AuditEntry, OutgoingEmail, User
from clients.models import CaseAssignment
from messaging.actions import settling
from messaging.actions.sending import send_message
from messaging.models import Message
from messaging.tests.pages import words
from tests import builders

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def send(maria: CaseAssignment, by: User, *, now: datetime | None = None, body: str = "a secret word") -> Message:
    return send_message(
        client_id=maria.client_id, body=body, by=by, submission_key=uuid.uuid4(), now=now or timezone.now()
    )


def answers() -> list[int | None]:
    found = AuditEntry.objects.filter(action="conversation.answered").order_by("pk")
    return [entry.details["case_manager"] for entry in found]


def test_the_case_manager_is_told_who_wrote_and_not_what(maria: CaseAssignment, alice: User, supervisor: User) -> None:
    send(maria, supervisor)
    mail = OutgoingEmail.objects.get()
    assert (mail.to, mail.subject) == (alice.email, "Sue Stone wrote to Maria Lopez")
    assert f"/conversations/{maria.client_id}/" in mail.text_body
    assert "secret" not in mail.subject + mail.text_body + mail.html_body
    assert answers() == [alice.pk]


def test_one_mail_in_ten_minutes_and_each_answer_in_the_log(maria: CaseAssignment, supervisor: User) -> None:
    now = timezone.now()
    for minutes in (0, 5, 9.9):
        send(maria, supervisor, now=now + timedelta(minutes=minutes))
    assert (OutgoingEmail.objects.count(), len(answers())) == (1, 3)
    send(maria, supervisor, now=now + timedelta(minutes=21))
    assert OutgoingEmail.objects.count() == 2


def test_each_conversation_is_told_of_for_itself(alice: User, supervisor: User) -> None:
    for _ in range(2):
        send(builders.make_client(alice), supervisor)
    assert OutgoingEmail.objects.count() == 2


def test_who_has_the_client_since_is_told_too(maria: CaseAssignment, bob: User, supervisor: User) -> None:
    send(maria, supervisor)
    CaseAssignment.objects.filter(pk=maria.pk).update(case_manager=bob)
    send(maria, supervisor)
    assert set(OutgoingEmail.objects.values_list("to", flat=True)) >= {bob.email}


def test_a_closed_account_gets_no_mail(maria: CaseAssignment, alice: User, supervisor: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    send(maria, supervisor)
    assert (OutgoingEmail.objects.count(), answers()) == (0, [alice.pk])


def test_nobody_is_told_of_ones_own_answer_or_of_one_to_an_unclaimed_client(
    maria: CaseAssignment, alice: User, supervisor: User, bob: User
) -> None:
    send(maria, alice)
    send(builders.make_client(supervisor), supervisor)
    unclaimed = builders.make_client(None, department=alice.department)
    for person in (bob, supervisor):
        send(unclaimed, person)
    assert (OutgoingEmail.objects.count(), answers()) == (0, [])


def test_trying_a_text_again_is_an_answer_too(maria: CaseAssignment, alice: User, supervisor: User) -> None:
    text = send(maria, supervisor)
    Message.objects.filter(pk=text.pk).update(
        state=State.FAILED, failure_reason="congestion", our_number="+18015550100", their_number="+18015550177"
    )
    text.refresh_from_db()
    settling.try_again(message=text, by=supervisor, now=timezone.now())
    assert answers() == [alice.pk, alice.pk]


def test_the_same_form_twice_is_told_of_once(maria: CaseAssignment, supervisor: User) -> None:
    key = uuid.uuid4()
    for _ in range(2):
        send_message(client_id=maria.client_id, body="Hi", by=supervisor, submission_key=key, now=timezone.now())
    assert (OutgoingEmail.objects.count(), len(answers())) == (1, 1)


def test_the_page_says_in_whose_conversation_one_writes(
    maria: CaseAssignment, as_supervisor: Browser, as_alice: Browser
) -> None:
    path = f"/conversations/{maria.client_id}/"
    said = "You write in Alice Adams’s conversation. Alice Adams will be told."  # noqa: RUF001
    assert said in words(as_supervisor.get(path))
    assert "You write in" not in words(as_alice.get(path))


def test_the_bubble_names_the_supervisor_and_what_was_unread_stays_so(
    maria: CaseAssignment, as_supervisor: Browser, as_alice: Browser
) -> None:
    text = builders.make_incoming(maria, "Are you there?")
    path = f"/conversations/{maria.client_id}/"
    form = {"body": "I am", "submission_key": str(uuid.uuid4()), "seen_up_to": str(text.pk)}
    assert as_supervisor.post(path, form).status_code == 302
    maria.refresh_from_db()
    assert maria.unread_count == 1
    assert "Sue Stone: I am" in words(as_alice.get(path))
    assert "You: I am" in words(as_supervisor.get(path))


def test_at_night_the_supervisor_is_asked_like_anybody(maria: CaseAssignment, as_supervisor: Browser) -> None:
    office = maria.client.department
    office.opens_at, office.closes_at = datetime(2026, 1, 1, 8).time(), datetime(2026, 1, 1, 21).time()  # noqa: DTZ001
    office.save()
    with travel("2026-03-04T09:00:00Z", tick=False):
        page = as_supervisor.post(
            f"/conversations/{maria.client_id}/", {"body": "Hi", "submission_key": str(uuid.uuid4())}
        )
    assert page.status_code == 200
    assert not OutgoingEmail.objects.exists()
