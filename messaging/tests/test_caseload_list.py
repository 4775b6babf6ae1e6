"""Which clients a list shows and in which order: filters, columns, and the address that says so."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from clients.models import CaseAssignment, ClientStatus, PhoneNumber
from messaging import caseload_forms, queries
from messaging.caseload_list import Show, Sort, Wanted
from messaging.models import Message
from tests import builders

State = Message.State


def found(user: User, **asked: Any) -> list[str]:
    return [row.name for row in queries.caseload(user, Wanted(**asked)).page.object_list]


def named(user: User, last_name: str, **fields: Any) -> CaseAssignment:
    return builders.make_client(user, first_name="", last_name=last_name, **fields)


@pytest.mark.django_db
@pytest.mark.embedded
class TestFilters:
    def test_unread(self, alice: User) -> None:
        builders.make_incoming(named(alice, "Unread"))
        named(alice, "Read")
        assert found(alice, show=Show.UNREAD) == ["Unread"]

    def test_needs_a_reply_longest_first(self, alice: User) -> None:
        for name, minutes in (("Short", 5), ("Long", 500), ("Answered", 700)):
            builders.make_incoming(named(alice, name), at=builders.minutes_ago(minutes))
        answered = CaseAssignment.objects.get(client__last_name="Answered")
        builders.make_outgoing(answered, state=State.DELIVERED, at=builders.minutes_ago(1))
        written = named(alice, "Only written to")
        builders.make_outgoing(written, state=State.DELIVERED)
        named(alice, "Never contacted")
        assert found(alice, show=Show.NEEDS_REPLY) == ["Long", "Short"]
        assert found(alice, show=Show.NEEDS_REPLY, sort=Sort.NEWEST) == ["Short", "Long"]

    def test_a_text_for_later_is_no_reply_yet(self, alice: User) -> None:
        asked = named(alice, "Asked")
        builders.make_incoming(asked, at=builders.minutes_ago(5))
        builders.make_outgoing(asked, due_at=timezone.now() + timedelta(days=1))
        assert found(alice, show=Show.NEEDS_REPLY) == ["Asked"]

    def test_who_has_opted_out_waits_for_none(self, alice: User) -> None:
        builders.make_incoming(named(alice, "Out", opted_out_at=timezone.now(), opted_out_source="keyword"), "STOP")
        assert found(alice, show=Show.NEEDS_REPLY) == []

    def test_reading_alone_is_no_reply(self, alice: User) -> None:
        builders.make_incoming(named(alice, "Read"))
        CaseAssignment.objects.update(unread_count=0)
        assert found(alice, show=Show.NEEDS_REPLY) == ["Read"]

    def test_not_delivered(self, alice: User) -> None:
        builders.make_outgoing(named(alice, "Failed"), state=State.UNDELIVERED)
        builders.make_outgoing(named(alice, "Delivered"), state=State.DELIVERED)
        assert found(alice, show=Show.NOT_DELIVERED) == ["Failed"]

    def test_opted_out(self, alice: User) -> None:
        named(alice, "Out", opted_out_at=timezone.now(), opted_out_source="keyword")
        other = named(alice, "Has an old number that is out")
        PhoneNumber.objects.create(
            department=other.client.department,
            client=other.client,
            address="+18015550188",
            is_current=False,
            opted_out_at=timezone.now(),
            opted_out_source="keyword",
        )
        assert found(alice, show=Show.OPTED_OUT) == ["Out"]

    def test_a_status_and_a_filter_and_a_search_together(self, alice: User) -> None:
        inactive = ClientStatus.objects.get(department=alice.department, name="Inactive")
        for name, status in (("Adams", inactive), ("Adamski", None), ("Brown", inactive), ("Adamson", inactive)):
            assignment = named(alice, name)
            if status:
                CaseAssignment.objects.filter(pk=assignment.pk).update(status=status)
            if name != "Adamson":
                builders.make_incoming(assignment)
        assert found(alice, status_id=inactive.pk, show=Show.UNREAD, search="adam") == ["Adams"]
        assert found(alice, status_id=inactive.pk, sort=Sort.NAME) == ["Adams", "Adamson", "Brown"]

    @pytest.mark.parametrize("show", [show for show in Show.values if show != Show.FORMER])
    def test_nobody_elses_clients(self, show: str, alice: User, bob: User) -> None:
        out = {"opted_out_at": timezone.now(), "opted_out_source": "keyword"} if show == Show.OPTED_OUT else {}
        assignment = named(bob, "Elsewhere", **out)
        builders.make_outgoing(assignment, state=State.UNDELIVERED, at=builders.minutes_ago(9))
        builders.make_incoming(assignment)
        assert found(bob, show=show) == ["Elsewhere"]
        assert found(alice, show=show) == []


@pytest.mark.django_db
@pytest.mark.embedded
class TestOrder:
    def test_by_name_whatever_the_case(self, alice: User) -> None:
        for name in ("brown", "Adams", "Clark"):
            named(alice, name)
        assert found(alice, sort=Sort.NAME) == ["Adams", "brown", "Clark"]
        assert found(alice, sort=Sort.NAME_BACK) == ["Clark", "brown", "Adams"]

    def test_by_name_whatever_the_accents(self, alice: User) -> None:
        for name in ("Zapata", "Álvarez", "Alvarado", "Ångström", "Čapek", "Drew"):
            named(alice, name)
        assert found(alice, sort=Sort.NAME) == ["Alvarado", "Álvarez", "Ångström", "Čapek", "Drew", "Zapata"]

    def test_by_the_departments_order_of_statuses(self, alice: User) -> None:
        active, inactive = ClientStatus.objects.filter(department=alice.department).order_by("position")
        for name, status in (("None", None), ("Second", inactive), ("First", active)):
            CaseAssignment.objects.filter(pk=named(alice, name).pk).update(status=status)
        assert found(alice, sort=Sort.STATUS) == ["First", "Second", "None"]
        assert found(alice, sort=Sort.STATUS_BACK) == ["Second", "First", "None"]

    def test_by_what_is_scheduled(self, alice: User) -> None:
        for count in (1, 0, 2):
            CaseAssignment.objects.filter(pk=named(alice, f"{count}").pk).update(scheduled_count=count)
        assert found(alice, sort=Sort.SCHEDULED) == ["2", "1", "0"]
        assert found(alice, sort=Sort.SCHEDULED_BACK) == ["0", "1", "2"]

    def test_by_last_contact_unread_or_not(self, alice: User) -> None:
        builders.make_incoming(named(alice, "Unread"), at=builders.minutes_ago(90))
        builders.make_outgoing(named(alice, "Newer"), state=State.DELIVERED, at=builders.minutes_ago(9))
        assert found(alice) == ["Unread", "Newer"]
        assert found(alice, sort=Sort.NEWEST) == ["Newer", "Unread"]
        assert found(alice, sort=Sort.OLDEST) == ["Unread", "Newer"]

    @pytest.mark.parametrize("sort", Sort.values)
    def test_pages_together_hold_each_client_once_in_any_order(self, sort: str, alice: User) -> None:
        builders.make_caseload(alice, 120)
        at = timezone.now()
        CaseAssignment.objects.update(last_contact_at=at)  # all are equal but for their names
        pages = [queries.caseload(alice, Wanted(sort=sort, page=page)).page.object_list for page in "123"]
        assert len({row.client_id for row in itertools.chain(*pages)}) == 120


WANTED = st.builds(
    Wanted,
    search=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100).map(str.strip),
    show=st.sampled_from([show for show in Show.values if show != Show.FORMER]),
    status_id=st.none() | st.integers(0, 2**63 - 1),
    sort=st.sampled_from(Sort.values),
    page=st.integers(1, 999).map(str),
)
FORMER = st.builds(Wanted, search=st.sampled_from(["", "maria"]), show=st.just(Show.FORMER.value))


@given(asked=WANTED | FORMER)
def test_the_address_says_all_that_was_asked(asked: Wanted) -> None:
    assert caseload_forms.wanted(QueryDict(caseload_forms.query_of(asked).removeprefix("?"))) == asked


@given(query=st.text(max_size=200))
def test_whatever_stands_in_the_address_a_list_comes_of_it(query: str) -> None:
    asked = caseload_forms.wanted(QueryDict(query))
    assert asked.show in Show.values
    assert asked.sort in Sort.values
    assert len(asked.search) <= 100


def test_the_usual_list_has_the_bare_address() -> None:
    assert caseload_forms.query_of(Wanted()) == ""
    unknown = QueryDict("show=everything&sort=shoe+size&status=x&page=")
    assert caseload_forms.query_of(caseload_forms.wanted(unknown)) == ""


def test_a_column_chosen_again_turns_the_order_round() -> None:
    def heading(asked: Wanted, name: str) -> caseload_forms.Heading:
        return next(it for it in caseload_forms.headings(asked) if it.name == name)

    assert heading(Wanted(), "name").query == "?sort=name"
    assert heading(Wanted(), "name").aria_sort == ""
    assert heading(Wanted(sort="name", page="3"), "name") == caseload_forms.Heading(
        "name", "Client", "?sort=-name", "ascending"
    )
    assert heading(Wanted(sort="-name"), "name").query == "?sort=name"
    assert heading(Wanted(sort="-name"), "name").aria_sort == "descending"
    assert heading(Wanted(sort="contact"), "contact").aria_sort == "descending"
    assert heading(Wanted(sort="-scheduled"), "scheduled").aria_sort == "ascending"
    assert heading(Wanted(search="maria", show="unread"), "status").query == "?search=maria&show=unread&sort=status"


@pytest.mark.parametrize(
    ("before", "asked", "is_step"),
    [
        ("", Wanted("m"), False),
        ("?search=m", Wanted("ma"), False),
        ("?search=m&page=2", Wanted("ma"), False),
        ("", Wanted(show="unread"), True),
        ("?show=unread", Wanted(), True),
        ("?sort=name", Wanted(sort="-name"), True),
        ("?search=m", Wanted("m", status_id=3), True),
    ],
)
def test_another_filter_is_a_step_for_back_and_another_letter_is_none(
    before: str, asked: Wanted, *, is_step: bool
) -> None:
    assert caseload_forms.is_a_step(asked, f"http://testserver/{before}") is is_step
