"""The operator's pages: who gets in, what is written through them, and what they refuse in plain words."""

import re
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import audit
from accounts.models import AuditEntry, Department, User
from clientcomm import admin
from clientcomm.tests.admin_pages import errors_in, logged, notices, person_page, text_of, typed
from clients.models import ClientStatus
from conftest import signed_in
from messaging import holds
from messaging.failures import FailureReason
from messaging.models import Message, Orphan, SendingHold
from telephony.models import StrayText
from tests import builders

pytestmark = pytest.mark.django_db

OUR_NUMBER = FailureReason.OUR_NUMBER
PASSWORD = "correct horse battery staple"
LISTS = [
    "accounts/department/",
    "accounts/user/",
    "clients/clientstatus/",
    "accounts/auditentry/",
    "messaging/orphan/",
    "messaging/sendinghold/",
    "telephony/straytext/",
]
PAGES = ["", *LISTS, "accounts/department/add/", "accounts/user/add/", "clients/clientstatus/add/"]


def office(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Provo Pretrial Services",
        "phone_number": "(385) 555-0100",
        "time_zone": "America/Denver",
        "late_limit_minutes": 60,
        "idle_limit_hours": 12,
        "segments_per_second": "1",
        "opens_at": "08:00",
        "closes_at": "21:00",
        "automatic_reply": "Who is this?",
    } | changes


class TestWhoGetsIn:
    @pytest.mark.parametrize("page", PAGES)
    def test_the_operator(self, as_operator: Browser, page: str) -> None:
        assert as_operator.get(f"/admin/{page}").status_code == 200

    @pytest.mark.parametrize("page", PAGES)
    def test_nobody_else(
        self, as_alice: Browser, as_charlie: Browser, as_supervisor: Browser, page: str, department: Department
    ) -> None:
        as_administrator = signed_in(builders.make_user(department, "Adam", role=User.Role.ADMINISTRATOR))
        for browser in (as_alice, as_charlie, as_supervisor, as_administrator):
            response = browser.get(f"/admin/{page}", follow=True)
            assert response.status_code == 403
            assert "operators" not in text_of(response)

    @pytest.mark.parametrize("page", ["", "accounts/user/", "login/"])
    def test_a_visitor_signs_in_where_everybody_does(self, anonymous: Browser, page: str) -> None:
        response = anonymous.get(f"/admin/{page}", follow=True)
        assert response.redirect_chain[-1][0].startswith("/accounts/login/")

    def test_a_password_sent_to_the_admins_own_form_is_not_even_looked_at(
        self, anonymous: Browser, operator: User
    ) -> None:
        response = anonymous.post("/admin/login/", {"username": operator.email, "password": builders.PASSWORD})
        assert response.headers["Location"].startswith("/accounts/login/")
        assert not anonymous.session.keys()

    def test_nobody_writes_by_guessing_the_address(self, as_supervisor: Browser, alice: User) -> None:
        response = as_supervisor.post(person_page(alice), typed(alice, role="administrator"))
        assert response.status_code in (302, 403)
        alice.refresh_from_db()
        assert alice.role == "case_manager"

    def test_only_our_own_models_are_there(self) -> None:
        registered = {model.__name__ for model in admin.site._registry}
        kept = {"AuditEntry", "Orphan", "SendingHold", "StrayText"}
        assert registered == {"Department", "User", "ClientStatus"} | kept

    def test_changing_ones_password_is_the_account_settings_business(self, as_operator: Browser) -> None:
        assert as_operator.get("/admin/password_change/").headers["Location"] == "/account/settings/"


