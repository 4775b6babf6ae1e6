"""Send later as a browser gets it, without a script: the panel, the strip, the list, changing, sending, deleting."""

import re
import uuid
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Department, User
from clients.models import CaseAssignment
from messaging.failures import HoldReason
from messaging.models import MassMessage, Message
from messaging.tests.pages import field, message_texts, source, text_box, words
from tests.builders import make_client, make_department, make_incoming, make_outgoing, make_scheduled, number_of

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture
def department(db: None) -> Department:
    return make_department(phone_number="+18015550100", opens_at=time(8), closes_at=time(21))


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return make_client(alice)


def talk_url(maria: CaseAssignment) -> str:
    return reverse("conversation", args=[maria.client_id])


def list_url(maria: CaseAssignment) -> str:
    return reverse("conversation-scheduled", args=[maria.client_id])


def change_url(message: Message) -> str:
    return reverse("scheduled-change", args=[message.client_id, message.public_id])


def press(browser: Browser, maria: CaseAssignment, later: str, **typed: str) -> Any:
    """Presses a button of the composer, with the fields filled like this."""
    form = {"body": "Court at 9", "submission_key": str(uuid.uuid4()), "later": later}
    return browser.post(talk_url(maria), form | typed, follow=later == "schedule")


def in_two_days(maria: CaseAssignment) -> str:
    zone = maria.client.department.zone
    return (timezone.now().astimezone(zone).date() + timedelta(days=2)).isoformat()


def buttons(page: object) -> list[str]:
    """What the composer's buttons say, without the one that only Enter presses."""
    composer = source(page).partition('id="composer"')[2].partition("</main>")[0]
    found = re.findall(r"<button(?![^>]*aria-hidden)[^>]*>(.*?)</button>", composer, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", label).strip() for label in found]


def test_beside_send_stands_send_later(as_alice: Browser, maria: CaseAssignment) -> None:
    assert buttons(as_alice.get(talk_url(maria))) == ["Send", "Send later"]


@pytest.mark.parametrize("body", ["", "Court at 9"])
def test_send_later_opens_with_what_was_typed_and_without_send(
    as_alice: Browser, maria: CaseAssignment, body: str
) -> None:
    page = press(as_alice, maria, "open", body=body)
    assert text_box(page) == body
    assert "Schedule message" in buttons(page)
    assert "Send" not in buttons(page)
    assert "(Denver time)" in words(page)
    assert field(page, "time") == "09:00"
    assert "needs another look" not in words(page)
    assert not Message.objects.exists()


def test_a_pick_fills_the_fields_and_keeps_the_text(as_alice: Browser, maria: CaseAssignment) -> None:
    page = press(as_alice, maria, "hour", date=in_two_days(maria), time="09:00")
    assert field(page, "date") < in_two_days(maria)
    assert text_box(page) == "Court at 9"
    assert not Message.objects.exists()


def test_cancel_closes_it_and_keeps_the_text(as_alice: Browser, maria: CaseAssignment) -> None:
    page = press(as_alice, maria, "close", date="", time="")
    assert buttons(page) == ["Send", "Send later"]
    assert text_box(page) == "Court at 9"


def test_a_scheduled_text_is_said_back_and_stands_in_the_strip_only(as_alice: Browser, maria: CaseAssignment) -> None:
    page = press(as_alice, maria, "schedule", date=in_two_days(maria), time="14:05")
    assert page.redirect_chain == [(talk_url(maria), 302)]
    assert re.search(r"Scheduled for \w+, \w+ \d+, 2:05 pm \(Denver time\)\.", source(page))
    assert re.search(r"1 message scheduled · next \w{3} 2:05 pm", words(page))
    assert message_texts(page) == []
    assert text_box(page) == ""


def test_pressing_twice_schedules_once(as_alice: Browser, maria: CaseAssignment) -> None:
    form = {"submission_key": str(uuid.uuid4()), "date": in_two_days(maria), "time": "14:05"}
    for _ in range(2):
        assert press(as_alice, maria, "schedule", **form).redirect_chain
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"body": " "}, "Write something first."),
        ({"body": "x" * 1601}, "1 characters too long"),
        ({"date": ""}, "Choose a day."),
        ({"time": ""}, "Choose a time."),
        ({"date": "2020-01-01"}, "This time has passed."),
        ({"date": "2099-01-01"}, "more than a year away"),
        ({"submission_key": "x"}, "needs another look"),
    ],
)
def test_a_refusal_keeps_everything_typed(
    as_alice: Browser, maria: CaseAssignment, typed: dict[str, str], said: str
) -> None:
    whole = {"body": "Court at 9", "date": in_two_days(maria), "time": "14:05"} | typed
    page = press(as_alice, maria, "schedule", **whole)
    assert said in words(page)
    assert (text_box(page), field(page, "date"), field(page, "time")) == (whole["body"], whole["date"], whole["time"])
    assert "Schedule message" in buttons(page)
    assert not Message.objects.exists()


