"""People in the operator's pages: adding, changing, closing an account, deleting, and whom they refuse to lose."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, Department, OutgoingEmail, User
from clientcomm.admin_forms import active_clients_words
from clientcomm.tests.admin_pages import errors_in, logged, notices, person_page, text_of, typed
from messaging.actions.people import HasActiveClients
from tests import builders

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


class TestPeople:
    def new(self, department: Department, **changes: Any) -> dict[str, Any]:
        return {
            "full_name": "Nora New",
            "email": "nora@clientcomm.test",
            "department": department.pk,
            "role": "case_manager",
            "desk_phone": "801 555 0150 ext. 4",
            "new_password": "",
        } | changes

    def test_a_new_person_gets_a_link_to_choose_a_password(self, as_operator: Browser, department: Department) -> None:
        as_operator.post("/admin/accounts/user/add/", self.new(department))
        person = User.objects.get(email="nora@clientcomm.test")
        assert (person.department, person.desk_phone) == (department, "+18015550150;ext=4")
        assert (person.is_active, person.is_staff, person.is_superuser) == (True, False, False)
        assert not person.has_usable_password()
        assert [queued.to for queued in OutgoingEmail.objects.all()] == [person.email]
        assert logged() == ["person.added", "person.invited"]

    def test_a_typed_password_works_and_is_written_down_nowhere(
        self, as_operator: Browser, department: Department
    ) -> None:
        as_operator.post("/admin/accounts/user/add/", self.new(department, new_password=PASSWORD))
        person = User.objects.get(email="nora@clientcomm.test")
        assert person.check_password(PASSWORD)
        assert not OutgoingEmail.objects.exists()
        logs = [*AuditEntry.objects.values_list("details", flat=True), *LogEntry.objects.values_list("change_message")]
        assert len(logs) == 2
        assert PASSWORD not in str(logs)
        assert person.password not in str(logs)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"new_password": "too short"}, "at least 12 characters"),
            ({"new_password": "nora@clientcomm.test"}, "too similar to the e-mail"),
            ({"department": ""}, "This field is required"),
            ({"full_name": ""}, "This field is required"),
            ({"desk_phone": "upstairs"}, "not a phone number"),
            ({"role": "king"}, "Select a valid choice"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, as_operator: Browser, department: Department, wrong: dict[str, str], words: str
    ) -> None:
        response = as_operator.post("/admin/accounts/user/add/", self.new(department) | wrong)
        assert words in errors_in(response)
        assert not User.objects.filter(full_name="Nora New").exists()
        assert 'value="too short"' not in text_of(response)

    def test_an_address_is_given_once_in_whatever_letters(self, as_operator: Browser, alice: User) -> None:
        assert alice.department is not None
        data = self.new(alice.department, email=alice.email.upper())
        response = as_operator.post("/admin/accounts/user/add/", data)
        assert errors_in(response).count("Someone has this e-mail address already.") == 1

    def test_changes_go_to_the_log_with_who_and_what_was_before(
        self, as_operator: Browser, operator: User, alice: User, as_alice: Browser
    ) -> None:
        data = typed(alice, full_name="Alice Archer", role="supervisor", new_password=PASSWORD)
        as_operator.post(person_page(alice), data)
        alice.refresh_from_db()
        assert (alice.full_name, alice.role, alice.check_password(PASSWORD)) == ("Alice Archer", "supervisor", True)
        assert logged() == ["person.changed", "person.password_set"]
        assert all(entry.by == operator for entry in AuditEntry.objects.all())
        assert as_alice.get("/").status_code == 302  # a new password ends her sessions

    def test_saving_without_a_change_leaves_no_trace(self, as_operator: Browser, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(desk_phone="+18015550150;ext=4")
        as_operator.post(person_page(alice), typed(alice, desk_phone="(801) 555-0150 ext. 4"))
        assert logged() == []

    def test_a_person_without_clients_can_change_department(
        self, as_operator: Browser, alice: User, elsewhere: Department
    ) -> None:
        as_operator.post(person_page(alice), typed(alice, department=elsewhere.pk))
        alice.refresh_from_db()
        assert alice.department == elsewhere

    def test_a_person_with_clients_cannot(self, as_operator: Browser, alice: User, elsewhere: Department) -> None:
        builders.make_client(alice)
        before = alice.department
        assert "it can't be changed" in text_of(as_operator.get(person_page(alice)))
        as_operator.post(person_page(alice), typed(alice, department=elsewhere.pk))
        alice.refresh_from_db()
        assert alice.department == before

    def test_the_operator_stays_signed_in_with_a_new_password(self, as_operator: Browser, operator: User) -> None:
        as_operator.post(person_page(operator), typed(operator, new_password=PASSWORD))
        assert as_operator.get("/admin/").status_code == 200
        operator.refresh_from_db()
        assert operator.check_password(PASSWORD)
        assert operator.department is None

    def test_they_are_listed_by_address_and_found_by_name_and_address(
        self, as_operator: Browser, alice: User, bob: User, charlie: User
    ) -> None:
        listed = as_operator.get("/admin/accounts/user/").context["cl"].result_list
        assert [person.email for person in listed] == sorted(person.email for person in User.objects.all())
        for search, found in (("clark", [charlie]), (bob.email, [bob])):
            response = as_operator.get("/admin/accounts/user/", {"q": search})
            assert list(response.context["cl"].result_list) == found
        response = as_operator.get("/admin/accounts/user/", {"department__id__exact": str(alice.department_id)})
        assert set(response.context["cl"].result_list) == {alice, bob}


class TestClosingAnAccount:
    def run(self, browser: Browser, action: str, *chosen: User) -> Any:
        data = {"action": action, "_selected_action": [person.pk for person in chosen]}
        return browser.post("/admin/accounts/user/", data, follow=True)

    def test_by_the_form(self, as_operator: Browser, alice: User) -> None:
        as_operator.post(person_page(alice), typed(alice, is_active=False))
        assert not User.objects.get(pk=alice.pk).is_active
        as_operator.post(person_page(alice), typed(alice, is_active="on"))
        assert User.objects.get(pk=alice.pk).is_active
        assert logged() == ["person.disabled", "person.enabled"]

    def test_for_many_at_once(self, as_operator: Browser, alice: User, bob: User) -> None:
        assert "2 accounts were closed." in notices(self.run(as_operator, "disable_people", alice, bob))
        assert not User.objects.filter(pk__in=[alice.pk, bob.pk], is_active=True).exists()
        assert "1 account is open again." in notices(self.run(as_operator, "enable_people", bob))
        assert logged() == ["person.disabled", "person.disabled", "person.enabled"]

    def test_the_form_refuses_while_there_are_clients(self, as_operator: Browser, alice: User) -> None:
        builders.make_client(alice, first_name="Maria", last_name="Lopez")
        response = as_operator.post(person_page(alice), typed(alice, is_active=False, full_name="Alice Archer"))
        assert "Alice Adams still works with Maria Lopez. Move these clients" in errors_in(response)
        alice.refresh_from_db()
        assert (alice.is_active, alice.full_name) == (True, "Alice Adams")

    def test_the_action_refuses_them_and_closes_the_others(self, as_operator: Browser, alice: User, bob: User) -> None:
        for number in range(12):
            builders.make_client(alice, last_name=f"Lopez {number:02d}")
        said = notices(self.run(as_operator, "disable_people", alice, bob))
        assert "Maria Lopez 00, " in said
        assert "Maria Lopez 09 and 2 more" in said
        assert "1 account was closed." in said
        assert [User.objects.get(pk=person.pk).is_active for person in (alice, bob)] == [True, False]

    def test_so_does_deleting(self, as_operator: Browser, alice: User) -> None:
        builders.make_client(alice)
        for answer in (
            as_operator.get(f"/admin/accounts/user/{alice.pk}/delete/", follow=True),
            as_operator.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}, follow=True),
        ):
            assert "Alice Adams still works with Maria Lopez" in notices(answer)
        assert User.objects.filter(pk=alice.pk).exists()

    def test_nobody_locks_the_own_account(self, as_operator: Browser, operator: User) -> None:
        as_operator.post(person_page(operator), typed(operator, is_active=False))
        assert "can't close your own" in notices(self.run(as_operator, "disable_people", operator))
        response = as_operator.post(f"/admin/accounts/user/{operator.pk}/delete/", {"post": "yes"}, follow=True)
        assert "can't delete your own" in notices(response)
        operator.refresh_from_db()
        assert operator.is_active

    def test_the_words_name_ten_at_most(self, alice: User) -> None:
        refusal = HasActiveClients(alice, ["Maria Lopez", "Ann Lee"], 2)
        assert active_clients_words(refusal).startswith("Alice Adams still works with Maria Lopez, Ann Lee. Move")

    def test_inviting_again(self, as_operator: Browser, alice: User, department: Department) -> None:
        waiting = builders.make_user(department, "Wanda")
        waiting.set_unusable_password()
        waiting.save()
        closed = builders.make_user(department, "Carl", is_active=False)
        said = notices(self.run(as_operator, "invite_people", alice, waiting, closed))
        assert "Wanda was invited." in said
        assert "Alice Adams has a password already" in said
        assert "The account of Carl is closed." in said
        assert [queued.to for queued in OutgoingEmail.objects.all()] == [waiting.email]


class TestDeletingPeople:
    def test_somebody_added_by_mistake(self, as_operator: Browser, alice: User) -> None:
        page = f"/admin/accounts/user/{alice.pk}/delete/"
        assert "Are you sure" in text_of(as_operator.get(page))
        as_operator.post(page, {"post": "yes"})
        assert not User.objects.filter(pk=alice.pk).exists()
        assert logged() == ["person.deleted"]

    def test_not_somebody_with_history(self, as_operator: Browser, alice: User) -> None:
        audit.record("conversation.viewed", "client:1", by=alice, department=alice.department, now=timezone.now())
        response = as_operator.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}, follow=True)
        assert "must stay on record. Close the account instead." in notices(response)
        assert User.objects.filter(pk=alice.pk).exists()
