"""Held texts: the banner, the list of all of them, and one mail to their author, once."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import OutgoingEmail, User
from clients.models import CaseAssignment
from messaging import held_texts, states
from messaging.failures import HoldReason
from messaging.models import Message
from messaging.tests.pages import source, words
from tests.builders import make_client, make_outgoing, make_scheduled
from tests.threads import at_once

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return make_client(alice)


def held(assignment: CaseAssignment, body: str = "Court at 9", reason: HoldReason = HoldReason.TOO_LATE) -> Message:
    return make_outgoing(assignment, body, state=State.HELD, hold_reason=reason)


def tell() -> int:
    return held_texts.tell_authors(now=timezone.now())


def test_the_author_gets_one_mail_for_all_of_them(maria: CaseAssignment, alice: User, bob: User) -> None:
    for assignment in (maria, maria, make_client(alice, last_name="Ng"), make_client(bob, last_name="Olsen")):
        held(assignment, "secret words")
    assert tell() == 2
    to_alice, to_bob = (OutgoingEmail.objects.get(to=person.email) for person in (alice, bob))
    assert to_alice.subject == "3 messages were not sent"
    assert to_bob.subject == "1 message was not sent"
    for body in (to_alice.text_body, to_alice.html_body):
        assert "Maria Lopez" in body
        assert "Maria Ng" in body
        assert reverse("held-texts") in body
        assert "Olsen" not in body
        assert "secret" not in body
        assert "+1" not in body


def test_nobody_is_told_twice(maria: CaseAssignment) -> None:
    held(maria)
    assert [tell(), tell()] == [1, 0]


def test_a_text_that_is_held_once_more_is_news_once_more(maria: CaseAssignment) -> None:
    message = held(maria)
    tell()
    for to, reason in ((State.WAITING, ""), (State.HELD, HoldReason.TOO_LATE)):
        before = frozenset({State.HELD, State.WAITING})
        states.move(message.pk, to=to, from_states=before, now=timezone.now(), hold_reason=reason)
    assert tell() == 1


def test_many_names_are_cut_short(alice: User) -> None:
    for number in range(22):
        held(make_client(alice, last_name=f"No{number}"))
    tell()
    mail = OutgoingEmail.objects.get()
    assert mail.subject == "22 messages were not sent"
    assert "and 2 more clients" in mail.text_body


def test_a_closed_account_gets_no_mail_and_who_has_the_client_now_does(
    maria: CaseAssignment, alice: User, bob: User
) -> None:
    held(maria)
    maria.case_manager = bob
    maria.save()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert tell() == 1
    assert OutgoingEmail.objects.get().to == bob.email


def test_the_counts_of_the_list_follow(maria: CaseAssignment) -> None:
    message = make_scheduled(maria)
    Message.objects.filter(pk=message.pk).update(state=State.HELD, hold_reason=HoldReason.TOO_LATE)
    tell()
    maria.refresh_from_db()
    assert (maria.held_count, maria.scheduled_count) == (1, 0)


def test_a_failure_between_mark_and_mail_undoes_both(maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch) -> None:
    held(maria)
    with monkeypatch.context() as broken:
        broken.setattr("accounts.mail.queue", None)
        with pytest.raises(TypeError):
            tell()
    assert tell() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_sweeps_at_once_one_tells(maria: CaseAssignment) -> None:
    held(maria)
    assert sum(at_once(tell, times=2)) == 1


def test_the_banner_counts_them_and_leads_to_the_list(as_alice: Browser, maria: CaseAssignment, bob: User) -> None:
    assert "not sent" not in words(as_alice.get("/"))
    held(maria)
    held(make_client(bob))
    page = as_alice.get("/")
    assert "1 scheduled message was not sent" in words(page)
    assert f'href="{reverse("held-texts")}"' in source(page)


def test_the_list_names_client_reason_and_what_can_be_done(
    as_alice: Browser, maria: CaseAssignment, alice: User, bob: User
) -> None:
    held(maria)
    gone: dict[str, Any] = {"opted_out_at": timezone.now(), "opted_out_source": "keyword"}
    held(make_client(alice, last_name="Ng", **gone), reason=HoldReason.OPTED_OUT)
    held(make_client(bob, last_name="Olsen"))
    page = words(as_alice.get(reverse("held-texts")))
    assert "Maria Lopez" in page
    assert "Not sent yet: it could not be sent in time" in page
    assert "this client has opted out by replying STOP" in page
    assert "Olsen" not in page
    assert (page.count("Send now"), page.count("Change"), page.count("Drop it")) == (1, 1, 2)


def test_what_is_settled_there_leads_back_there(as_alice: Browser, maria: CaseAssignment) -> None:
    message = held(maria)
    url = reverse("message-settle", args=[maria.client_id, message.public_id, "drop"])
    page = as_alice.post(url, {"from_held": "1"}, follow=True)
    assert page.redirect_chain == [(reverse("held-texts"), 302)]
    assert "Nothing waits for you" in words(page)


def test_the_list_is_paged_and_costs_the_same_with_many(
    as_alice: Browser, maria: CaseAssignment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    held(maria)
    as_alice.get("/")  # writes down that the session is used
    queries = 5  # the session, the person with the department, the count, the rows, their numbers
    with django_assert_num_queries(queries):
        as_alice.get(reverse("held-texts"))
    for _ in range(30):
        held(maria)
    with django_assert_num_queries(queries):
        page = as_alice.get(reverse("held-texts"))
    assert "Page 1 of 2" in words(page)


@pytest.mark.parametrize("page", ["0", "-1", "x", "999", "1" * 40])
def test_a_page_that_does_not_exist_is_another(as_alice: Browser, maria: CaseAssignment, page: str) -> None:
    held(maria)
    assert as_alice.get(reverse("held-texts"), {"page": page}).status_code == 200
