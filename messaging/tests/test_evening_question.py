"""The composer's question outside texting hours, as a browser gets it without a script."""

import html
import re
import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from time_machine import travel

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import wording
from messaging.models import Message
from messaging.tests.pages import field, has_box, message_texts, source, text_box, words
from tests import builders

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 3, 4, 5, 40, tzinfo=UTC)  # Tuesday, March 3, 10:40 pm in Denver
EIGHT_AM = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture
def department(db: None) -> Department:
    return builders.make_department(phone_number="+18015550100", opens_at=time(8), closes_at=time(21))


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def post(browser: Browser, maria: CaseAssignment, at: datetime = EVENING, **fields: Any) -> Any:
    with travel(at, tick=False):
        form = {"body": "See you\non Tuesday", "submission_key": uuid.uuid4()} | fields
        return browser.post(f"/conversations/{maria.client_id}/", form, follow=True)


def buttons(page: Any) -> dict[str, str]:
    """The question's buttons: what each says, and what it sends."""
    found = re.findall(r'<button[^>]*name="answer" value="([^"]*)"[^>]*>([^<]*)<', source(page))
    return {html.unescape(label): html.unescape(value) for value, label in found}


def answer(browser: Browser, page: Any, maria: CaseAssignment, label: str, **fields: Any) -> Any:
    """Presses that button on the page that asked."""
    key, value = field(page, "submission_key"), buttons(page)[label]
    form: dict[str, Any] = {"body": text_box(page), "submission_key": key, "answer": value}
    return post(browser, maria, **form, **fields)


def test_the_page_asks_and_keeps_the_text(as_alice: Browser, maria: CaseAssignment) -> None:
    page = post(as_alice, maria)
    assert "It is 10:40 pm: send now or at 8:00 am?" in words(page)
    assert list(buttons(page)) == ["Send now", "Send at 8:00 am"]
    assert text_box(page) == "See you\non Tuesday"
    assert "data-form-errors" not in source(page)
    assert not Message.objects.exists()


def test_the_question_has_the_focus_and_there_is_no_third_button(as_alice: Browser, maria: CaseAssignment) -> None:
    page = source(post(as_alice, maria))
    (question,) = re.findall(r"<div[^>]*data-composer-question[^>]*>", page)
    assert "autofocus" in question
    assert 'tabindex="-1"' in question
    assert page.count("data-composer-send") == 2


def test_send_now_sends(as_alice: Browser, maria: CaseAssignment) -> None:
    page = answer(as_alice, post(as_alice, maria), maria, "Send now")
    assert (message_texts(page), text_box(page)) == (["See you\non Tuesday"], "")
    assert Message.objects.get().any_hour
    assert not buttons(post(as_alice, maria, body="And bring your papers"))


def test_at_eight_schedules_it_and_the_page_says_so(as_alice: Browser, maria: CaseAssignment) -> None:
    page = answer(as_alice, post(as_alice, maria), maria, "Send at 8:00 am")
    assert Message.objects.get().due_at == EIGHT_AM
    assert text_box(page) == ""
    assert "Scheduled for Wednesday, March 4, 8:00 am (Denver time)." in source(page)
    assert "1 message scheduled" in words(page)


def test_what_was_changed_before_answering_is_what_goes(as_alice: Browser, maria: CaseAssignment) -> None:
    page = post(as_alice, maria)
    changed: dict[str, Any] = {"body": "Other words", "submission_key": field(page, "submission_key"), "answer": "now"}
    post(as_alice, maria, **changed)
    assert Message.objects.get().body == "Other words"


def test_a_second_answer_to_the_same_page_is_named_and_sends_nothing(as_alice: Browser, maria: CaseAssignment) -> None:
    question = post(as_alice, maria)
    answer(as_alice, question, maria, "Send at 8:00 am")
    page = answer(as_alice, question, maria, "Send now")
    assert "is scheduled for Wed, Mar 4, 8:00 am already. Send this too?" in words(page)
    assert text_box(page) == "See you\non Tuesday"
    assert field(page, "submission_key") != field(question, "submission_key")
    answer(as_alice, question, maria, "Send at 8:00 am")  # the same again
    assert Message.objects.count() == 1


def test_an_answer_that_comes_in_the_morning_sends_nothing(as_alice: Browser, maria: CaseAssignment) -> None:
    question = post(as_alice, maria)
    page = answer(as_alice, question, maria, "Send at 8:00 am", at=EIGHT_AM + timedelta(minutes=5))
    assert "That hour has come, and nothing was sent. Send it now?" in words(page)
    assert text_box(page) == "See you\non Tuesday"
    assert not Message.objects.exists()


@pytest.mark.parametrize("value", ["", "tomorrow", "2026-13-45T99:00Z", "2026-03-04T15:00", "x" * 5000])
def test_what_no_button_sends_is_no_answer(as_alice: Browser, maria: CaseAssignment, value: str) -> None:
    assert buttons(post(as_alice, maria, answer=value))
    assert not Message.objects.exists()


def test_nobody_else_can_answer(
    maria: CaseAssignment, as_bob: Browser, as_charlie: Browser, anonymous: Browser
) -> None:
    for browser in (as_bob, as_charlie):
        assert post(browser, maria, answer="now").status_code == 404
    assert not has_box(post(anonymous, maria, answer="now"))
    assert not Message.objects.exists()


@pytest.mark.parametrize(("minute", "is_warned"), [(EVENING, True), (EIGHT_AM, False)])
def test_buttons_that_send_say_that_it_is_late(
    as_alice: Browser, maria: CaseAssignment, minute: datetime, is_warned: bool
) -> None:
    builders.make_outgoing(maria, state=Message.State.HELD, hold_reason="too_late", at=minute)
    with travel(minute, tick=False):
        page = as_alice.get(f"/conversations/{maria.client_id}/")
    assert ("It is outside texting hours. What you send goes out at once." in words(page)) == is_warned


@pytest.mark.parametrize(
    ("opens_at", "now", "text"),
    [
        (8, EVENING, "It is 10:40 pm: send now or at 8:00 am?"),
        (8, EVENING + timedelta(hours=2), "It is 12:40 am: send now or at 8:00 am?"),
        (18, EVENING, "It is 10:40 pm: send now or at 6:00 pm on Wednesday?"),
    ],
)
def test_the_day_is_named_only_if_the_time_is_far_away(opens_at: int, now: datetime, text: str) -> None:
    office = Department(time_zone="America/Denver")
    opening = datetime(2026, 3, 4, opens_at, tzinfo=office.zone)
    assert wording.evening_question(opening, now, office).text == text
