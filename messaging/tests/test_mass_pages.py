"""The pages of mass messages, as a browser without a script gets them."""

import re
import uuid
from datetime import time
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Department, User
from clients.models import CaseAssignment, ClientStatus
from messaging import mass_filling, states
from messaging.models import MassMessage, MassMessageRecipient, Message
from messaging.tests.mass import chosen, make_draft, make_mass, texts_of
from messaging.tests.pages import field, source, text_box, words
from tests import builders

pytestmark = pytest.mark.django_db

NEW = "/mass-messages/new/"


def press(browser: Browser, shown: object, button: str = "continue", **typed: Any) -> HttpResponse:
    """Presses a button of the page as a browser would: all that stands on it is sent along. `clients` adds ticks."""
    html = source(shown)
    form = html[html.index("data-mass-form") - 400 :]
    action = re.search(r'<form class="mass-form" method="post" action="([^"]*)"', html)
    assert action
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
    sent: dict[str, Any] = {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}
    sent["clients"] = re.findall(r'name="clients" type="checkbox" value="(\d+)" checked', form)
    if 'name="select_all" type="checkbox" value="1" checked' in form:
        sent["select_all"] = "1"
    sent |= {"body": text_box(shown), "search": field(shown, "search"), "sort": "contact", "status": "", "do": button}
    sent |= typed
    response = browser.post(
        action[1].replace("&amp;", "&"), {k: v for k, v in sent.items() if v is not None}, follow=True
    )
    assert isinstance(response, HttpResponse)
    return response


def ticked(page: object) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="clients" type="checkbox" value="(\d+)" checked', source(page))]


def ids(*assignments: CaseAssignment) -> list[int]:
    return [it.client_id for it in assignments]


def test_from_my_clients_to_the_record(as_alice: Browser, alice: User) -> None:
    maria, nameless = builders.make_client(alice), builders.make_client(alice, first_name="", last_name="Begay")
    out = builders.make_client(alice, last_name="Out", opted_out_at=timezone.now(), opted_out_source="keyword")
    assert f'href="{NEW}"' in source(as_alice.get("/"))
    page: Any = as_alice.get(NEW)
    assert "0 of 3 chosen" in words(page)
    assert "be chosen: opted out" in words(page)
    check = press(as_alice, page, body="Hi {first name}, call me", select_all="1")
    left_out = "Maria Out: opted out"
    for said in ("People 2", "Texts 2", "Hi Maria, call me", "Hi, call me", left_out, "Send 2 text messages"):
        assert said in words(check)
    draft = MassMessage.objects.get()
    record = as_alice.post(f"/mass-messages/{draft.pk}/check/", {"revision": field(check, "revision")}, follow=True)
    assert "Going out to 2 people" in words(record)
    assert "Undo" in words(record)
    mass_filling.fill(now=timezone.now())
    assert [it.client_id for it in texts_of(draft)] == ids(maria, nameless)
    assert "Left out: opted out" in words(as_alice.get(f"/mass-messages/{draft.pk}/"))
    assert out.client_id not in {it.client_id for it in texts_of(draft)}


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"body": " ", "clients": True}, "Write a text first."),
        ({"body": "Hello"}, "Choose at least one client who can be texted."),
        ({"body": "Hi {nick}", "clients": True}, "“{nick}” can't be filled in."),
        ({"body": "x" * 1601, "clients": True}, "1 character too long"),
        (
            {"body": "x", "clients": True, "later": "1", "date": "2020-01-01", "time": "09:00"},
            "This time has passed. Choose a later one.",
        ),
        ({"body": "x", "clients": True, "later": "1", "date": "", "time": "09:00"}, "Choose a day."),
    ],
)
def test_bad_input_is_named_and_everything_is_kept(
    typed: dict[str, Any], problem: str, as_alice: Browser, alice: User
) -> None:
    maria = builders.make_client(alice)
    clients = ids(maria) if typed.pop("clients", False) else []
    page = press(as_alice, as_alice.get(NEW), clients=clients, **typed)
    assert problem in words(page)
    assert text_box(page) == typed["body"]
    assert ticked(page) == clients
    assert not Message.objects.exists()