class TestDepartments:
    def test_a_new_one_starts_with_two_statuses(self, as_operator: Browser, operator: User) -> None:
        response = as_operator.post("/admin/accounts/department/add/", office(), follow=True)
        assert "was added successfully" in notices(response)
        made = Department.objects.get()
        assert made.phone_number == "+13855550100"
        assert list(made.statuses.order_by("position").values_list("name", flat=True)) == ["Active", "Inactive"]
        assert AuditEntry.objects.get().by == operator

    @pytest.mark.parametrize("number", ["385 555 0100", "+1 385-555-0100", "385.555.0100", "1 (385) 555-0100"])
    def test_the_number_is_understood_in_any_usual_writing(self, as_operator: Browser, number: str) -> None:
        as_operator.post("/admin/accounts/department/add/", office(phone_number=number))
        assert Department.objects.get().phone_number == "+13855550100"

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"phone_number": "555-0100"}, "Is the area code there?"),
            ({"phone_number": "the office"}, "not a phone number"),
            ({"time_zone": "Denver"}, "Select a valid choice"),
            ({"idle_limit_hours": 0}, "greater than or equal to 1"),
            ({"late_limit_minutes": 0}, "greater than or equal to 1"),
            ({"segments_per_second": "0"}, "greater than or equal to 0.01"),
            ({"opens_at": "21:00", "closes_at": "08:00"}, "must end later on the day than they begin"),
            ({"opens_at": "08:00", "closes_at": "08:00"}, "must end later on the day than they begin"),
            ({"opens_at": ""}, "This field is required"),
            ({"automatic_reply": "x" * 1601}, "A text can have 1,600 characters"),
            ({"automatic_reply": "{department}" + "x" * 1590}, "A text can have 1,600 characters"),
        ],
    )
    def test_what_cannot_be_is_refused(self, as_operator: Browser, wrong: dict[str, Any], words: str) -> None:
        response = as_operator.post("/admin/accounts/department/add/", office(**wrong))
        assert words in errors_in(response)
        assert not Department.objects.exists()

    def test_pace_hours_and_reply_are_written_as_typed(self, as_operator: Browser) -> None:
        wanted = office(segments_per_second="0.5", opens_at="07:30", closes_at="20:00", automatic_reply="Hi.\r\nWho? ")
        as_operator.post("/admin/accounts/department/add/", wanted)
        made = Department.objects.get()
        assert (made.segments_per_second, made.opens_at, made.closes_at) == (Decimal("0.5"), time(7, 30), time(20))
        assert made.automatic_reply == "Hi.\nWho?"

    def test_an_empty_pace_is_no_limit_and_an_empty_reply_is_none(self, as_operator: Browser) -> None:
        as_operator.post("/admin/accounts/department/add/", office(segments_per_second="", automatic_reply=""))
        assert Department.objects.values_list("segments_per_second", "automatic_reply").get() == (None, "")

    def test_a_new_ones_form_proposes_a_reply_and_explains_the_pace(self, as_operator: Browser) -> None:
        page = text_of(as_operator.get("/admin/accounts/department/add/"))
        assert "Thank you for texting {department}" in page
        assert "3 for a toll-free one" in page

    def test_a_number_serves_one_department(self, as_operator: Browser, department: Department) -> None:
        response = as_operator.post("/admin/accounts/department/add/", office(phone_number="801 555 0100"))
        assert "already exists" in errors_in(response)

    def test_the_number_can_be_corrected_while_there_are_no_clients(
        self, as_operator: Browser, department: Department
    ) -> None:
        page = f"/admin/accounts/department/{department.pk}/change/"
        as_operator.post(page, office(phone_number="(385) 555-0101"))
        department.refresh_from_db()
        assert department.phone_number == "+13855550101"
        assert logged() == ["department.changed"]

    def test_the_number_is_fixed_once_there_are(self, as_operator: Browser, alice: User) -> None:
        builders.make_client(alice)
        page = f"/admin/accounts/department/{alice.department_id}/change/"
        assert "it can't be changed any more" in text_of(as_operator.get(page))
        as_operator.post(page, office(name="Renamed", phone_number="(385) 555-0101"))
        changed = Department.objects.values_list("name", "phone_number").get()
        assert changed == ("Renamed", "+18015550100")

    def test_none_is_deleted(self, as_operator: Browser, department: Department) -> None:
        page = f"/admin/accounts/department/{department.pk}/delete/"
        assert as_operator.post(page, {"post": "yes"}).status_code == 403


