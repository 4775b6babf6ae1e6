"""Signing in and out: who gets in, who learns what, and how often one may try."""

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from time_machine import travel

from accounts.actions import people as actions
from accounts.actions.people import Profile
from accounts.models import Department, User
from conftest import signed_in
from tests import builders

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
WRONG = "not the password at all"


def sign_in(browser: Browser, email: str, password: str = builders.PASSWORD, *, to: str = "") -> HttpResponse:
    """Fills in the form as a person does; to: the page that was asked for."""
    data = {"login": email, "password": password} | ({"next": to} if to else {})
    response: HttpResponse = browser.post(LOGIN, data)  # type: ignore[assignment]  # what the view answered
    return response


def is_in(browser: Browser) -> bool:
    return SESSION_KEY in browser.session


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def test_the_right_password_opens_my_clients(anonymous: Browser, alice: User) -> None:
    response = sign_in(anonymous, alice.email)
    assert (response.status_code, response.headers["Location"]) == (302, reverse("my-clients"))
    assert anonymous.get("/").status_code == 200


def test_the_address_may_be_typed_in_capitals(anonymous: Browser, alice: User) -> None:
    sign_in(anonymous, alice.email.upper())
    assert is_in(anonymous)


def test_a_person_who_was_added_in_capitals_gets_in(anonymous: Browser, department: Department) -> None:
    profile = Profile(email="Alice.Adams@ClientComm.Test", full_name="Alice Adams")
    actions.add_person(profile=profile, department=department, by=None, now=timezone.now(), password=builders.PASSWORD)
    sign_in(anonymous, profile.email)
    assert is_in(anonymous)


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(anonymous: Browser, alice: User) -> None:
    wrong = text_of(sign_in(anonymous, alice.email, WRONG))
    unknown = text_of(sign_in(anonymous, "nobody@clientcomm.test", WRONG))
    assert "not correct" in wrong
    without_what_was_typed = [
        answer.replace(email, "").split("<main", 1)[1].replace(token_in(answer), "")
        for answer, email in ((wrong, alice.email), (unknown, "nobody@clientcomm.test"))
    ]
    assert without_what_was_typed[0] == without_what_was_typed[1]
    assert not is_in(anonymous)


def token_in(page: str) -> str:
    """The CSRF token of the sign-in form: the one thing on two equal pages that differs."""
    return page.split("<main", 1)[1].split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(("email", "password"), [("", ""), ("alice", ""), ("\0", "\0"), ("a@b@c", "x" * 5000)])
def test_nonsense_in_the_form_lets_nobody_in(email: str, password: str, anonymous: Browser) -> None:
    assert sign_in(anonymous, email, password).status_code == 200
    assert not is_in(anonymous)


def test_after_five_wrong_tries_even_the_right_password_waits_and_the_page_says_so(
    anonymous: Browser, alice: User
) -> None:
    for _ in range(5):
        assert "Too many" not in text_of(sign_in(anonymous, alice.email, WRONG))
    assert "Too many wrong tries. Wait five minutes" in text_of(sign_in(anonymous, alice.email))
    assert not is_in(anonymous)


def test_the_lock_out_is_the_same_for_an_address_that_does_not_exist(anonymous: Browser) -> None:
    answers = [text_of(sign_in(anonymous, "nobody@clientcomm.test", WRONG)) for _ in range(6)]
    assert ["Too many wrong tries" in answer for answer in answers] == [False] * 5 + [True]


def test_the_lock_out_passes(anonymous: Browser, alice: User) -> None:
    with travel(builders.minutes_ago(0), tick=False) as clock:
        for _ in range(6):
            sign_in(anonymous, alice.email, WRONG)
        clock.shift(timedelta(minutes=5, seconds=1))
        sign_in(anonymous, alice.email)
    assert is_in(anonymous)


def test_one_persons_lock_out_is_not_anothers(anonymous: Browser, alice: User, bob: User) -> None:
    for _ in range(6):
        sign_in(anonymous, alice.email, WRONG)
    sign_in(anonymous, bob.email)
    assert is_in(anonymous)


