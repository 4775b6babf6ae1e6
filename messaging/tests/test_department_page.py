"""The department's page: how its sending is, and the button for when what stopped it is settled."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Department, User
from conftest import signed_in
from messaging import delivery, gaps, holds
from messaging.failures import FailureReason
from messaging.models import CarrierWord, Message, Orphan, SenderNumber, SendingHold
from messaging.tests.carriers import Carrier
from tests import builders
from tests.builders import minutes_ago

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
PAGE, TRY_AGAIN = "/department/", "/department/try-again/"


@pytest.fixture
def administrator(department: Department) -> User:
    return builders.make_user(department, "Ada Min", role=User.Role.ADMINISTRATOR)


@pytest.fixture
def as_administrator(administrator: User) -> Browser:
    return signed_in(administrator)


@pytest.fixture(autouse=True)
def ticking(db: None) -> None:
    gaps.tick(now=timezone.now())


def words(browser: Browser, page: str = PAGE) -> str:
    response = browser.get(page)
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def stop(department: Department, number: str | None = None) -> None:
    holds.put(
        department.phone_number if number is None else number,
        reason=FailureReason.OUR_NUMBER,
        error_code=30034,
        now=minutes_ago(1),
    )


def test_it_is_for_supervisors_and_administrators(
    as_alice: Browser, as_charlie: Browser, as_supervisor: Browser, as_administrator: Browser, anonymous: Browser
) -> None:
    assert [as_.get(PAGE).status_code for as_ in (as_supervisor, as_administrator)] == [200, 200]
    assert [as_.get(PAGE).status_code for as_ in (as_alice, as_charlie)] == [404, 404]
    assert anonymous.get(PAGE).headers["Location"].startswith(reverse("account_login"))


def test_the_operator_has_no_department_to_see() -> None:
    operator = builders.make_user(None, "Olga Operator", is_superuser=True, is_staff=True, role="administrator")
    assert signed_in(operator).get(PAGE).status_code == 404
    assert signed_in(operator).post(TRY_AGAIN).status_code == 404


def test_only_those_who_may_open_it_see_the_way_to_it(as_alice: Browser, as_supervisor: Browser) -> None:
    assert f'href="{PAGE}"' in words(as_supervisor, "/")
    assert f'href="{PAGE}"' not in words(as_alice, "/")


def test_when_all_is_well_it_says_so(as_supervisor: Browser) -> None:
    said = words(as_supervisor)
    assert "Texts go out." in said
    assert "Try again now" not in said
    assert "Needs a look" not in said


def test_without_beat_it_says_that_nothing_goes_out(as_supervisor: Browser) -> None:
    gaps.tick(now=minutes_ago(2))
    assert "ClientComm is not working as it should" in words(as_supervisor)


def test_a_gap_is_told(as_supervisor: Browser) -> None:
    gaps.declare(since=timezone.now())
    assert "Texts wait a moment." in words(as_supervisor)


@pytest.mark.parametrize("number", [None, holds.WHOLE_ACCOUNT])
def test_a_stop_is_told_with_its_reason_and_no_code(
    as_supervisor: Browser, department: Department, number: str | None
) -> None:
    stop(department, number)
    said = words(as_supervisor)
    assert "No text has gone out since" in said
    assert "the department's number is not set up for this." in said
    assert "30034" not in said


def test_another_departments_stop_is_not(as_supervisor: Browser, elsewhere: Department) -> None:
    stop(elsewhere)
    assert "Texts go out." in words(as_supervisor)


def test_the_figures_are_the_departments(as_supervisor: Browser, alice: User, department: Department) -> None:
    maria = builders.make_client(alice)
    for state in (State.UNKNOWN, State.UNCONFIRMED, State.HELD):
        builders.make_outgoing(maria, state=state, hold_reason="too_late" if state == State.HELD else "")
    builders.make_outgoing(maria, at=minutes_ago(1), priority=Message.Priority.MASS)
    SenderNumber.objects.create(
        department=department, compared_until=minutes_ago(2.5), late_arrivals=17, late_reports=23
    )
    CarrierWord.objects.create(kind=CarrierWord.Kind.TEXT, at=minutes_ago(5.5))
    Orphan.objects.create(
        carrier_id="SM1", department=department, direction="out", their_number="+13855550142",
        created_at=minutes_ago(9), found_at=minutes_ago(3),
    )  # fmt: skip
    said = words(as_supervisor)
    for expected in (">17<", ">23<", "2 minutes ago", "5 minutes ago", "Mass messages take until"):
        assert expected in said
    assert said.count("Needs a look:") == 3
    assert "555-0142" not in said


def test_it_costs_the_same_however_much_there_is(
    as_supervisor: Browser, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    maria = builders.make_client(alice)
    for _ in range(20):
        builders.make_outgoing(maria, state=State.HELD, hold_reason="too_late")
    with django_assert_max_num_queries(18):
        words(as_supervisor)


class TestTryingAgain:
    def test_the_next_text_tries_at_once_and_the_others_follow(
        self, as_administrator: Browser, administrator: User, alice: User, department: Department
    ) -> None:
        stop(department)
        stop(department, holds.WHOLE_ACCOUNT)
        texts = [builders.make_outgoing(builders.make_client(alice)) for _ in range(3)]
        assert delivery.deliver_due(Carrier()) == 0
        response = as_administrator.post(TRY_AGAIN, follow=True)
        assert "The next text tries now." in unescape(response.content.decode())
        assert delivery.deliver_due(Carrier()) == 3
        assert not SendingHold.objects.exists()
        assert {Message.objects.get(pk=text.pk).state for text in texts} == {State.ACCEPTED}
        entry = AuditEntry.objects.get(action="sending.tried")
        assert (entry.by, entry.department) == (administrator, department)

    def test_the_page_says_when_it_tries(self, as_administrator: Browser, department: Department) -> None:
        stop(department)
        assert "ClientComm tries again by itself, next at" in words(as_administrator)
        as_administrator.post(TRY_AGAIN)
        assert "The next text tries whether it is settled." in words(as_administrator)

    def test_only_an_administrator_sees_the_button(
        self, as_administrator: Browser, as_supervisor: Browser, department: Department
    ) -> None:
        stop(department)
        assert "Try again now" in words(as_administrator)
        assert "Try again now" not in words(as_supervisor)

    def test_nobody_else_changes_anything(
        self, as_alice: Browser, as_charlie: Browser, as_supervisor: Browser, anonymous: Browser,
        department: Department, elsewhere: Department,
    ) -> None:  # fmt: skip
        stop(department)
        as_others_administrator = signed_in(builders.make_user(elsewhere, "Ann Else", role=User.Role.ADMINISTRATOR))
        for browser in (as_alice, as_charlie, as_supervisor, anonymous, as_others_administrator):
            browser.post(TRY_AGAIN)
        assert SendingHold.objects.get().try_at > timezone.now()
        assert not AuditEntry.objects.filter(action="sending.tried").exists()

    def test_when_nothing_is_stopped_any_more_it_says_so(self, as_administrator: Browser) -> None:
        response = as_administrator.post(TRY_AGAIN, follow=True)
        assert "Nothing is stopped any more." in response.content.decode()

    def test_what_became_too_late_meanwhile_is_held_and_not_sent(
        self, as_administrator: Browser, alice: User, department: Department
    ) -> None:
        stop(department)
        late = builders.make_outgoing(builders.make_client(alice), at=timezone.now() - timedelta(minutes=61))
        as_administrator.post(TRY_AGAIN)
        carrier = Carrier()
        delivery.deliver_due(carrier)
        assert carrier.taken == []
        assert Message.objects.get(pk=late.pk).state == State.HELD
