"""The conversation as a browser gets it, without a script: the talk, the composer, the read marks."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from time_machine import travel

from accounts.models import AuditEntry, User
from accounts.sessions import BACKGROUND_HEADER
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging.models import Attachment, Message
from messaging.tests.pages import field, has_box, message_texts, source, text_box, words
from tests import builders
from tests.threads import in_background, wait_for_locks

pytestmark = pytest.mark.django_db

State = Message.State
# The session, the person with the department, the assignment, the number, the messages, the attachments, the events;
# the page asks besides whether all sending is stopped.
QUERIES = {"talk/": 7, "": 8}


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice, address="+18015550177")


def url(assignment: CaseAssignment, part: str = "") -> str:
    return f"/conversations/{assignment.client_id}/{part}"


def send(browser: Browser, assignment: CaseAssignment, body: str, *, follow: bool = False, **fields: Any) -> Any:
    """Opens the page, writes into the box and presses Send, as without a script. fields: what else the form says."""
    page = browser.get(url(assignment))
    form = {name: field(page, name) for name in ("submission_key", "seen_up_to")} if has_box(page) else {}
    return browser.post(url(assignment), {"body": body, **form, **fields}, follow=follow)


def test_an_empty_conversation_says_how_to_begin(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    page = as_alice.get(url(client_of_alice))
    assert "No messages yet" in words(page)
    assert "Maria Lopez" in words(page)
    assert "(801) 555-0177" in words(page)


def test_a_text_without_words_says_so(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    """Its client sent it empty, or its words were erased at the carrier before they could be fetched."""
    builders.make_incoming(client_of_alice, "")
    assert "This text came without words." in as_alice.get(url(client_of_alice)).content.decode()


def test_a_text_that_is_sent_is_seen_after_a_redirect(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    page = send(as_alice, client_of_alice, "See you\r\non Tuesday", follow=True)
    assert page.redirect_chain == [(url(client_of_alice), 302)]
    assert message_texts(page) == ["See you\non Tuesday"]
    assert "Sending…" in words(page)
    assert text_box(page) == ""
    assert Message.objects.get().state == "waiting"


def test_the_page_has_its_talk_its_states_and_its_events(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, "I am here", at=builders.minutes_ago(5))
    builders.make_outgoing(client_of_alice, "Good", state=State.DELIVERED, at=builders.minutes_ago(3))
    builders.make_outgoing(client_of_alice, "Hello?", state=State.FAILED, failure_reason="not_a_mobile")
    ConversationEvent.objects.create(client=client_of_alice.client, kind="opted_out")
    page = as_alice.get(url(client_of_alice))
    assert message_texts(page) == ["I am here", "Good", "Hello?"]
    for said in ("Delivered", "Not delivered: this number can't receive texts", "Opted out: no texts can be sent"):
        assert said in words(page)


def test_a_picture_is_named(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    message = builders.make_incoming(client_of_alice, "")
    Attachment.objects.create(message=message, position=0, carrier_url="https://carrier/1", content_type="image/png")
    page = as_alice.get(url(client_of_alice))
    assert "Picture (can't be shown here yet)" in words(page)
    assert "https://carrier/1" not in source(page)


def test_names_and_texts_with_markup_are_shown_as_typed(as_alice: Browser, alice: User) -> None:
    assignment = builders.make_client(alice, first_name="<b>Maria</b>", last_name='"%s" & {{ x }}')
    builders.make_incoming(assignment, "<script>alert(1)</script> {{ x }} {% x %} https://court.example/?a=1&b=2")
    CaseAssignment.objects.update(notes="<i>notes</i>")
    page = as_alice.get(url(assignment))
    assert message_texts(page) == ["<script>alert(1)</script> {{ x }} {% x %} https://court.example/?a=1&b=2"]
    for markup in ("<b>Maria", "<script>alert", "<i>notes"):
        assert markup not in source(page)
    assert '<b>Maria</b> "%s" & {{ x }}' in words(page)
    assert 'href="https://court.example/?a=1&amp;b=2"' in source(page)


@pytest.mark.parametrize("body", ["", " \r\n ", "x" * 1601, "\N{GRINNING FACE}" * 801])
def test_a_text_that_can_not_be_taken_stays_in_the_box_with_the_reason(
    body: str, as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    page = send(as_alice, client_of_alice, body)
    assert page.status_code == 200
    assert text_box(page).strip() == body.strip()
    assert ("Write something first." in words(page)) is not bool(body.strip())
    assert ("A message can have 1,600. Nothing was sent." in words(page)) is bool(body.strip())
    assert not Message.objects.exists()


def test_a_text_with_markup_stays_in_the_box_as_typed(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    body = "</textarea><script>alert(1)</script>" + "x" * 1600
    page = send(as_alice, client_of_alice, body)
    assert text_box(page) == body
    assert "<script>alert" not in source(page)


def test_nul_in_a_text_is_refused_without_an_error(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    page = send(as_alice, client_of_alice, "a\0b")
    assert (page.status_code, Message.objects.count()) == (200, 0)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ({"opted_out_at": timezone.now(), "opted_out_source": "keyword"}, "this client has opted out by replying STOP"),
        ({"wrong_at": timezone.now()}, "this number is marked as wrong"),
    ],
)
def test_a_text_refused_at_the_last_moment_stays_in_the_box_with_the_reason(
    number: dict[str, Any], reason: str, as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    key = field(as_alice.get(url(client_of_alice)), "submission_key")
    PhoneNumber.objects.update(**number)
    page: Any = as_alice.post(url(client_of_alice), {"body": "See you", "submission_key": key})
    assert (text_box(page), field(page, "submission_key") != key) == ("See you", True)
    assert reason in words(page)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ({"opted_out_at": timezone.now(), "opted_out_source": "keyword"}, "They can text START to come back."),
        ({"wrong_at": timezone.now()}, "Ask the client for another number."),
        ({"address": "32665"}, "Texts can't be sent to this kind of number."),
        ({"is_current": False}, "This client has no phone number any more."),
    ],
)
def test_where_nothing_can_be_sent_there_is_no_box_but_the_reason(
    number: dict[str, Any], reason: str, as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    PhoneNumber.objects.update(**number)
    page = as_alice.get(url(client_of_alice))
    assert not has_box(page)
    assert reason in words(page)


def test_the_same_form_twice_sends_once(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        page = send(as_alice, client_of_alice, "See you", submission_key=key, follow=True)
    assert message_texts(page) == ["See you"]


def test_back_and_sent_with_other_words_asks_first(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    key = str(uuid.uuid4())
    send(as_alice, client_of_alice, "Tuesday", submission_key=key)
    page = send(as_alice, client_of_alice, "Wednesday", submission_key=key)
    assert "You already sent “Tuesday”. Send this too?" in words(page)
    assert text_box(page) == "Wednesday"
    assert Message.objects.count() == 1
    again = as_alice.post(
        url(client_of_alice), {"body": text_box(page), "submission_key": field(page, "submission_key")}, follow=True
    )
    assert message_texts(again) == ["Tuesday", "Wednesday"]


def test_opening_the_page_marks_nothing_read(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice)
    for part in ("", "talk/"):
        page = as_alice.get(url(client_of_alice, part))
        assert "Mark as read" in source(page)
    assert Message.objects.get().read_at is None


def test_the_button_marks_what_was_on_the_page(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, "seen", at=builders.minutes_ago(5))
    up_to = field(as_alice.get(url(client_of_alice)), "up_to")
    builders.make_incoming(client_of_alice, "arrived since")
    page: Any = as_alice.post(url(client_of_alice, "read/"), {"up_to": up_to}, follow=True)
    assert [message.body for message in Message.objects.filter(read_at__isnull=True)] == ["arrived since"]
    assert "Mark as read" in source(page)
    client_of_alice.refresh_from_db()
    assert client_of_alice.unread_count == 1


def test_a_script_that_marks_gets_no_page(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    message = builders.make_incoming(client_of_alice)
    response = as_alice.post(url(client_of_alice, "read/"), {"up_to": str(message.pk)}, headers={"HX-Request": "true"})
    assert (response.status_code, response.content) == (204, b"")
    message.refresh_from_db()
    assert message.read_at is not None


@pytest.mark.parametrize("up_to", ["", "x", "-1", "1.5", "9" * 19, "9" * 60, "\u0661", "\0"])
def test_a_mark_that_means_nothing_marks_nothing(
    up_to: str, as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    builders.make_incoming(client_of_alice)
    assert as_alice.post(url(client_of_alice, "read/"), {"up_to": up_to}).status_code == 302
    assert Message.objects.get().read_at is None


def test_answering_marks_what_was_on_the_page(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    seen = builders.make_incoming(client_of_alice)
    page = as_alice.get(url(client_of_alice))
    since = builders.make_incoming(client_of_alice)
    form = {name: field(page, name) for name in ("submission_key", "seen_up_to")}
    as_alice.post(url(client_of_alice), {"body": "Hello", **form})
    for message in (seen, since):
        message.refresh_from_db()
    assert (seen.read_at is not None, since.read_at) == (True, None)


def test_older_messages_are_fifty_at_a_time(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_talk(client_of_alice, 60)
    newest = as_alice.get(url(client_of_alice))
    assert message_texts(newest) == [f"text {number}" for number in range(10, 60)]
    edge = Message.objects.get(body="text 10")
    assert f'href="{url(client_of_alice)}?before={edge.pk}"' in source(newest)
    older = as_alice.get(url(client_of_alice), {"before": edge.pk})
    assert message_texts(older) == [f"text {number}" for number in range(10)]
    assert "?before=" not in source(older)


@pytest.mark.parametrize("before", ["", "x", "-1", "0", "9" * 18, "9" * 40, "\u0661", "\0"])
def test_any_edge_is_answered_with_the_newest(before: str, as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, "newest")
    assert message_texts(as_alice.get(url(client_of_alice), {"before": before})) == ["newest"]


def test_the_fragment_is_the_talk_of_the_page(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, "I am here")
    page, fragment = as_alice.get(url(client_of_alice)), as_alice.get(url(client_of_alice, "talk/"))
    assert message_texts(fragment) == ["I am here"]
    assert "<html" not in source(fragment)
    assert f'data-refresh-from="{url(client_of_alice, "talk/")}"' in source(page)


@pytest.mark.parametrize("part", QUERIES)
@pytest.mark.parametrize("messages", [10, 1000])
def test_page_and_fragment_take_as_many_queries_however_long_the_talk_is(
    messages: int,
    part: str,
    as_alice: Browser,
    alice: User,
    client_of_alice: CaseAssignment,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    builders.make_talk(client_of_alice, messages)
    builders.make_caseload(alice, messages)
    as_alice.get("/")  # writes down that the session is used
    with django_assert_num_queries(QUERIES[part]):
        page = as_alice.get(url(client_of_alice, part))
    assert len(message_texts(page)) == min(messages, 50)


def test_the_page_shows_what_is_known_of_the_client(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    client_of_alice.client.id_number, client_of_alice.client.language = "A-17", "Spanish"
    client_of_alice.client.save()
    CaseAssignment.objects.update(notes="likes mornings", status=ClientStatus.objects.get(name="Inactive"))
    PhoneNumber.objects.update(wrong_at=timezone.now())
    page = words(as_alice.get(url(client_of_alice)))
    for said in ("A-17", "Spanish", "likes mornings", "Inactive", "Marked as a wrong number"):
        assert said in page


def test_a_client_without_a_name_is_called_by_the_number(as_alice: Browser, alice: User) -> None:
    assignment = builders.make_client(alice, first_name="", last_name="", address="+18015550188")
    CaseAssignment.objects.update(status=None)
    assert "Message to (801) 555-0188" in words(as_alice.get(url(assignment)))


def test_a_supervisors_look_is_written_down_and_marks_nothing_read(
    as_supervisor: Browser, supervisor: User, client_of_alice: CaseAssignment
) -> None:
    builders.make_incoming(client_of_alice, "I am here")
    CaseAssignment.objects.update(notes="for Alice alone")
    page = as_supervisor.get(url(client_of_alice))
    assert message_texts(page) == ["I am here"]
    assert has_box(page)
    assert "Send later" not in source(page)
    assert "Mark as read" not in source(page)
    assert "for Alice alone" not in source(page)
    assert Message.objects.get().read_at is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("conversation.viewed", f"client:{client_of_alice.client_id}")
    assert (entry.by, entry.department, entry.details) == (supervisor, supervisor.department, {})


def test_a_supervisor_answers_by_name_and_leaves_the_texts_unread(
    as_supervisor: Browser, as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    incoming = builders.make_incoming(client_of_alice, "I am here")
    form = {"body": "So are we", "submission_key": uuid.uuid4(), "seen_up_to": incoming.pk}
    assert as_supervisor.post(url(client_of_alice), form).status_code == 302
    incoming.refresh_from_db()
    answer = Message.objects.get(body="So are we")
    assert (answer.assignment, incoming.read_at) == (client_of_alice, None)
    assert "Sue Stone" in source(as_alice.get(url(client_of_alice)))


def test_the_address_of_a_merged_client_leads_to_the_other(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    client = client_of_alice.client
    merged = Client.objects.create(department=client.department, merged_into=client)
    response = as_alice.get(f"/conversations/{merged.pk}/")
    assert (response.status_code, response["Location"]) == (302, url(client_of_alice))


def test_a_supervisors_refresh_and_a_case_managers_look_are_not_written_down(
    as_supervisor: Browser, as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    as_supervisor.get(url(client_of_alice, "talk/"), headers={BACKGROUND_HEADER: "1"})
    as_alice.get(url(client_of_alice))
    assert not AuditEntry.objects.exists()


def test_a_supervisors_own_conversation_is_like_anybodys(as_supervisor: Browser, supervisor: User) -> None:
    assert has_box(as_supervisor.get(url(builders.make_client(supervisor))))
    assert not AuditEntry.objects.exists()


def test_an_open_page_does_not_keep_its_session_alive(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    with travel(timezone.now(), tick=False) as clock:
        assert as_alice.get(url(client_of_alice)).status_code == 200
        for _ in range(12):
            clock.shift(timedelta(hours=1))
            fragment = as_alice.get(url(client_of_alice, "talk/"), headers={BACKGROUND_HEADER: "1"})
            assert fragment.status_code == 200
        clock.shift(timedelta(minutes=1))
        ended = as_alice.get(url(client_of_alice, "talk/"), headers={BACKGROUND_HEADER: "1"})
        assert ended.status_code == 302
        assert as_alice.get("/").status_code == 302


def test_a_client_deleted_while_the_page_was_open_gets_nothing_and_what_was_typed_is_kept(
    as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    key = field(as_alice.get(url(client_of_alice)), "submission_key")
    CaseAssignment.objects.update(ended_at=timezone.now(), end_reason="deleted")
    page = as_alice.post(url(client_of_alice), {"body": "See you", "submission_key": key})
    assert (text_of_read_only_box(page), Message.objects.count()) == ("See you", 0)
    assert "This client is no longer on your list. Nothing was sent." in words(page)


def text_of_read_only_box(page: object) -> str:
    found = re.search(r"<textarea[^>]*readonly>(.*?)</textarea>", source(page), re.DOTALL)
    return found[1].strip() if found else ""


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_client_deleted_in_the_very_moment_of_sending_leaves_the_text_in_the_box(
    as_alice: Browser, client_of_alice: CaseAssignment
) -> None:
    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(client_of_alice.client_id)
            form = {"body": "See you", "submission_key": str(uuid.uuid4())}
            sending = start(lambda: as_alice.post(url(client_of_alice), form))
            wait_for_locks(1)
            routing.end(client_of_alice, CaseAssignment.EndReason.TRANSFERRED, timezone.now())
        page = sending.result()
    assert "This client is no longer on your list. Nothing was sent." in words(page)
    assert (text_box(page), Message.objects.count()) == ("See you", 0)


def test_times_are_those_of_the_department(as_alice: Browser, client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, at=builders.minutes_ago(0).replace(month=3, day=3, hour=21, minute=5))
    page = as_alice.get(url(client_of_alice))
    assert "2:05 pm" in words(page)
    assert "(America/Denver)" in source(page)
