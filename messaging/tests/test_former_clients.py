"""The filter "Former clients": deleted and transferred ones, to be found, read and restored."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent
from messaging.former_clients import FormerRow, former_clients
from messaging.tests.pages import client_names, source, words
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EndReason = CaseAssignment.EndReason
FORMER = {"show": "former"}


def ended(user: User, last_name: str, reason: EndReason, *, days_ago: float = 1, **fields: Any) -> CaseAssignment:
    assignment = builders.make_client(user, first_name="", last_name=last_name, **fields)
    routing.end(assignment, reason, timezone.now() - timedelta(days=days_ago))
    return assignment


def transferred(user: User, to: User, last_name: str = "Lopez", **fields: Any) -> CaseAssignment:
    assignment = ended(user, last_name, EndReason.TRANSFERRED, **fields)
    CaseAssignment.objects.create(client=assignment.client, case_manager=to, status=assignment.status)
    ConversationEvent.objects.create(
        client=assignment.client,
        kind=ConversationEvent.Kind.TRANSFERRED,
        at=assignment.ended_at or timezone.now(),
        from_person=user,
        to_person=to,
    )
    return assignment


def rows(user: User, **asked: Any) -> list[FormerRow]:
    return list(former_clients(user, **asked).object_list)


def names(user: User, **asked: Any) -> list[str]:
    return [row.name for row in rows(user, **asked)]


def day(at: datetime | None) -> str:
    assert at is not None
    return f"{at:%b} {at.day}"


def test_a_deleted_client_says_when_and_can_be_restored(alice: User) -> None:
    assignment = ended(alice, "Lopez", EndReason.DELETED, days_ago=0)
    (row,) = rows(alice)
    zone = assignment.client.department.zone
    assert row.how == f"Deleted {day(timezone.now().astimezone(zone))}"
    assert (row.can_restore, row.now_with) == (True, "")


def test_another_year_is_named(alice: User) -> None:
    assignment = ended(alice, "Lopez", EndReason.DELETED, days_ago=800)
    (row,) = rows(alice)
    assert assignment.ended_at is not None
    assert row.how.endswith(f", {assignment.ended_at.year}")


def test_a_transferred_client_says_to_whom_and_is_for_reading(alice: User, bob: User) -> None:
    transferred(alice, bob)
    (row,) = rows(alice)
    assert row.how.startswith("Transferred to Bob Brown, ")
    assert (row.can_restore, row.now_with) == (False, "")


def test_to_whom_is_the_last_one_they_were_given_to(alice: User, bob: User, supervisor: User) -> None:
    assignment = transferred(alice, bob)
    event = ConversationEvent.objects.get()
    for at, to in ((event.at - timedelta(days=9), supervisor), (event.at - timedelta(days=99), supervisor)):
        ConversationEvent.objects.create(
            client=assignment.client, kind=event.kind, at=at, from_person=alice, to_person=to
        )
    (row,) = rows(alice)
    assert row.how.startswith("Transferred to Bob Brown, ")


def test_a_deleted_client_whom_a_colleague_has_now_cannot_be_restored(alice: User, bob: User) -> None:
    assignment = ended(alice, "Lopez", EndReason.DELETED)
    CaseAssignment.objects.create(client=assignment.client, case_manager=bob)
    (row,) = rows(alice)
    assert (row.can_restore, row.now_with) == (False, "Bob Brown")


def test_a_client_that_is_mine_again_does_not_stand_there(alice: User) -> None:
    assignment = ended(alice, "Lopez", EndReason.DELETED)
    routing.reopen(assignment, timezone.now())
    assert rows(alice) == []


@pytest.mark.parametrize("reason", [EndReason.MERGED, EndReason.CLAIMED, EndReason.DISMISSED])
def test_who_went_on_elsewhere_does_not_stand_there(reason: EndReason, alice: User) -> None:
    ended(alice, "Lopez", reason)
    assert rows(alice) == []


def test_one_who_was_merged_into_another_does_not_stand_there(alice: User) -> None:
    assignment = ended(alice, "Lopez", EndReason.DELETED)
    kept = builders.make_client(alice)
    Client.objects.filter(pk=assignment.client_id).update(merged_into=kept.client)
    assert rows(alice) == []


def test_who_left_last_stands_first(alice: User, bob: User) -> None:
    ended(alice, "Old", EndReason.DELETED, days_ago=9)
    ended(alice, "New", EndReason.DELETED, days_ago=1)
    transferred(alice, bob, "Between", days_ago=5)
    assert names(alice) == ["New", "Between", "Old"]


def test_nobody_elses(alice: User, bob: User, charlie: User) -> None:
    for other in (bob, charlie):
        ended(other, "Elsewhere", EndReason.DELETED)
    assert rows(alice) == []


@pytest.mark.parametrize("search", ["lopez", "(801) 555-0177", "LÓPEZ"])
def test_they_are_searched_like_the_others(search: str, alice: User) -> None:
    ended(alice, "Lopez", EndReason.DELETED, address="+18015550177")
    ended(alice, "Marin", EndReason.DELETED)
    assert names(alice, search=search) == ["Lopez"]


def test_the_page_shows_them_with_their_links(as_alice: Browser, alice: User, bob: User) -> None:
    deleted = ended(alice, "Deleted", EndReason.DELETED, days_ago=2)
    transferred(alice, bob, "Given")
    builders.make_client(alice, first_name="", last_name="Current")
    page = as_alice.get("/", FORMER)
    assert client_names(page) == ["Given", "Deleted"]
    assert f'href="/conversations/{deleted.client_id}/"' in source(page)
    assert "2 former clients" in words(page)
    assert "Transferred to Bob Brown" in words(page)
    for given in CaseAssignment.objects.filter(case_manager=alice, ended_at__isnull=False):
        assert as_alice.get(f"/conversations/{given.client_id}/").status_code == 200


def test_a_search_says_that_former_ones_match_too(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice, first_name="", last_name="Lopez")
    for name in ("Lopez", "Lopez-Ortega", "Marin"):
        ended(alice, name, EndReason.DELETED)
    page = as_alice.get("/", {"search": "lopez"})
    assert "2 also in former clients" in words(page)
    assert 'href="/?search=lopez&amp;show=former"' in source(page)
    assert "also in former clients" not in words(as_alice.get("/"))
    assert "also in former clients" not in words(as_alice.get("/", {"search": "nobody"}))


def test_a_search_without_a_match_says_so_too(as_alice: Browser, alice: User) -> None:
    ended(alice, "Lopez", EndReason.DELETED)
    page = as_alice.get("/", {"search": "lopez"})
    assert "No client matches “lopez”" in words(page)
    assert "1 also in former clients" in words(page)


def test_an_empty_caseload_leads_to_them(as_alice: Browser, alice: User) -> None:
    ended(alice, "Lopez", EndReason.DELETED)
    page = as_alice.get("/")
    assert "Add your first client" in words(page)
    assert 'href="/?show=former"' in source(page)


def test_none_says_so(as_alice: Browser) -> None:
    assert "No former clients" in words(as_alice.get("/", FORMER))


def test_names_with_markup_are_shown_as_typed(as_alice: Browser, alice: User) -> None:
    ended(alice, "<b>Lopez</b>", EndReason.DELETED)
    page = as_alice.get("/", FORMER)
    assert client_names(page) == ["<b>Lopez</b>"]
    assert "<b>Lopez" not in source(page)


@pytest.mark.parametrize("count", [10, 300])
def test_the_page_takes_as_many_queries_however_long_the_list_is(
    count: int, as_alice: Browser, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    builders.make_caseload(alice, count)
    CaseAssignment.objects.update(ended_at=timezone.now(), end_reason=EndReason.DELETED)
    as_alice.get("/")
    with django_assert_num_queries(6):  # the session, the person, the statuses, how many, the rows, the unclaimed
        page = as_alice.get("/", FORMER | {"page": "99"})
    assert len(client_names(page)) == (10 if count == 10 else 50)
    assert count == 10 or "Page 6 of 6" in words(page)


def test_a_deleted_one_is_restored_from_the_list(as_alice: Browser, alice: User, bob: User) -> None:
    deleted, _gone = ended(alice, "Lopez", EndReason.DELETED), transferred(alice, bob, "Marin")
    page = source(as_alice.get("/", FORMER))
    restore = reverse("client-restore", args=[deleted.client_id])
    assert page.count("/restore/") == 1
    assert f'action="{restore}"' in page
    as_alice.post(restore)
    deleted.refresh_from_db()
    assert deleted.is_open
    assert client_names(as_alice.get("/", FORMER)) == ["Marin"]