def test_a_time_outside_texting_hours_is_asked_about_once(as_alice: Browser, maria: CaseAssignment) -> None:
    typed = {"date": in_two_days(maria), "time": "22:40", "submission_key": str(uuid.uuid4())}
    page = press(as_alice, maria, "schedule", **typed)
    assert "It will go out at 10:40 pm, outside" in words(page)
    assert "texting hours (8:00 am to 9:00 pm)" in words(page)
    assert not Message.objects.exists()
    again = typed | {"confirmed": field(page, "confirmed")}
    assert "It will go out at 11:00 pm" in words(press(as_alice, maria, "schedule", **again | {"time": "23:00"}))
    assert press(as_alice, maria, "schedule", **again).redirect_chain
    assert Message.objects.get().any_hour


def test_one_who_opted_out_meanwhile_is_named_and_the_text_kept(as_alice: Browser, maria: CaseAssignment) -> None:
    number = number_of(maria)
    number.opted_out_at, number.opted_out_source = timezone.now(), "keyword"
    number.save()
    page = press(as_alice, maria, "schedule", date=in_two_days(maria), time="14:05")
    assert "has opted out" in words(page)
    assert (text_box(page), field(page, "time")) == ("Court at 9", "14:05")


def test_the_list_stands_soonest_first(as_alice: Browser, maria: CaseAssignment) -> None:
    for days in (5, 2, 9):
        make_scheduled(maria, f"in {days} days", days=days)
    make_outgoing(maria, "on its way")
    make_incoming(maria, "an answer")
    make_outgoing(maria, "held", state=State.HELD, hold_reason=HoldReason.TOO_LATE)
    page = as_alice.get(list_url(maria))
    assert re.findall(r"in \d days", words(page)) == ["in 2 days", "in 5 days", "in 9 days"]
    assert source(page).count("<time") == 3
    assert re.search(r'title="\w+, \w+ \d+, \d{4}, 9:00 am \(America/Denver\)"', source(page))
    assert not {"on its way", "an answer", "held"} & set(re.findall("on its way|an answer|held", words(page)))


def test_an_empty_list_says_how_to_schedule(as_alice: Browser, maria: CaseAssignment) -> None:
    assert "Nothing is scheduled" in words(as_alice.get(list_url(maria)))


def test_the_list_is_paged_and_costs_the_same_with_many(
    as_alice: Browser, maria: CaseAssignment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_scheduled(maria)
    as_alice.get("/")  # writes down that the session is used
    queries = 6  # the session, the person, the assignment, the number, the count, the rows
    with django_assert_num_queries(queries):
        as_alice.get(list_url(maria))
    for days in range(3, 33):
        make_scheduled(maria, days=days)
    with django_assert_num_queries(queries):
        page = as_alice.get(list_url(maria))
    assert "Page 1 of 2" in words(page)
    assert source(page).count('class="waiting-item"') == 25
    assert source(as_alice.get(list_url(maria) + "?page=2")).count('class="waiting-item"') == 6


def test_a_supervisor_looks_at_the_list_and_the_look_is_logged(as_supervisor: Browser, maria: CaseAssignment) -> None:
    make_scheduled(maria)
    page = as_supervisor.get(list_url(maria))
    assert "See you on Tuesday" in words(page)
    assert "<form" not in source(page).partition("<main")[2]
    assert AuditEntry.objects.filter(action="conversation.viewed").count() == 1


def test_the_words_and_the_time_are_changed(as_alice: Browser, maria: CaseAssignment) -> None:
    message = make_scheduled(maria)
    page = as_alice.get(change_url(message))
    assert (text_box(page), field(page, "date"), field(page, "time")) == (
        "See you on Tuesday",
        in_two_days(maria),
        "09:00",
    )
    typed = {"body": "See you on Friday", "date": in_two_days(maria), "time": "10:30", "later": "schedule"}
    page = as_alice.post(change_url(message), typed, follow=True)
    assert page.redirect_chain == [(list_url(maria), 302)]
    assert "See you on Friday" in words(page)
    assert "10:30 am" in words(page)


@pytest.mark.parametrize("state", [State.SENDING, State.SENT, State.CANCELLED])
def test_a_change_that_comes_too_late_says_so_and_keeps_what_was_typed(
    as_alice: Browser, maria: CaseAssignment, state: Message.State
) -> None:
    message = make_scheduled(maria)
    Message.objects.filter(pk=message.pk).update(
        state=state, our_number="+18015550100", their_number="+13855550100", claimed_at=timezone.now()
    )
    typed = {"body": "See you on Friday", "date": in_two_days(maria), "time": "10:30", "later": "schedule"}
    page = as_alice.post(change_url(message), typed)
    assert "has gone out or was dropped meanwhile. Nothing was changed." in words(page)
    assert (text_box(page), field(page, "time")) == ("See you on Friday", "10:30")
    message.refresh_from_db()
    assert message.body == "See you on Tuesday"
    assert "Nothing was changed" in source(as_alice.get(change_url(message), follow=True))


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"body": ""}, "Write something first."), ({"date": "2020-01-01"}, "has passed"), ({"time": "22:40"}, "10:40 pm")],
)
def test_a_refused_change_keeps_everything_typed(
    as_alice: Browser, maria: CaseAssignment, typed: dict[str, str], said: str
) -> None:
    message = make_scheduled(maria)
    whole = {"body": "See you on Friday", "date": in_two_days(maria), "time": "10:30", "later": "schedule"} | typed
    page = as_alice.post(change_url(message), whole)
    assert said in words(page)
    assert (text_box(page), field(page, "date"), field(page, "time")) == (whole["body"], whole["date"], whole["time"])