def test_a_client_of_somebody_else_is_refused_with_a_sentence(as_alice: Browser, alice: User, bob: User) -> None:
    maria, foreign = builders.make_client(alice), builders.make_client(bob)
    page = press(as_alice, as_alice.get(NEW), body="Hello", clients=[*ids(maria, foreign), "x"])
    assert "2 of those chosen are not on your list" in words(page)
    assert (text_box(page), ticked(page)) == ("Hello", ids(maria))


def test_fifty_thousand_ids_in_one_form_are_taken(as_alice: Browser, alice: User) -> None:
    maria = builders.make_client(alice)
    many = "&".join(["body=Hi", f"clients={maria.client_id}", *(f"clients={10**9 + n}" for n in range(49_999))])
    page = as_alice.post(NEW, many, content_type="application/x-www-form-urlencoded")
    assert "49999 of those chosen are not on your list" in words(page)
    assert ticked(page) == ids(maria)


def test_a_form_from_elsewhere_is_refused(alice: User) -> None:
    careful = Browser(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert careful.post(NEW, {"body": "x"}, content_type="application/x-www-form-urlencoded").status_code == 403
    page = careful.get(NEW)
    sent = f"body=x&csrfmiddlewaretoken={field(page, 'csrfmiddlewaretoken')}"
    assert careful.post(NEW, sent, content_type="application/x-www-form-urlencoded").status_code == 302


def test_ticks_and_text_survive_search_sorting_and_paging(as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 60)
    maria = builders.make_client(alice)
    page: Any = as_alice.get(NEW)
    first = int(re.findall(r'name="clients" type="checkbox" value="(\d+)"', source(page))[3])
    page = press(as_alice, page, "list", body="Hello {first name}", clients=[first], search="lopez")
    assert (text_box(page), "1 of 61 chosen" in words(page), ticked(page)) == ("Hello {first name}", True, [])
    page = press(as_alice, page, "list", clients=ids(maria), search="", sort="name")
    assert "2 of 61 chosen" in words(page)
    page = press(as_alice, page, "", page="2", sort="name", do=None)
    assert "Page 2 of 2" in words(page)
    draft = MassMessage.objects.get()
    assert chosen(draft) == {first, maria.client_id}
    page = press(as_alice, page, "list", search="lopez")
    assert ticked(page) == ids(maria)
    page = press(as_alice, page, "list", clients=[])
    assert chosen(draft) == {first}


def test_select_all_takes_all_pages_and_unticking_one_clears_only_that_one(as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 60)
    page = press(as_alice, as_alice.get(NEW), "list", select_all="1")
    assert "60 of 60 chosen" in words(page)
    assert 'name="select_all" type="checkbox" value="1" checked' in source(page)
    page = press(as_alice, page, "list", clients=ticked(page)[1:])
    assert "59 of 60 chosen" in words(page)
    assert 'name="select_all" type="checkbox" value="1" checked' not in source(page)
    page = press(as_alice, page, "list", select_all="1")
    page = press(as_alice, page, "list", select_all=None)
    assert "0 of 60 chosen" in words(page)


def test_the_first_button_pressed_twice_makes_one_draft(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)
    page: Any = as_alice.get(NEW)
    for _time in range(2):
        press(as_alice, page, "save", body="Hello")
    assert MassMessage.objects.count() == 1


def test_looking_at_the_empty_page_makes_nothing(as_alice: Browser) -> None:
    as_alice.get(NEW)
    assert not MassMessage.objects.exists()


def test_an_address_ticks_whom_it_names(as_alice: Browser, alice: User, bob: User) -> None:
    one, _two, foreign = builders.make_client(alice), builders.make_client(alice), builders.make_client(bob)
    page = as_alice.get(f"{NEW}?clients={one.client_id},{foreign.client_id},x")
    assert (ticked(page), "1 of 2 chosen" in words(page)) == (ids(one), True)
    press(as_alice, page, "save", body="Hi")
    assert chosen(MassMessage.objects.get()) == set(ids(one))


def test_the_banner_leads_to_a_message_to_those_who_are_due(as_alice: Browser, alice: User) -> None:
    active = ClientStatus.objects.get(department=alice.department, name="Active")
    ClientStatus.objects.filter(pk=active.pk).update(follow_up_days=30)
    due, _not_due = builders.make_client(alice), builders.make_client(alice)
    CaseAssignment.objects.filter(pk=due.pk).update(started_at=builders.minutes_ago(60 * 24 * 40))
    home = as_alice.get("/")
    assert "1 Active client is due for a follow-up" in words(home)
    address = f"{NEW}?follow_up={active.pk}"
    assert f'href="{address}"' in source(home)
    assert ticked(as_alice.get(address)) == ids(due)


def test_a_quick_pick_puts_its_time_there_and_keeps_the_rest(as_alice: Browser, alice: User) -> None:
    maria = builders.make_client(alice)
    page = press(as_alice, as_alice.get(NEW), body="Hi", clients=ids(maria), do=None, pick="tomorrow")
    assert 'value="09:00"' in source(page)
    assert "9:00 am (Denver time)" in words(page)
    check = press(as_alice, page, later="1", date=field(page, "date"), time="09:00")
    assert "Schedule 1 text message" in words(check)


def test_the_check_waits_for_the_opening_and_says_so(as_alice: Browser, alice: User) -> None:
    Department.objects.update(opens_at=time(8), closes_at=time(21))
    maria = builders.make_client(alice)
    page = press(as_alice, as_alice.get(NEW), body="Hi", clients=ids(maria), do=None, pick="tomorrow")
    check = press(as_alice, page, later="1", date=field(page, "date"), time="23:30")
    assert "texting hours: the texts wait until" in words(check)


# --- Confirming ------------------------------------------------------------------------------------------------------


def confirm(browser: Browser, draft: MassMessage, revision: object = None) -> HttpResponse:
    revision = draft.revision if revision is None else revision
    response = browser.post(f"/mass-messages/{draft.pk}/check/", {"revision": revision}, follow=True)
    assert isinstance(response, HttpResponse)
    return response


def test_confirming_again_shows_the_record(as_alice: Browser, alice: User) -> None:
    draft = make_draft(alice, [builders.make_client(alice)])
    for _time in range(3):
        assert "Going out to 1 person" in words(confirm(as_alice, draft))
        mass_filling.fill(now=timezone.now())
    assert len(texts_of(draft)) == 1
    assert "Going out" in words(as_alice.get(f"/mass-messages/{draft.pk}/check/", follow=True))
    assert "Going out" in words(as_alice.get(f"/mass-messages/{draft.pk}/edit/", follow=True))


@pytest.mark.parametrize("revision", ["", "x", "99", "-1", "9" * 30])
def test_another_revision_is_not_sent(revision: str, as_alice: Browser, alice: User) -> None:
    draft = make_draft(alice, [builders.make_client(alice)])
    assert "changed in another window" in source(confirm(as_alice, draft, revision))
    draft.refresh_from_db()
    assert draft.is_draft


# --- The record ------------------------------------------------------------------------------------------------------


def choose(browser: Browser, mass: MassMessage, choice: str, **sent: str) -> HttpResponse:
    response = browser.post(f"/mass-messages/{mass.pk}/{choice}/", sent, follow=True)
    assert isinstance(response, HttpResponse)
    return response


def settled(mass: MassMessage, *to: Message.State) -> None:
    for text, state in zip(texts_of(mass), to, strict=True):
        fields: dict[str, Any] = {"our_number": "+18015550100", "their_number": "+13852000000"}
        if state in states.NOT_DELIVERED:
            fields["failure_reason"] = "phone_off"
        states.move(text.pk, to=state, from_states=frozenset(Message.State), now=timezone.now(), **fields)


def test_undo_leads_back_to_the_message_as_it_was(as_alice: Browser, alice: User) -> None:
    maria = builders.make_client(alice)
    mass = make_mass(alice, [maria], "Hello")
    for _time in range(2):
        page = choose(as_alice, mass, "undo")
        assert (text_box(page), ticked(page)) == ("Hello", ids(maria))
    assert MassMessage.objects.count() == 2
    assert "Taken back: nothing was sent" in words(as_alice.get(f"/mass-messages/{mass.pk}/"))


def test_undo_too_late_says_so(as_alice: Browser, alice: User) -> None:
    mass = make_mass(alice, [builders.make_client(alice)], now=builders.minutes_ago(1))
    assert "Too late" in source(choose(as_alice, mass, "undo"))
    assert "Stop the rest" in words(as_alice.get(f"/mass-messages/{mass.pk}/"))


def test_the_record_says_who_got_it_and_who_answered(as_alice: Browser, alice: User) -> None:
    clients = [builders.make_client(alice, last_name=name) for name in ("Abel", "Baker", "Cole", "Dean")]
    mass = make_mass(alice, clients, now=builders.minutes_ago(5))
    to = Message.State
    settled(mass, to.DELIVERED, to.UNDELIVERED, to.SENT, to.WAITING)
    builders.make_incoming(clients[0], "Thanks")
    builders.make_incoming(clients[3], "Something else")
    page: Any = as_alice.get(f"/mass-messages/{mass.pk}/")
    for said in ("3 Handed over", "1 Delivered", "1 Not delivered", "1 Replied", "1 Waiting", "Delivered · replied"):
        assert said in words(page)
    assert "Not delivered: the phone was off" in words(page)
    only = as_alice.get(f"/mass-messages/{mass.pk}/?show=not-delivered")
    assert ("Baker" in words(only), "Abel" in words(only)) == (True, False)
    page = choose(as_alice, mass, "stop")
    assert "Stopped: not sent" in words(page)
    assert "Going out" in words(choose(as_alice, mass, "resume"))


def test_those_it_did_not_reach_and_those_who_got_it_can_be_texted(as_alice: Browser, alice: User) -> None:
    clients = [builders.make_client(alice) for _ in range(3)]
    mass = make_mass(alice, clients, "Hello", now=builders.minutes_ago(5))
    settled(mass, Message.State.DELIVERED, Message.State.UNDELIVERED, Message.State.UNKNOWN)
    key = str(uuid.uuid4())
    for _time in range(2):
        page = choose(as_alice, mass, "unreached", submission_key=key)
    assert (text_box(page), ticked(page)) == ("Hello", ids(clients[1]))
    page = choose(as_alice, mass, "correction", submission_key=str(uuid.uuid4()))
    assert (text_box(page), ticked(page)) == ("", ids(clients[0]))
    assert MassMessage.objects.count() == 3


def test_one_recipient_is_left_out_by_a_button(as_alice: Browser, alice: User) -> None:
    maria, other = builders.make_client(alice), builders.make_client(alice)
    mass = make_mass(alice, [maria, other])
    address = f"/mass-messages/{mass.pk}/drop/{maria.client_id}/"
    assert "Left out: you dropped this one" in words(as_alice.post(address, follow=True))
    assert "moved on meanwhile" in source(as_alice.post(address, follow=True))


def test_a_scheduled_one_is_changed_and_deleted_as_a_whole(as_alice: Browser, alice: User) -> None:
    maria = builders.make_client(alice)
    page = press(as_alice, as_alice.get(NEW), body="Old words", clients=ids(maria), do=None, pick="tomorrow")
    check = press(as_alice, page, later="1", date=field(page, "date"), time="09:00")
    old = MassMessage.objects.get()
    assert "Scheduled for 1 person" in words(confirm(as_alice, old, field(check, "revision")))
    mass_filling.fill(now=timezone.now())
    page = choose(as_alice, old, "change")
    assert (text_box(page), ticked(page), field(page, "time")) == ("Old words", ids(maria), "09:00")
    check = press(as_alice, page, body="New words", later="1", date=field(page, "date"), time="10:00")
    new = MassMessage.objects.order_by("-pk")[0]
    confirm(as_alice, new, field(check, "revision"))
    mass_filling.fill(now=timezone.now())
    assert [it.state for it in texts_of(old)] == ["cancelled"]
    assert [(it.body, it.state) for it in texts_of(new)] == [("New words", "waiting")]
    assert "New words" in words(as_alice.get("/mass-messages/?show=scheduled"))
    assert "It will not go out" in source(choose(as_alice, new, "delete"))
    assert [it.state for it in texts_of(new)] == ["cancelled"]


def test_the_list_holds_drafts_scheduled_and_past_ones(as_alice: Browser, alice: User) -> None:
    make_draft(alice, [], "a draft of mine")
    make_mass(alice, [builders.make_client(alice)], "a sent one", now=builders.minutes_ago(5))
    assert "a sent one" in words(as_alice.get("/mass-messages/"))
    assert "a draft of mine" in words(as_alice.get("/mass-messages/?show=drafts"))
    assert "Nothing is scheduled" in words(as_alice.get("/mass-messages/?show=scheduled"))
    choose(as_alice, MassMessage.objects.get(body="a draft of mine"), "discard")
    assert "There are no drafts" in words(as_alice.get("/mass-messages/?show=drafts"))


# --- Access and cost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["as_bob", "as_charlie", "as_supervisor"])
def test_a_draft_is_nobody_elses(who: str, alice: User, request: pytest.FixtureRequest) -> None:
    browser = request.getfixturevalue(who)
    draft = make_draft(alice, [builders.make_client(alice)])
    for page in ("", "edit/", "check/"):
        assert browser.get(f"/mass-messages/{draft.pk}/{page}").status_code == 404
    for page in ("edit/", "check/", "discard/"):
        assert browser.post(f"/mass-messages/{draft.pk}/{page}", {"revision": draft.revision}).status_code == 404
    draft.refresh_from_db()
    assert draft.is_draft


@pytest.mark.parametrize(("who", "answer"), [("as_bob", 404), ("as_charlie", 404), ("as_supervisor", 200)])
def test_a_supervisor_looks_at_the_record_and_changes_nothing(
    who: str, answer: int, alice: User, request: pytest.FixtureRequest
) -> None:
    browser = request.getfixturevalue(who)
    maria = builders.make_client(alice)
    mass = make_mass(alice, [maria])
    page = browser.get(f"/mass-messages/{mass.pk}/")
    assert page.status_code == answer
    assert AuditEntry.objects.filter(action="mass_message.viewed").exists() == (answer == 200)
    assert "data-once" not in source(page)
    for choice in ("undo", "stop", "resume", "change", "delete", "unreached", "correction", "discard", "nothing"):
        assert browser.post(f"/mass-messages/{mass.pk}/{choice}/").status_code == 404
    assert browser.post(f"/mass-messages/{mass.pk}/drop/{maria.client_id}/").status_code == 404
    assert [it.state for it in texts_of(mass)] == ["waiting"]


@pytest.mark.parametrize("many", [10, 600])
def test_each_page_takes_the_same_queries_for_few_and_many(
    many: int, as_alice: Browser, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    clients = builders.make_caseload(alice, many)
    draft, mass = make_draft(alice, clients, "Hi {first name}"), make_mass(alice, clients)
    assert MassMessageRecipient.objects.filter(mass_message=draft).count() == many
    as_alice.get("/")
    for page, queries in {
        f"{draft.pk}/edit/": 6,
        f"{draft.pk}/check/": 10,
        f"{mass.pk}/": 6,
        "": 3,
        "new/": 5,
    }.items():
        with django_assert_num_queries(queries):
            assert as_alice.get(f"/mass-messages/{page}").status_code == 200
