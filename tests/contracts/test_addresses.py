"""The addresses that people, the carrier and monitoring know by heart stay where they are, and answer."""

import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client as Browser
from django.urls import reverse

from accounts.models import User
from messaging.sms import OutboundText
from telephony.backends import callback_url
from telephony.simulator.config import PhonesConfig
from tests.builders import PASSWORD, make_client

pytestmark = pytest.mark.django_db

# The pages of the contract that exist; {client} stands for the id of a client of the person who asks.
PAGES = {
    "/": "my-clients",
    "/clients/new/": "client-new",
    "/clients/{client}/manage/": "client-manage",
    "/conversations/{client}/": "conversation",
    "/account/settings/": "account-settings",
}
OPEN_PAGES = {"/accounts/login/": "account_login", "/help/": "help"}
PAGES_OF_SUPERVISORS = {"/department/": "department"}
WEBHOOKS = {"/webhooks/twilio/sms/": "sms-inbound", "/webhooks/twilio/sms-status/": "sms-status"}


@pytest.fixture
def client_id(alice: User) -> int:
    return make_client(alice).client_id


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_there_for_whom_it_is_meant(as_alice: Browser, client_id: int, page: str) -> None:
    response = as_alice.get(page.format(client=client_id))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("page", PAGES_OF_SUPERVISORS)
def test_a_page_of_supervisors_is_there_for_them_alone(as_alice: Browser, as_supervisor: Browser, page: str) -> None:
    assert as_supervisor.get(page).status_code == 200
    assert as_alice.get(page).status_code == 404


@pytest.mark.parametrize("page", [*PAGES, *PAGES_OF_SUPERVISORS])
def test_a_visitor_is_asked_to_sign_in_and_comes_back_to_it(anonymous: Browser, client_id: int, page: str) -> None:
    path = page.format(client=client_id)
    response = anonymous.get(path + "?search=x")
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={quote(path + '?search=x')}"


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_a_visitor_may_see_these(anonymous: Browser, page: str) -> None:
    assert anonymous.get(page).status_code == 200


def test_who_is_signed_in_and_opens_the_sign_in_page_is_taken_to_the_list(as_alice: Browser) -> None:
    response = as_alice.get("/accounts/login/")
    assert (response.status_code, response["Location"]) == (302, "/")


def test_signing_in_leads_to_the_page_that_was_asked_for_and_to_no_other_site(alice: User, anonymous: Browser) -> None:
    form = {"login": alice.email, "password": PASSWORD}
    response = anonymous.post("/accounts/login/?next=/clients/new/", {**form, "next": "/clients/new/"})
    assert (response.status_code, response["Location"]) == (302, "/clients/new/")
    elsewhere = Browser().post("/accounts/login/", {**form, "next": "https://evil.example/"})
    assert (elsewhere.status_code, elsewhere["Location"]) == (302, "/")


@pytest.mark.parametrize(
    ("path", "name"), [*PAGES.items(), *PAGES_OF_SUPERVISORS.items(), *OPEN_PAGES.items(), *WEBHOOKS.items()]
)
def test_names_lead_to_these_paths(path: str, name: str) -> None:
    """Templates, mails and the carrier's callbacks are made from the names."""
    assert reverse(name, args=[7] if "{client}" in path else []) == path.format(client=7)


@pytest.mark.parametrize("path", WEBHOOKS)
def test_a_webhook_asks_for_a_signature_and_not_for_a_sign_in(anonymous: Browser, path: str) -> None:
    response = anonymous.post(path)
    assert (response.status_code, response.content) == (403, b"")


def test_the_pocket_phones_and_the_product_know_the_same_paths() -> None:
    config = PhonesConfig(
        account_sid="AC", auth_tokens=["t"], product_url="http://testserver", state=Path(), find_numbers=list
    )
    assert config.inbound_url == "http://testserver/webhooks/twilio/sms/"
    text = OutboundText(uuid.UUID(int=7), "+18015550100", "+18015550142", "Hello")
    assert callback_url(text) == f"http://testserver/webhooks/twilio/sms-status/?m={uuid.UUID(int=7)}"


def test_the_probe_of_the_load_balancer_is_plain_text(anonymous: Browser) -> None:
    response = anonymous.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_monitoring_finds_these_fields(anonymous: Browser) -> None:
    response = anonymous.get("/readyz")
    assert response.status_code == 503, "no beat has ticked in this database"
    assert set(response.json()) >= {
        "well",
        "problems",
        "broker_answers",
        "last_tick_age_seconds",
        "oldest_due_age_seconds",
        "unknown_count",
        "webhooks_refused_by_this_process",
    }


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/no-such-page/", "/conversations/abc/", "/conversations//"])
def test_what_is_not_there_is_not_found_by_visitors_either(anonymous: Browser, path: str) -> None:
    assert anonymous.get(path).status_code == 404