def test_too_many_tries_from_one_place_get_a_page_that_says_so(
    anonymous: Browser, alice: User, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    answers = [sign_in(anonymous, f"nobody{number}@clientcomm.test", WRONG) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Too many tries" in text_of(answers[2])


def test_a_disabled_person_does_not_get_in(anonymous: Browser, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    response = sign_in(anonymous, alice.email)
    assert "switched off" in text_of(anonymous.get(response.headers["Location"]))  # type: ignore[arg-type]
    assert not is_in(anonymous)


def test_a_disabled_person_with_a_wrong_password_learns_nothing(anonymous: Browser, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "not correct" in text_of(sign_in(anonymous, alice.email, WRONG))


def test_a_disabled_person_is_out_at_the_next_request(as_alice: Browser, alice: User) -> None:
    assert as_alice.get("/").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    response = as_alice.get("/")
    assert response.headers["Location"] == f"{LOGIN}?next=/"


def test_a_changed_password_ends_the_other_sessions(as_alice: Browser, alice: User) -> None:
    assert as_alice.get("/").status_code == 200
    alice.set_password("another password for the tests")
    alice.save()
    assert as_alice.get("/").status_code == 302


def test_a_visitor_is_led_to_sign_in_and_then_to_the_page_that_was_asked_for(anonymous: Browser, alice: User) -> None:
    asked = anonymous.get("/clients/new/?from=mail")
    assert asked.headers["Location"] == f"{LOGIN}?next=/clients/new/%3Ffrom%3Dmail"
    assert 'value="/clients/new/?from=mail"' in text_of(anonymous.get(asked.headers["Location"]))  # type: ignore[arg-type]
    response = sign_in(anonymous, alice.email, to="/clients/new/?from=mail")
    assert response.headers["Location"] == "/clients/new/?from=mail"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        r"/\evil.example/",
        "http:///evil.example",
        "javascript:alert(1)",
        "https://testserver@evil.example/",
        "\thttps://evil.example/",
    ],
)
def test_signing_in_never_leads_to_another_site(elsewhere: str, anonymous: Browser, alice: User) -> None:
    response = sign_in(anonymous, alice.email, to=elsewhere)
    assert (response.status_code, response.headers["Location"]) == (302, "/")


def test_signing_out_ends_the_session(as_alice: Browser) -> None:
    stolen = signed_in_with(as_alice.cookies["sessionid"].value)
    assert stolen.get("/").status_code == 200
    assert as_alice.post("/accounts/logout/").headers["Location"] == LOGIN
    assert as_alice.get("/").status_code == 302
    assert stolen.get("/").status_code == 302


def signed_in_with(session_id: str) -> Browser:
    """Another browser that holds a copy of the cookie."""
    browser = Browser()
    browser.cookies["sessionid"] = session_id
    return browser


def test_a_link_to_sign_out_asks_first(as_alice: Browser) -> None:
    assert "Log out?" in text_of(as_alice.get("/accounts/logout/"))  # type: ignore[arg-type]
    assert is_in(as_alice)


def test_signing_in_gives_a_new_session_id(anonymous: Browser, alice: User, bob: User) -> None:
    sign_in(anonymous, alice.email)
    first = anonymous.cookies["sessionid"].value
    anonymous.post("/accounts/logout/")
    sign_in(anonymous, bob.email)
    assert anonymous.cookies["sessionid"].value not in ("", first)


def test_the_form_is_refused_without_its_token(alice: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    assert sign_in(browser, alice.email).status_code == 403
    assert not is_in(browser)


@pytest.mark.parametrize(
    "path",
    [
        "signup/",
        "email/",
        "confirm-email/",
        "confirm-email/abc/",
        "password/change/",
        "password/set/",
        "reauthenticate/",
        "login/code/",
        "login/code/confirm/",
        "3rdparty/",
        "social/connections/",
    ],
)
def test_pages_of_the_library_that_we_do_not_use_do_not_exist(path: str, as_alice: Browser, anonymous: Browser) -> None:
    for browser in (as_alice, anonymous):
        assert browser.get(f"/accounts/{path}").status_code == 404
        assert browser.post(f"/accounts/{path}", {"email": "new@clientcomm.test"}).status_code == 404


def test_the_operator_without_a_department_signs_in_to_the_operators_pages(anonymous: Browser, db: None) -> None:
    User.objects.create_superuser("Operator@clientcomm.test", builders.PASSWORD, full_name="Olga Olsen")
    sign_in(anonymous, "operator@clientcomm.test")
    assert anonymous.get("/").headers["Location"] == "/admin/"
    assert anonymous.get("/admin/").status_code == 200


def test_people_without_the_right_do_not_get_into_the_operators_pages(supervisor: User, department: Department) -> None:
    administrator = builders.make_user(department, "Adam Admin", role=User.Role.ADMINISTRATOR)
    for person in (supervisor, administrator):
        assert signed_in(person).get("/admin/").status_code == 302
