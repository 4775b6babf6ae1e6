"""A session ends after its department's idle time; the refreshes of an open page don't keep it alive."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from time_machine import Traveller, travel

from accounts.models import Department, User
from accounts.sessions import BACKGROUND_HEADER, SEEN_KEY
from conftest import signed_in
from tests import builders

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
BACKGROUND = {BACKGROUND_HEADER: "1"}
PAGE = "/clients/new/"


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """Stands at nine until the test moves it."""
    with travel(NINE, tick=False) as traveller:
        yield traveller


def is_in(browser: Browser, **headers: str) -> bool:
    """Asks for a page as this browser. Only that request counts as use."""
    response = browser.get(PAGE, headers=headers)
    assert response.status_code in (200, 302)
    return response.status_code == 200


def test_a_session_lasts_the_departments_idle_time(clock: Traveller, as_alice: Browser) -> None:
    assert is_in(as_alice)
    clock.shift(timedelta(hours=12))
    assert is_in(as_alice)


def test_after_the_idle_time_one_signs_in_again(clock: Traveller, as_alice: Browser) -> None:
    assert is_in(as_alice)
    clock.shift(timedelta(hours=12, seconds=1))
    response = as_alice.get(PAGE)
    assert response.headers["Location"] == f"{reverse('account_login')}?next={PAGE}"
    assert SESSION_KEY not in as_alice.session


def test_each_use_begins_the_idle_time_anew(clock: Traveller, as_alice: Browser) -> None:
    for _ in range(4):
        assert is_in(as_alice)
        clock.shift(timedelta(hours=8))
    assert is_in(as_alice)


def test_background_refreshes_do_not_keep_a_session_alive(clock: Traveller, as_alice: Browser) -> None:
    assert is_in(as_alice)
    for _ in range(12):
        clock.shift(timedelta(hours=1))
        assert is_in(as_alice, **BACKGROUND)
    clock.shift(timedelta(minutes=1))
    assert not is_in(as_alice, **BACKGROUND)


def test_a_background_refresh_ends_a_session_that_is_over(clock: Traveller, as_alice: Browser) -> None:
    assert is_in(as_alice)
    clock.shift(timedelta(hours=13))
    assert not is_in(as_alice, **BACKGROUND)
    assert not is_in(as_alice)


def test_each_department_has_its_own_idle_time(clock: Traveller) -> None:
    strict = builders.make_user(builders.make_department(idle_limit_hours=1))
    lax = builders.make_user(builders.make_department(idle_limit_hours=48))
    as_strict, as_lax = signed_in(strict), signed_in(lax)
    assert is_in(as_strict)
    assert is_in(as_lax)
    clock.shift(timedelta(hours=2))
    assert not is_in(as_strict)
    assert is_in(as_lax)


@pytest.mark.parametrize(("hours", "stays"), [(11, True), (13, False)])
def test_the_operator_has_twelve_hours(hours: int, stays: bool, clock: Traveller, db: None) -> None:
    operator = User.objects.create_superuser("operator@clientcomm.test", "a password", full_name="Olga")
    browser = signed_in(operator)
    assert browser.get("/admin/").status_code == 200
    clock.shift(timedelta(hours=hours))
    assert (browser.get("/admin/").status_code == 200) is stays


def test_use_is_written_down_every_five_minutes_not_for_each_request(clock: Traveller, as_alice: Browser) -> None:
    assert is_in(as_alice)
    clock.shift(timedelta(minutes=4))
    assert is_in(as_alice)
    assert as_alice.session[SEEN_KEY] == NINE.isoformat()
    clock.shift(timedelta(minutes=2))
    assert is_in(as_alice)
    assert as_alice.session[SEEN_KEY] == (NINE + timedelta(minutes=6)).isoformat()


def test_a_visitor_gets_no_session(anonymous: Browser, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        response = anonymous.get(reverse("help"))
    assert not response.cookies
    assert SEEN_KEY not in anonymous.session


def test_a_change_of_the_idle_time_counts_at_once(clock: Traveller, as_alice: Browser, department: Department) -> None:
    assert is_in(as_alice)
    Department.objects.filter(pk=department.pk).update(idle_limit_hours=1)
    clock.shift(timedelta(hours=2))
    assert not is_in(as_alice)