def test_a_pick_in_the_change_page_changes_nothing_yet(as_alice: Browser, maria: CaseAssignment) -> None:
    message = make_scheduled(maria)
    page = as_alice.post(change_url(message), {"body": "Other", "date": "", "time": "", "later": "tomorrow"})
    assert (text_box(page), field(page, "time")) == ("Other", "09:00")
    message.refresh_from_db()
    assert message.body == "See you on Tuesday"


def settle(browser: Browser, message: Message, choice: str) -> Any:
    url = reverse("scheduled-settle", args=[message.client_id, message.public_id, choice])
    return browser.post(url, follow=True)


def test_one_is_deleted(as_alice: Browser, maria: CaseAssignment) -> None:
    page = settle(as_alice, make_scheduled(maria), "delete")
    assert "Nothing is scheduled" in words(page)
    assert Message.objects.get().state == State.CANCELLED


def test_one_is_sent_now_and_shows_in_the_talk(as_alice: Browser, maria: CaseAssignment) -> None:
    page = settle(as_alice, make_scheduled(maria), "send-now")
    assert message_texts(page) == ["See you on Tuesday"]
    assert "Sending…" in words(page)


def test_one_that_has_gone_out_is_neither_sent_nor_deleted(as_alice: Browser, maria: CaseAssignment) -> None:
    message = make_scheduled(maria, state=State.SENT)
    for choice in ("send-now", "delete"):
        assert "Nothing was changed" in source(settle(as_alice, message, choice))
    assert settle(as_alice, message, "explode").status_code == 404
    message.refresh_from_db()
    assert message.state == State.SENT


def test_a_text_of_a_mass_message_says_so_and_can_only_be_dropped(
    as_alice: Browser, maria: CaseAssignment, alice: User
) -> None:
    mass = MassMessage.objects.create(department=maria.client.department, author=alice)
    message = make_scheduled(maria, mass_message=mass)
    page = as_alice.get(list_url(maria))
    assert "Part of a mass message" in words(page)
    assert "Delete" in words(page)
    assert "Edit" not in words(page)
    assert "Send now" not in words(page)
    assert as_alice.get(change_url(message)).status_code == 302


def test_a_held_text_can_be_changed_from_the_talk(as_alice: Browser, maria: CaseAssignment) -> None:
    message = make_outgoing(maria, "Court at 9", state=State.HELD, hold_reason=HoldReason.TOO_LATE)
    url = reverse("message-settle", args=[maria.client_id, message.public_id, "change"])
    page = as_alice.post(url, follow=True)
    assert text_box(page) == "Court at 9"
    assert "(Denver time)" in words(page)


def test_the_list_of_clients_shows_how_many_are_scheduled(as_alice: Browser, maria: CaseAssignment) -> None:
    make_scheduled(maria)
    make_scheduled(maria, days=3)
    assert "2 scheduled" in words(as_alice.get("/"))
