"""The department's statuses: its administrators' page, and what must hold of them."""

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Department, User
from clients import actions
from clients.models import CaseAssignment, ClientStatus
from conftest import signed_in
from messaging.templatetags.statuses import status_chip
from messaging.tests.pages import field, source, words
from tests import builders
from tests.running import ROOT
from tests.threads import at_once

pytestmark = pytest.mark.django_db

PAGE = "/department/statuses/"
FIELDS = {"name": "Monitoring", "colour": "blue", "follow_up_days": "30"}


@pytest.fixture
def admin(department: Department) -> User:
    return builders.make_user(department, "Ann Archer", role=User.Role.ADMINISTRATOR)


@pytest.fixture
def as_admin(admin: User) -> Browser:
    return signed_in(admin)


def named(name: str) -> ClientStatus:
    return ClientStatus.objects.get(name=name)


def names(department: Department) -> list[str]:
    return list(department.statuses.order_by("position", "name").values_list("name", flat=True))


def do(browser: Browser, status: ClientStatus, choice: str) -> Any:
    return browser.post(f"{PAGE}{status.pk}/{choice}/", follow=True)


def logged() -> list[str]:
    return list(AuditEntry.objects.filter(action__startswith="status.").order_by("pk").values_list("action", flat=True))


@pytest.mark.embedded
class TestThePage:
    def test_lists_them_in_order_with_colour_follow_up_and_how_many_have_it(
        self, as_admin: Browser, alice: User
    ) -> None:
        ClientStatus.objects.filter(name="Active").update(colour="green", follow_up_days=30)
        builders.make_client(alice)
        shown = words(as_admin.get(PAGE))
        assert re.search("Active Follow-up after 30 days · 1 client .*Inactive No follow-up · 0 clients", shown)
        assert '<span class="status-chip status-green"><bdi>Active</bdi></span>' in source(as_admin.get(PAGE))

    def test_adds_one_at_the_end(self, as_admin: Browser, department: Department, admin: User) -> None:
        page = as_admin.post(PAGE, FIELDS, follow=True)
        assert "Added: Monitoring" in source(page)
        assert names(department) == ["Active", "Inactive", "Monitoring"]
        made = named("Monitoring")
        assert (made.department, made.colour, made.follow_up_days) == (department, "blue", 30)
        entry = AuditEntry.objects.get(action="status.added")
        assert (entry.by, entry.subject) == (admin, f"status:{made.pk}")

    def test_changes_name_colour_and_follow_up(self, as_admin: Browser) -> None:
        active = named("Active")
        assert field(as_admin.get(f"{PAGE}{active.pk}/"), "name") == "Active"
        page = as_admin.post(f"{PAGE}{active.pk}/", {"name": "Supervised", "colour": "amber", "follow_up_days": ""})
        assert page["Location"] == PAGE
        active.refresh_from_db()
        assert (active.name, active.colour, active.follow_up_days, active.position) == ("Supervised", "amber", None, 0)
        entry = AuditEntry.objects.get(action="status.changed")
        assert entry.details == {"before": {"name": "Active", "colour": "grey"}}

    def test_moves_up_and_down_and_stays_at_the_ends(self, as_admin: Browser, department: Department) -> None:
        as_admin.post(PAGE, FIELDS)
        do(as_admin, named("Monitoring"), "up")
        assert names(department) == ["Active", "Monitoring", "Inactive"]
        do(as_admin, named("Active"), "down")
        assert names(department) == ["Monitoring", "Active", "Inactive"]
        for name, choice in (("Monitoring", "up"), ("Inactive", "down")):
            do(as_admin, named(name), choice)
        assert names(department) == ["Monitoring", "Active", "Inactive"]
        assert logged() == ["status.added", "status.moved", "status.moved"]

    def test_moves_also_those_that_stood_at_one_place(self, as_admin: Browser, department: Department) -> None:
        ClientStatus.objects.update(position=0)
        do(as_admin, named("Inactive"), "up")
        assert names(department) == ["Inactive", "Active"]

    def test_deletes_one_that_nobody_has(self, as_admin: Browser, department: Department) -> None:
        assert "Deleted: Inactive" in source(do(as_admin, named("Inactive"), "delete"))
        assert names(department) == ["Active"]
        assert AuditEntry.objects.get(action="status.deleted").details == {"before": {"name": "Inactive"}}

    def test_takes_as_many_queries_however_many_there_are(
        self, as_admin: Browser, department: Department, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        as_admin.get(PAGE)
        for count in (2, 30):
            while department.statuses.count() < count:
                ClientStatus.objects.create(department=department, name=f"S{department.statuses.count()}")
            with django_assert_num_queries(4):  # the session, the person, the statuses, how many have them
                as_admin.get(PAGE)

    def test_is_linked_from_the_departments_page_for_who_may(self, as_admin: Browser, as_supervisor: Browser) -> None:
        assert f'href="{PAGE}"' in source(as_admin.get("/department/"))
        assert f'href="{PAGE}"' not in source(as_supervisor.get("/department/"))


class TestRefusals:
    @pytest.mark.parametrize("name", ["Active", "active", " ACTIVE "])
    def test_a_name_that_is_taken(self, name: str, as_admin: Browser, department: Department) -> None:
        page = as_admin.post(PAGE, FIELDS | {"name": name})
        assert "This department has a status of that name already." in words(page)
        assert field(page, "follow_up_days") == "30"
        assert names(department) == ["Active", "Inactive"]

    def test_another_departments_name_is_free(self, as_admin: Browser, elsewhere: Department) -> None:
        ClientStatus.objects.create(department=elsewhere, name="Monitoring")
        as_admin.post(PAGE, FIELDS)
        assert ClientStatus.objects.filter(name="Monitoring").count() == 2

    def test_the_own_name_in_other_capitals_is_free(self, as_admin: Browser) -> None:
        status = named("Active")
        as_admin.post(f"{PAGE}{status.pk}/", FIELDS | {"name": "ACTIVE"})
        status.refresh_from_db()
        assert status.name == "ACTIVE"

    @pytest.mark.parametrize(
        "wrong",
        [{"name": ""}, {"name": "x" * 51}, {"colour": "pink"}, {"follow_up_days": "0"}, {"follow_up_days": "x"}],
    )
    def test_what_cannot_be_is_said_beside_its_field(
        self, wrong: dict[str, str], as_admin: Browser, department: Department
    ) -> None:
        page = as_admin.post(PAGE, FIELDS | wrong)
        assert page.status_code == 200
        assert "This needs another look" in words(page)
        assert names(department) == ["Active", "Inactive"]

    def test_one_that_clients_have_stays(self, as_admin: Browser, alice: User, department: Department) -> None:
        builders.make_client(alice)
        page = do(as_admin, named("Active"), "delete")
        assert "Active stays: 1 client has it. Give them another status first." in source(page)
        assert names(department) == ["Active", "Inactive"]
        assert f"{PAGE}{named('Active').pk}/delete/" not in source(page)

    def test_one_that_clients_had_stays(self, as_admin: Browser, alice: User, department: Department) -> None:
        builders.make_client(alice)
        CaseAssignment.objects.update(ended_at=timezone.now(), end_reason="deleted")
        assert "Active stays: clients had it before." in source(do(as_admin, named("Active"), "delete"))
        assert names(department) == ["Active", "Inactive"]

    def test_the_last_one_stays(self, as_admin: Browser, department: Department) -> None:
        do(as_admin, named("Inactive"), "delete")
        page = do(as_admin, named("Active"), "delete")
        assert "A department keeps at least one status." in source(page)
        assert names(department) == ["Active"]

    def test_what_no_button_says_is_not_there(self, as_admin: Browser) -> None:
        assert as_admin.post(f"{PAGE}{named('Active').pk}/sideways/").status_code == 404

    def test_what_was_deleted_meanwhile_is_said(self, as_admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        """The page still found it."""

        def gone(**_given: Any) -> None:
            raise ClientStatus.DoesNotExist

        monkeypatch.setattr(actions, "delete_status", gone)
        assert "This status was deleted meanwhile." in source(do(as_admin, named("Active"), "delete"))


def test_nobody_but_an_administrator_gets_in(
    as_alice: Browser, as_charlie: Browser, as_supervisor: Browser, anonymous: Browser, department: Department
) -> None:
    for path in (PAGE, f"{PAGE}{named_in(department).pk}/"):
        for browser in (as_alice, as_charlie, as_supervisor):
            assert browser.get(path).status_code == 404
            assert browser.post(path, FIELDS).status_code == 404
        assert anonymous.get(path).status_code == 302
    assert names(department) == ["Active", "Inactive"]


def named_in(department: Department) -> ClientStatus:
    return department.statuses.order_by("position")[0]


def test_another_departments_administrator_reaches_only_the_own(department: Department, elsewhere: Department) -> None:
    browser = signed_in(builders.make_user(elsewhere, "Ann Else", role=User.Role.ADMINISTRATOR))
    assert browser.post(f"{PAGE}{named_in(department).pk}/delete/").status_code == 404
    assert names(department) == ["Active", "Inactive"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_leave_one_status(admin: User, department: Department) -> None:
    both: list[ClientStatus] = []

    def delete() -> str:
        try:
            actions.delete_status(status=both.pop(), by=admin, now=timezone.now())
        except actions.LastStatus:
            return "last"
        return "deleted"

    for _time in range(20):
        department.statuses.all().delete()
        both += [ClientStatus.objects.create(department=department, name=name) for name in ("One", "Two")]
        assert sorted(at_once(delete, times=2)) == ["deleted", "last"]
        assert department.statuses.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_of_one_name_at_once_make_one(admin: User, department: Department) -> None:
    settings = actions.StatusSettings("Monitoring", 2)

    def add() -> str:
        try:
            actions.add_status(department=department, settings=settings, by=admin, now=timezone.now())
        except actions.StatusNameTaken:
            return "taken"
        return "added"

    assert sorted(at_once(add, times=2)) == ["added", "taken"]
    assert names(department) == ["Active", "Inactive", "Monitoring"]


def test_a_chip_has_a_word_beside_its_colour_and_no_markup_of_anybody() -> None:
    assert status_chip("<b>", "red") == '<span class="status-chip status-red"><bdi>&lt;b&gt;</bdi></span>'
    assert status_chip("", "") == ""


def test_each_colour_has_a_token_in_light_and_dark() -> None:
    tokens, rules = ((ROOT / "static/css" / name).read_text() for name in ("tokens.css", "base.css"))
    light, dark = tokens.split("@media (prefers-color-scheme: dark)")[:2]
    for colour in ClientStatus.Colour.values:
        assert f"--status-{colour}:" in light
        assert f"--status-{colour}:" in dark
        assert f"var(--status-{colour})" in rules


def test_the_list_and_the_card_show_the_chip(as_alice: Browser, alice: User) -> None:
    ClientStatus.objects.update(colour="purple")
    assignment = builders.make_client(alice)
    chip = '<span class="status-chip status-purple"><bdi>Active</bdi></span>'
    assert chip in source(as_alice.get("/"))
    assert source(as_alice.get(f"/conversations/{assignment.client_id}/")).count(chip) == 2  # the head, and the card
