"""Closing an account: only once nobody's texts would be lost by it."""

from datetime import datetime

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import AuditEntry, User
from messaging.actions.people import HasActiveClients, OwnAccount, disable_person
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> User:
    return builders.make_user(None, "Olive Operator", is_superuser=True, is_staff=True)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def test_a_disabled_person_is_out_at_the_next_request(
    alice: User, as_alice: Browser, operator: User, now: datetime
) -> None:
    assert as_alice.get("/").status_code == 200
    disable_person(person=alice, by=operator, now=now)
    assert as_alice.get("/").status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.by) == ("person.disabled", f"user:{alice.pk}", operator)
    assert entry.department == alice.department


def test_twice_is_logged_once(alice: User, operator: User, now: datetime) -> None:
    disable_person(person=alice, by=operator, now=now)
    disable_person(person=alice, by=operator, now=now)
    assert AuditEntry.objects.count() == 1


def test_active_clients_are_in_the_way_and_named(alice: User, operator: User, now: datetime) -> None:
    for number in range(12):
        builders.make_client(alice, first_name="Maria", last_name=f"Lopez {number:02d}")
    with pytest.raises(HasActiveClients) as refusal:
        disable_person(person=alice, by=operator, now=now)
    assert refusal.value.names == [f"Maria Lopez {number:02d}" for number in range(10)]
    assert refusal.value.count == 12
    alice.refresh_from_db()
    assert alice.is_active
    assert not AuditEntry.objects.exists()


def test_former_clients_and_those_of_colleagues_are_not_in_the_way(
    alice: User, bob: User, operator: User, now: datetime
) -> None:
    former = builders.make_client(alice)
    former.ended_at, former.end_reason = now, "transferred"
    former.save()
    builders.make_client(bob)
    assert not disable_person(person=alice, by=operator, now=now).is_active


def test_nobody_closes_the_own_account(operator: User, now: datetime) -> None:
    with pytest.raises(OwnAccount):
        disable_person(person=operator, by=operator, now=now)