class TestStatuses:
    def test_adding_and_renaming(self, as_operator: Browser, department: Department) -> None:
        data = {
            "department": department.pk,
            "name": "Monitoring",
            "colour": "green",
            "position": 2,
            "follow_up_days": 30,
        }
        as_operator.post("/admin/clients/clientstatus/add/", data)
        status = ClientStatus.objects.get(name="Monitoring")
        assert (status.department, status.follow_up_days) == (department, 30)
        page = f"/admin/clients/clientstatus/{status.pk}/change/"
        as_operator.post(page, {"name": "Watching", "colour": "grey", "position": 0, "follow_up_days": ""})
        status.refresh_from_db()
        assert (status.name, status.follow_up_days) == ("Watching", None)
        assert logged() == ["status.added", "status.changed"]

    def test_a_name_is_there_once_in_a_department(
        self, as_operator: Browser, department: Department, elsewhere: Department
    ) -> None:
        words = "This department has a status of that name already."
        data = {"department": department.pk, "name": "Active", "colour": "grey", "position": 2}
        assert words in errors_in(as_operator.post("/admin/clients/clientstatus/add/", data))
        inactive = ClientStatus.objects.get(department=department, name="Inactive")
        page = f"/admin/clients/clientstatus/{inactive.pk}/change/"
        assert words in errors_in(as_operator.post(page, {"name": "Active", "colour": "grey", "position": 2}))

    def test_it_stays_in_its_department(
        self, as_operator: Browser, department: Department, elsewhere: Department
    ) -> None:
        status = ClientStatus.objects.get(department=department, name="Inactive")
        page = f"/admin/clients/clientstatus/{status.pk}/change/"
        as_operator.post(page, {"department": elsewhere.pk, "name": "Inactive", "colour": "grey", "position": 5})
        status.refresh_from_db()
        assert (status.department, status.position) == (department, 5)

    def test_one_that_clients_have_stays(self, as_operator: Browser, alice: User) -> None:
        used, unused = ClientStatus.objects.filter(department=alice.department).order_by("position")
        builders.make_client(alice)
        response = as_operator.post(f"/admin/clients/clientstatus/{used.pk}/delete/", {"post": "yes"}, follow=True)
        assert "Clients have or had this status: it stays." in notices(response)
        as_operator.post(f"/admin/clients/clientstatus/{unused.pk}/delete/", {"post": "yes"})
        assert list(ClientStatus.objects.filter(department=alice.department)) == [used]


def make_orphan(department: Department, carrier_id: str) -> Orphan:
    common = {"created_at": timezone.now(), "found_at": timezone.now(), "their_number": "+13855550142"}
    return Orphan.objects.create(carrier_id=carrier_id, department=department, direction="out", **common)


