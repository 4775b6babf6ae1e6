"""My clients, as a browser gets it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients.models import CaseAssignment, ClientStatus
from messaging.models import Message
from messaging.tests.pages import client_names, source, words
from tests import builders

pytestmark = pytest.mark.django_db

QUERIES = 6  # the session, the person with the department, the statuses, the figures, the rows, the unclaimed


def test_an_empty_list_says_what_to_do_first(as_alice: Browser) -> None:
    assert "Add your first client" in words(as_alice.get("/"))


def test_each_client_has_a_row_with_a_link(as_alice: Browser, alice: User) -> None:
    assignment = builders.make_client(alice, address="+18015550177")
    builders.make_incoming(assignment, "I am here")
    page = as_alice.get("/")
    assert client_names(page) == ["Maria Lopez"]
    assert f'href="/conversations/{assignment.client_id}/"' in source(page)
    for said in ("(801) 555-0177", "Active", "I am here", "just now", "1 unread"):
        assert said in words(page)


def test_the_rows_stand_in_their_order(as_alice: Browser, alice: User) -> None:
    for name, minutes in (("Old", 30), ("New", 10)):
        assignment = builders.make_client(alice, first_name="", last_name=name)
        builders.make_outgoing(assignment, state=Message.State.DELIVERED, at=builders.minutes_ago(minutes))
    builders.make_incoming(builders.make_client(alice, first_name="", last_name="Unread"), at=builders.minutes_ago(60))
    assert client_names(as_alice.get("/")) == ["Unread", "New", "Old"]


def test_a_client_never_contacted_says_so_with_two_dashes(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)
    assert "--" in words(as_alice.get("/"))


def test_ones_own_last_text_says_you(as_alice: Browser, alice: User) -> None:
    builders.make_outgoing(builders.make_client(alice), "See you")
    assert "You: See you" in words(as_alice.get("/"))


@pytest.mark.parametrize(
    ("number", "warning"),
    [
        ({"opted_out_at": timezone.now(), "opted_out_source": "keyword"}, "Opted out"),
        ({"wrong_at": timezone.now()}, "Wrong number"),
    ],
)
def test_a_warning_is_said_in_words(number: dict[str, Any], warning: str, as_alice: Browser, alice: User) -> None:
    builders.make_client(alice, **number)
    assert warning in words(as_alice.get("/"))


def test_a_text_that_was_not_delivered_is_said_in_words(as_alice: Browser, alice: User) -> None:
    builders.make_outgoing(builders.make_client(alice), state=Message.State.UNDELIVERED)
    assert "Not delivered" in words(as_alice.get("/"))


def test_nobody_elses_client_is_shown(as_alice: Browser, bob: User, charlie: User) -> None:
    for other in (bob, charlie):
        builders.make_client(other, last_name="Elsewhere")
    assert "Elsewhere" not in source(as_alice.get("/"))
    assert client_names(as_alice.get("/", {"search": "elsewhere"})) == []


def test_names_and_texts_with_markup_are_shown_as_typed(as_alice: Browser, alice: User) -> None:
    assignment = builders.make_client(alice, first_name="<b>Maria</b>", last_name='%s & "x"')
    builders.make_incoming(assignment, "<script>alert(1)</script>")
    page = as_alice.get("/", {"search": "<b>"})
    assert client_names(page) == ['<b>Maria</b> %s & "x"']
    assert "<b>Maria" not in source(page)
    assert "<script>alert" not in source(page)


@pytest.mark.parametrize("search", ["(801) 555-0177", "lopez maria", "Maria\0"])
def test_search_works_without_a_script_and_keeps_what_was_typed(search: str, as_alice: Browser, alice: User) -> None:
    builders.make_client(alice, address="+18015550177")
    builders.make_client(alice, first_name="Ana", last_name="Marin")
    page = as_alice.get("/", {"search": search})
    assert client_names(page) == ["Maria Lopez"]
    assert f'value="{search.strip(chr(0))}"' in source(page)
    assert "1 client matches" in words(page)


@pytest.mark.parametrize("search", ["\0", " ", "%", "x" * 5000, "\ufffe", "' OR 1=1 --", "a " * 3000, "9" * 100])
def test_any_search_is_answered(search: str, as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)
    assert as_alice.get("/", {"search": search}).status_code == 200


def test_a_search_without_a_match_says_so(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)
    assert "No client matches “<nobody>”" in words(as_alice.get("/", {"search": "<nobody>"}))


@pytest.mark.parametrize(
    ("asked", "shown"), [("1", 1), ("2", 2), ("99", 2), ("0", 2), ("x", 1), ("9" * 40, 2), ("", 1)]
)
def test_any_page_number_shows_a_page(asked: str, shown: int, as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 60)
    page = as_alice.get("/", {"page": asked})
    assert len(client_names(page)) == (50 if shown == 1 else 10)
    assert f"Page {shown} of 2" in words(page)


def test_paging_keeps_the_search(as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 60)
    assert 'href="?search=many&amp;page=2"' in source(as_alice.get("/", {"search": "many"}))


def test_the_title_counts_what_is_unread(as_alice: Browser, alice: User) -> None:
    builders.make_incoming(builders.make_client(alice))
    assert "<title>(1) My clients" in source(as_alice.get("/"))


def test_a_script_gets_the_list_alone(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)
    fragment = as_alice.get("/", headers={"HX-Request": "true"})
    assert client_names(fragment) == ["Maria Lopez"]
    assert "<html" not in source(fragment)


@pytest.mark.parametrize("clients", [10, 1000])
@pytest.mark.parametrize(("search", "more"), [("", 0), ("many", 2)])  # who matches, and how many former ones
def test_the_page_takes_as_many_queries_however_long_the_list_is(
    clients: int,
    search: str,
    more: int,
    as_alice: Browser,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    builders.make_caseload(alice, clients)
    as_alice.get("/")  # writes down that the session is used
    with django_assert_num_queries(QUERIES + more):
        page = as_alice.get("/", {"search": search})
    assert len(client_names(page)) == min(clients, 50)


def test_each_banner_takes_one_more(
    as_alice: Browser, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for assignment in builders.make_caseload(alice, 10):
        builders.make_outgoing(assignment, state=Message.State.FAILED)
    ClientStatus.objects.update(follow_up_days=1)
    as_alice.get("/")
    with django_assert_num_queries(QUERIES + 2):
        assert "The last text was not delivered" in source(as_alice.get("/"))


def test_the_page_is_private(as_alice: Browser) -> None:
    response = as_alice.get("/")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_contact_of_long_ago_is_told_in_weeks(as_alice: Browser, alice: User) -> None:
    assignment = builders.make_client(alice)
    CaseAssignment.objects.update(started_at=builders.minutes_ago(60 * 24 * 30))
    builders.make_incoming(assignment, at=timezone.now() - timedelta(days=15))
    assert "2 weeks ago" in words(as_alice.get("/")).replace("\xa0", " ")


def test_a_banner_names_whom_the_last_text_did_not_reach(as_alice: Browser, alice: User, bob: User) -> None:
    make: dict[str, Any] = {"state": Message.State.UNDELIVERED, "failure_reason": "unexplained"}
    for number in range(4):
        failed = builders.make_client(alice, last_name=f"No{number}")
        builders.make_outgoing(failed, at=builders.minutes_ago(number), **make)
    builders.make_outgoing(builders.make_client(bob, last_name="Olsen"), **make)
    page = words(as_alice.get("/"))
    assert "The last text was not delivered: Maria No3 , Maria No2 , Maria No1 and others" in page
    assert "Olsen" not in page


def test_nothing_that_needs_a_person_means_no_banner(as_alice: Browser, alice: User) -> None:
    builders.make_outgoing(builders.make_client(alice), state=Message.State.DELIVERED)
    assert "not delivered" not in words(as_alice.get("/"))


@pytest.mark.parametrize(
    "nonsense",
    [
        {"show": "x"},
        {"sort": "x"},
        {"status": "x"},
        {"status": "9" * 30},
        {"status": "-1"},
        {"page": "x"},
        {"sort": "-"},
    ],
)
def test_what_the_address_says_wrongly_shows_the_usual_list(
    nonsense: dict[str, str], as_alice: Browser, alice: User
) -> None:
    builders.make_client(alice)
    page = as_alice.get("/", nonsense)
    assert client_names(page) == ["Maria Lopez"]
    assert "Show all" not in words(page)


def test_another_departments_status_is_no_filter(as_alice: Browser, alice: User, charlie: User) -> None:
    builders.make_client(alice)
    elsewhere = ClientStatus.objects.filter(department=charlie.department)[0]
    assert client_names(as_alice.get("/", {"status": elsewhere.pk})) == ["Maria Lopez"]


def test_the_page_says_what_it_is_filtered_by_and_how_to_undo_it(as_alice: Browser, alice: User) -> None:
    active = ClientStatus.objects.get(department=alice.department, name="Active")
    builders.make_incoming(builders.make_client(alice))
    page = as_alice.get("/", {"show": "unread", "status": str(active.pk), "search": "maria", "sort": "name"})
    assert client_names(page) == ["Maria Lopez"]
    for said in ("Unread", "Status: Active", "“maria”", "Show all", "1 client matches"):
        assert said in words(page)
    assert f'href="/?search=maria&amp;status={active.pk}&amp;sort=name"' in source(page)
    assert f'href="/?search=maria&amp;show=unread&amp;status={active.pk}&amp;sort=-name"' in source(page)
    for chosen in ("unread", "name", str(active.pk)):
        assert f'<option value="{chosen}" selected>' in source(page)


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("unread", "Nothing is unread"),
        ("needs-reply", "Nobody waits for a reply"),
        ("not-delivered", "No last text failed"),
        ("opted-out", "Nobody has opted out"),
    ],
)
def test_a_filter_that_nobody_matches_says_so(show: str, said: str, as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)
    page = as_alice.get("/", {"show": show})
    assert said in words(page)
    assert "Show all clients" in words(page)
    assert f'<option value="{show}" selected>' in source(page)


def test_paging_keeps_filter_and_order(as_alice: Browser, alice: User) -> None:
    builders.make_caseload(alice, 60)
    assert 'href="?show=unread&amp;sort=-name&amp;page=2"' in source(as_alice.get("/?show=unread&sort=-name"))


def test_the_windows_address_follows_the_list(as_alice: Browser, alice: User) -> None:
    builders.make_client(alice)

    def asked(query: str, shown_before: str) -> Any:
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/{shown_before}"}
        return as_alice.get(f"/{query}", headers=headers).headers

    assert asked("?search=ma&show=&status=&sort=", "?search=m")["HX-Replace-Url"] == "/?search=ma"
    assert asked("?search=&show=unread", "")["HX-Push-Url"] == "/?show=unread"
    assert asked("?sort=name", "?sort=-name")["HX-Push-Url"] == "/?sort=name"
    assert "HX-Push-Url" not in asked("?search=ma", "")
    background = as_alice.get("/?show=unread", headers={"HX-Request": "true"})
    assert not {"HX-Push-Url", "HX-Replace-Url"} & set(background.headers)
    assert 'data-refresh-from="/?show=unread"' in source(background)


QUERIES_OF_A_FRAGMENT = 4  # the session, the person with the department, the figures, the rows


@pytest.mark.parametrize("clients", [10, 1000])
@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("", 0),
        ("sort=name", 0),
        ("sort=-scheduled", 0),
        ("show=unread", 1),  # who matches
        ("show=unread&sort=status", 1),
        ("show=unread&search=many", 2),  # and of former ones
        ("search=many&page=99", 2),
    ],
)
def test_each_look_takes_as_many_queries_however_long_the_list_is(
    clients: int,
    query: str,
    more: int,
    as_alice: Browser,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    builders.make_caseload(alice, clients)
    as_alice.get("/")
    with django_assert_num_queries(QUERIES_OF_A_FRAGMENT + more):
        assert client_names(as_alice.get(f"/?{query}", headers={"HX-Request": "true"}))
