"""The carrier's posts take a short way, on which nothing for people is done, and nothing that protects is left out."""

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from tests.builders import make_department, make_user

pytestmark = pytest.mark.django_db

WEBHOOKS = ["/webhooks/twilio/sms/", "/webhooks/twilio/sms-status/"]


@pytest.mark.parametrize("path", WEBHOOKS)
def test_no_session_is_looked_at_or_begun(path: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = Browser()
    browser.force_login(make_user(make_department()))
    with django_assert_num_queries(0):
        answer = browser.post(path, {"Body": "Hello"})
    assert (answer.status_code, answer.content, dict(answer.cookies)) == (403, b"", {})
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("path", WEBHOOKS)
def test_the_name_of_the_host_is_not_looked_at_for_the_signature_names_ours(path: str) -> None:
    assert Browser().post(path, headers={"host": "10.0.0.7"}).status_code == 403


@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/twilio/", "/webhooks/twilio/sms/x/"])
def test_other_addresses_beside_them_are_like_any_that_is_not_there(path: str) -> None:
    assert Browser().post(path).status_code in (403, 404)