def make_rows(kind: str, count: int, department: Department) -> None:
    for number in range(count):
        match kind:
            case "accounts/department/":
                builders.make_department(phone_number=f"+1212555{100 + number:04d}")
            case "accounts/user/":
                builders.make_user(department, f"Person {number}")
            case "clients/clientstatus/":
                ClientStatus.objects.create(department=department, name=f"Status {number}")
            case "accounts/auditentry/":
                by = User.objects.first()
                audit.record("person.changed", "user:1", by=by, department=department, now=timezone.now())
            case "messaging/orphan/":
                make_orphan(department, f"SM{number}")
            case "messaging/sendinghold/":
                holds.put(f"+1212555{100 + number:04d}", reason=OUR_NUMBER, error_code=21606, now=timezone.now())
            case _:
                StrayText.objects.create(carrier_id=f"SM{number}", reason="no_department", form={"Body": ["Hello"]})


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_costs_the_same_however_many_rows_it_has(
    as_operator: Browser,
    kind: str,
    count: int,
    department: Department,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_rows(kind, count, department)
    with django_assert_max_num_queries(8):
        response = as_operator.get(f"/admin/{kind}")
    assert len(response.context["cl"].result_list) >= count


def test_lists_come_in_pages(as_operator: Browser, department: Department) -> None:
    make_rows("accounts/user/", 55, department)
    assert len(as_operator.get("/admin/accounts/user/").context["cl"].result_list) == 50
    assert len(as_operator.get("/admin/accounts/user/", {"all": ""}).context["cl"].result_list) == 50


@pytest.mark.parametrize("page", LISTS)
def test_nothing_is_deleted_by_the_dozen(as_operator: Browser, alice: User, page: str) -> None:
    assert "delete_selected" not in text_of(as_operator.get(f"/admin/{page}"))


class TestReadOnly:
    @pytest.fixture
    def pages(self, department: Department, operator: User) -> list[str]:
        make_rows("accounts/auditentry/", 1, department)
        make_rows("telephony/straytext/", 1, department)
        make_rows("messaging/orphan/", 1, department)
        make_rows("messaging/sendinghold/", 1, department)
        return [
            f"/admin/accounts/auditentry/{AuditEntry.objects.get().pk}/",
            f"/admin/telephony/straytext/{StrayText.objects.get().pk}/",
            f"/admin/messaging/orphan/{Orphan.objects.get().pk}/",
            f"/admin/messaging/sendinghold/{SendingHold.objects.get().pk}/",
        ]

    def test_the_log_and_stray_texts_are_shown(self, as_operator: Browser, pages: list[str]) -> None:
        shown = [text_of(as_operator.get(f"{page}change/")) for page in pages]
        assert "person.changed" in shown[0]
        assert "UTC" in shown[0]
        assert "Hello" in shown[1]
        assert "(385) 555-0142" in shown[2]
        assert "(212) 555-0100" in shown[3]
        assert not any('name="_save"' in page for page in shown)

    @pytest.mark.parametrize("verb", ["change", "delete"])
    def test_and_nothing_else(self, as_operator: Browser, pages: list[str], verb: str) -> None:
        for page in pages:
            assert as_operator.post(f"{page}{verb}/", {"post": "yes"}).status_code == 403
            assert as_operator.get(re.sub(r"\d+/$", "add/", page)).status_code == 403
        assert (AuditEntry.objects.count(), StrayText.objects.count()) == (1, 1)
        assert (Orphan.objects.count(), SendingHold.objects.count()) == (1, 1)


def test_an_orphans_number_stands_on_the_page_alone(as_operator: Browser, department: Department) -> None:
    """Addresses and titles end in logs and histories."""
    orphan = make_orphan(department, "SM1")
    for page in ("/admin/messaging/orphan/", f"/admin/messaging/orphan/{orphan.pk}/change/"):
        html = as_operator.get(page).content.decode()
        assert "(385) 555-0142" in html
        titles_and_links = re.findall(r'<title>.*?</title>|href="[^"]*"', html, re.DOTALL)
        assert not any("0142" in text for text in titles_and_links)


def test_one_that_turned_out_to_be_known_is_not_shown(as_operator: Browser, alice: User) -> None:
    assert alice.department is not None
    make_orphan(alice.department, "SM1")
    builders.make_outgoing(builders.make_client(alice), state=Message.State.DELIVERED, carrier_id="SM1")
    assert list(as_operator.get("/admin/messaging/orphan/").context["cl"].result_list) == []


def test_the_operator_lets_a_stopped_number_try_again(as_operator: Browser, operator: User, alice: User) -> None:
    assert alice.department is not None
    number, now = alice.department.phone_number, timezone.now()
    for stopped in (number, holds.WHOLE_ACCOUNT):
        holds.put(stopped, reason=OUR_NUMBER, error_code=21606, now=now)
    mine = SendingHold.objects.get(number=number)
    page = as_operator.post(
        "/admin/messaging/sendinghold/", {"action": "try_again_now", "_selected_action": [mine.pk]}, follow=True
    )
    assert "The next text tries now." in notices(page)
    mine.refresh_from_db()
    assert mine.try_at <= timezone.now()
    assert SendingHold.objects.get(number="").try_at > timezone.now()
    assert AuditEntry.objects.get(action="sending.tried").by == operator


def pages_of_everything(alice: User) -> list[str]:
    department, status = alice.department_id, ClientStatus.objects.filter(department=alice.department)[0].pk
    return [
        *PAGES,
        f"accounts/department/{department}/change/",
        f"accounts/user/{alice.pk}/change/",
        f"accounts/user/{alice.pk}/delete/",
        f"accounts/user/{alice.pk}/history/",
        f"clients/clientstatus/{status}/change/",
    ]


def test_every_page_fits_our_strict_content_security_policy(as_operator: Browser, alice: User) -> None:
    """No inline script, style or handler: the policy is the one of all pages, without exceptions."""
    for page in pages_of_everything(alice):
        response: HttpResponse = as_operator.get(f"/admin/{page}")  # type: ignore[assignment]
        assert response.status_code == 200
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        html = response.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), page
        for script in re.findall(r"<script[^>]*>", html):
            assert "src=" in script or 'type="application/json"' in script, page
