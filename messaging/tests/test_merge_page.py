"""The page that makes two clients one: choosing the other, and what survives."""

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client
from messaging.tests.pages import source, words
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def double(alice: User) -> CaseAssignment:
    return builders.make_client(alice, first_name="Mary", last_name="Lopez-Cruz")


def url(assignment: CaseAssignment, other: CaseAssignment | None = None) -> str:
    asked = f"?with={other.client_id}" if other else ""
    return reverse("client-merge", args=[assignment.client_id]) + asked


def conversation(assignment: CaseAssignment) -> str:
    return reverse("conversation", args=[assignment.client_id])


def merging(maria: CaseAssignment, double: CaseAssignment) -> dict[str, str]:
    return {"with": str(double.client_id), "name_of": str(double.client_id), "number_of": str(double.client_id)}


def test_the_others_are_listed_and_found_by_search(
    as_alice: Browser, maria: CaseAssignment, alice: User, bob: User
) -> None:
    for first, last in (("Nina", "Ng"), ("Anna", "Lopez"), ("Zoe", "Abel")):
        builders.make_client(alice, first_name=first, last_name=last)
    builders.make_client(bob, last_name="Olsen")
    page = words(as_alice.get(url(maria)))
    assert page.index("Anna Lopez") < page.index("Zoe Abel") < page.index("Nina Ng")
    assert "Olsen" not in page
    found = words(as_alice.get(url(maria), {"search": "nina"}))
    assert "Nina Ng" in found
    assert "Zoe Abel" not in found


def test_both_stand_side_by_side_with_what_will_happen(
    as_alice: Browser, maria: CaseAssignment, double: CaseAssignment
) -> None:
    builders.make_incoming(double)
    builders.make_scheduled(maria)
    CaseAssignment.objects.update(notes="some")
    Client.objects.filter(pk=double.client_id).update(id_number="B-2")
    page = words(as_alice.get(url(maria, double)))
    for said in (
        *("Maria Lopez", "Mary Lopez-Cruz", "B-2", "1 unread text stays unread.", "Your notes on both are joined."),
        *("1 scheduled message still goes out", "A text from the other number still arrives here."),
        *(builders.number_of(maria).display, builders.number_of(double).display),
    ):
        assert said in page, said


def test_looking_changes_nothing(as_alice: Browser, maria: CaseAssignment, double: CaseAssignment) -> None:
    as_alice.get(url(maria, double))
    assert Client.objects.filter(merged_into__isnull=False).count() == 0


def test_what_was_chosen_survives_and_the_one_conversation_opens(
    as_alice: Browser, maria: CaseAssignment, double: CaseAssignment
) -> None:
    number = builders.number_of(double)
    page = as_alice.post(url(maria), merging(maria, double), follow=True)
    assert page.redirect_chain == [(conversation(maria), 302)]
    assert "Mary Lopez-Cruz" in words(page)
    assert "Alice Adams merged" in words(page)
    assert builders.number_of(maria) == number
    assert as_alice.get(conversation(double)).headers["Location"] == conversation(maria)


def test_twice_merges_once(as_alice: Browser, maria: CaseAssignment, double: CaseAssignment) -> None:
    for _ in range(2):
        page = as_alice.post(url(maria), merging(maria, double), follow=True)
        assert page.redirect_chain == [(conversation(maria), 302)]
    assert "These two are one client already." in source(page)
    assert as_alice.get(url(double)).headers["Location"] == conversation(maria)


def test_a_number_against_which_something_stands_says_so(as_alice: Browser, alice: User, maria: CaseAssignment) -> None:
    out = builders.make_client(alice, opted_out_at=timezone.now(), opted_out_source="keyword")
    wrong = builders.make_client(alice, wrong_at=timezone.now())
    assert "(opted out)" in words(as_alice.get(url(maria, out)))
    assert "(marked as wrong)" in words(as_alice.get(url(maria, wrong)))


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_two_different_ones_of_ones_own(
    method: str, as_alice: Browser, maria: CaseAssignment, alice: User, bob: User
) -> None:
    gone = builders.make_client(alice)
    routing.end(gone, CaseAssignment.EndReason.DELETED, timezone.now())
    for other in (maria, gone, builders.make_client(bob, last_name="Olsen")):
        ask = as_alice.get if method == "get" else as_alice.post
        page = ask(url(maria), merging(maria, other))
        assert "Only two different clients of yours can be merged. Nothing was changed." in source(page)
        assert "Olsen" not in source(page)
    assert Client.objects.filter(merged_into__isnull=False).count() == 0


@pytest.mark.parametrize("other", ["x", "-1", "9" * 40, "1.5", "%00"])
def test_what_is_no_client_is_none(other: str, as_alice: Browser, maria: CaseAssignment) -> None:
    assert as_alice.get(f"{url(maria)}?with={other}").status_code == 200


def test_the_list_is_paged_and_costs_the_same_with_many(
    as_alice: Browser, maria: CaseAssignment, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    builders.make_caseload(alice, 2)
    as_alice.get("/")
    with django_assert_num_queries(6):
        as_alice.get(url(maria))
    builders.make_caseload(alice, 40)
    with django_assert_num_queries(6):
        page = as_alice.get(url(maria))
    assert "Page 1 of 2" in words(page)
