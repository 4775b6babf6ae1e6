"""Opt-outs told by word of mouth, wrong numbers, and texts that may mean either."""

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from clients.models import CaseAssignment, ConversationEvent
from messaging import delivery, keywords
from messaging.actions import numbers
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours
from messaging.failures import HoldReason
from messaging.keywords import Suspicion
from messaging.models import Message
from tests.builders import inbound_text, make_client, make_incoming, make_outgoing, number_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return make_client(alice)


def url(maria: CaseAssignment) -> str:
    return reverse("conversation-number", args=[maria.client_id])


def change(browser: Browser, maria: CaseAssignment, choice: str, reason: str = "told me on the phone") -> str:
    return browser.post(url(maria), {"choice": choice, "reason": reason}, follow=True).content.decode()


def test_an_opt_out_by_word_of_mouth_stops_texts_and_holds_what_waits(maria: CaseAssignment, as_alice: Browser) -> None:
    waiting = make_outgoing(maria)
    page = change(as_alice, maria, "opt-out")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.hold_reason) == (Message.State.HELD, HoldReason.OPTED_OUT)
    assert number_of(maria).is_opted_out
    assert "told me on the phone" in page
    assert "wants no texts" in page
    assert delivery.claim_next(timezone.now()) is None


def test_what_a_person_recorded_a_person_can_lift(maria: CaseAssignment, as_alice: Browser) -> None:
    change(as_alice, maria, "opt-out")
    change(as_alice, maria, "opt-in", "changed her mind")
    assert not number_of(maria).is_opted_out


def test_what_the_client_said_only_the_client_can_lift(maria: CaseAssignment, as_alice: Browser) -> None:
    receive_text(text=inbound_text(maria, "STOP"), now=timezone.now())
    page = change(as_alice, maria, "opt-in")
    assert number_of(maria).is_opted_out
    assert "Only their START brings them back" in page
    assert "Lift the opt-out" not in as_alice.get(url(maria)).content.decode()


def test_start_brings_back_whom_a_person_had_opted_out(maria: CaseAssignment, as_alice: Browser) -> None:
    change(as_alice, maria, "opt-out")
    receive_text(text=inbound_text(maria, "START"), now=timezone.now())
    assert not number_of(maria).is_opted_out


def test_yes_does_not_lift_what_a_person_recorded(maria: CaseAssignment, as_alice: Browser) -> None:
    change(as_alice, maria, "opt-out")
    receive_text(text=inbound_text(maria, "Yes"), now=timezone.now())
    assert number_of(maria).is_opted_out


def test_a_wrong_number_gets_nothing_until_it_is_said_to_be_right(maria: CaseAssignment, as_alice: Browser) -> None:
    waiting = make_outgoing(maria)
    change(as_alice, maria, "wrong")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.hold_reason) == (Message.State.HELD, HoldReason.WRONG_NUMBER)
    change(as_alice, maria, "right")
    assert not number_of(maria).is_wrong
    waiting.refresh_from_db()
    assert waiting.state == Message.State.HELD  # lifting releases nothing by itself


def test_saying_it_twice_makes_one_line(maria: CaseAssignment, as_alice: Browser) -> None:
    for choice in ("opt-out", "opt-out", "wrong", "wrong"):
        change(as_alice, maria, choice)
    assert ConversationEvent.objects.count() == 2


def test_a_reason_is_asked_for_and_nothing_is_changed_without(maria: CaseAssignment, as_alice: Browser) -> None:
    assert "Say why" in change(as_alice, maria, "opt-out", "  ")
    assert not number_of(maria).is_opted_out


def test_each_is_in_the_log_without_the_reason(maria: CaseAssignment, as_alice: Browser) -> None:
    for choice in ("opt-out", "opt-in", "wrong", "right"):
        change(as_alice, maria, choice)
    entries = AuditEntry.objects.order_by("pk")
    actions = ["number.opted_out", "number.opted_in", "number.wrong", "number.right"]
    assert [entry.action for entry in entries] == actions
    assert not any(entry.details for entry in entries)


def test_only_the_case_manager_may(
    maria: CaseAssignment, as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, anonymous: Browser
) -> None:
    form = {"choice": "opt-out", "reason": "x"}
    for browser in (as_bob, as_charlie, as_supervisor):
        assert browser.get(url(maria)).status_code == browser.post(url(maria), form).status_code == 404
    assert anonymous.post(url(maria), form).status_code == 302
    assert not number_of(maria).is_opted_out


def test_who_lost_the_client_meanwhile_changes_nothing(maria: CaseAssignment, bob: User) -> None:
    with pytest.raises(NotYours):
        numbers.mark_wrong(client_id=maria.client_id, by=bob, reason="x", now=timezone.now())


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ("Please stop texting me", Suspicion.WANTS_NO_TEXTS),
        ("don\u2019t text this number anymore", Suspicion.WANTS_NO_TEXTS),
        ("Take me off your list", Suspicion.WANTS_NO_TEXTS),
        ("I want to opt out", Suspicion.WANTS_NO_TEXTS),
        ("Stop!", Suspicion.WANTS_NO_TEXTS),
        ("stop all.", Suspicion.WANTS_NO_TEXTS),
        ("S T O P", Suspicion.WANTS_NO_TEXTS),
        ("no more messages pls", Suspicion.WANTS_NO_TEXTS),
        ("You have the wrong number", Suspicion.WRONG_NUMBER),
        ("Wrong person, sorry", Suspicion.WRONG_NUMBER),
        ("this is not his phone", Suspicion.WRONG_NUMBER),
        ("Número equivocado", Suspicion.WRONG_NUMBER),
        ("STOP", None),  # the machine has acted on it
        ("The bus stops at Main Street", None),
        ("I will stop by at 9", None),
        ("I got your text, thanks", None),
        ("", None),
    ],
)
def test_free_words_are_put_before_a_person(body: str, meaning: Suspicion | None) -> None:
    assert keywords.suspect(body) is meaning


def test_the_banner_records_it_by_one_click(maria: CaseAssignment, as_alice: Browser) -> None:
    make_incoming(maria, "please stop texting me")
    conversation = reverse("conversation", args=[maria.client_id])
    assert "wants no more texts" in as_alice.get(conversation).content.decode()
    assert "wants no more texts" not in change(as_alice, maria, "opt-out", "asked for in a text")
    assert number_of(maria).is_opted_out


def test_the_banner_goes_once_the_text_was_answered(maria: CaseAssignment, as_alice: Browser) -> None:
    make_incoming(maria, "wrong number?")
    make_outgoing(maria, "Who is this?")
    page = as_alice.get(reverse("conversation", args=[maria.client_id])).content.decode()
    assert "may mean that" not in page
