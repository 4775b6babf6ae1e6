"""Adding and changing people: what the log keeps, what is refused, and that no password is ever written down."""

from datetime import datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.actions import people as actions
from accounts.actions.people import EmailTaken, HasHistory, Profile
from accounts.models import AuditEntry, Department, OutgoingEmail, User
from tests import builders

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operator@clientcomm.test", PASSWORD, full_name="Olive Operator")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def profile(email: str = "new@clientcomm.test", name: str = "Nora New", **fields: str) -> Profile:
    return Profile(email=email, full_name=name, role=User.Role(fields.get("role", "case_manager")))


def test_a_new_person_can_sign_in_only_once_there_is_a_password(
    department: Department, operator: User, now: datetime
) -> None:
    person = actions.add_person(profile=profile(), department=department, by=operator, now=now)
    assert not person.has_usable_password()
    actions.set_password(person=person, password=PASSWORD, by=operator, now=now)
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert (person.is_staff, person.is_superuser) == (False, False)


def test_adding_is_in_the_log_without_the_password(department: Department, operator: User, now: datetime) -> None:
    person = actions.add_person(profile=profile(), department=department, by=operator, now=now, password=PASSWORD)
    actions.set_password(person=person, password=f"{PASSWORD} 2", by=operator, now=now)
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.action, entry.subject, entry.by, entry.at) for entry in entries] == [
        ("person.added", f"user:{person.pk}", operator, now),
        ("person.password_set", f"user:{person.pk}", operator, now),
    ]
    person.refresh_from_db()
    for secret in (PASSWORD, person.password):
        assert not any(secret in str(entry.details) for entry in entries)


def test_an_address_is_given_once_in_whatever_letters(department: Department, alice: User, now: datetime) -> None:
    with pytest.raises(EmailTaken):
        actions.add_person(profile=profile(alice.email.upper()), department=department, by=None, now=now)
    assert not AuditEntry.objects.exists()


def test_of_two_people_added_at_once_with_one_address_the_database_takes_one(
    department: Department, alice: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User.objects, "filter", lambda **_: User.objects.none())  # as if both had just asked
    with pytest.raises(EmailTaken):
        actions.add_person(profile=profile(alice.email), department=department, by=None, now=now)


def test_a_change_is_logged_with_what_was_before(alice: User, operator: User, now: datetime) -> None:
    changed = actions.change_person(
        person=alice, profile=profile(alice.email, "Alice Archer", role="supervisor"), by=operator, now=now
    )
    assert (changed.full_name, changed.role) == ("Alice Archer", "supervisor")
    entry = AuditEntry.objects.get()
    assert entry.details == {"before": {"full_name": "Alice Adams", "role": "case_manager"}}
    assert entry.department == alice.department


def test_no_change_leaves_no_trace(alice: User, operator: User, now: datetime) -> None:
    actions.change_person(person=alice, profile=profile(alice.email, alice.full_name), by=operator, now=now)
    assert not AuditEntry.objects.exists()


def test_a_new_address_counts_at_once_and_the_old_one_is_told(alice: User, operator: User, now: datetime) -> None:
    old = alice.email
    EmailAddress.objects.create(user=alice, email=old, verified=True, primary=True)
    User.objects.filter(pk=alice.pk).update(pending_email="asked-for@clientcomm.test")
    changed = actions.change_person(
        person=alice, profile=profile("alice.archer@clientcomm.test", alice.full_name), by=operator, now=now
    )
    assert (changed.email, changed.pending_email) == ("alice.archer@clientcomm.test", "")
    assert not EmailAddress.objects.exists()
    assert [mail.to for mail in OutgoingEmail.objects.all()] == [old]


def test_a_change_to_a_taken_address_changes_nothing(alice: User, bob: User, operator: User, now: datetime) -> None:
    with pytest.raises(EmailTaken):
        actions.change_person(person=alice, profile=profile(bob.email.upper(), "Alice Archer"), by=operator, now=now)
    alice.refresh_from_db()
    assert alice.full_name == "Alice Adams"
    assert not AuditEntry.objects.exists()


def test_opening_an_account_again_is_logged_once(department: Department, operator: User, now: datetime) -> None:
    person = builders.make_user(department, "Carla Closed", is_active=False)
    actions.enable_person(person=person, by=operator, now=now)
    actions.enable_person(person=person, by=operator, now=now)
    person.refresh_from_db()
    assert person.is_active
    assert [entry.action for entry in AuditEntry.objects.all()] == ["person.enabled"]


def test_who_was_added_by_mistake_can_be_deleted(department: Department, operator: User, now: datetime) -> None:
    person = actions.add_person(profile=profile(), department=department, by=operator, now=now)
    subject = f"user:{person.pk}"
    actions.delete_person(person=person, by=operator, now=now)
    assert not User.objects.filter(email="new@clientcomm.test").exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "subject")) == [
        ("person.added", subject),
        ("person.deleted", subject),
    ]


def test_who_has_clients_or_stands_in_the_log_cannot_be_deleted(
    alice: User, bob: User, operator: User, now: datetime
) -> None:
    assignment = builders.make_client(alice)
    assignment.ended_at, assignment.end_reason = now - timedelta(days=1), "deleted"
    assignment.save()
    actions.enable_person(person=builders.make_user(bob.department, "Dora", is_active=False), by=bob, now=now)
    for person in (alice, bob):
        with pytest.raises(HasHistory):
            actions.delete_person(person=person, by=operator, now=now)
    assert User.objects.filter(pk__in=[alice.pk, bob.pk]).count() == 2
