"""Departments, their statuses, and people who move between departments."""

from dataclasses import replace
from datetime import datetime, time

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AUTOMATIC_REPLY, AuditEntry, Department, User
from clients import actions
from clients.actions import DepartmentIsFixed, DepartmentSettings, NumberIsFixed, StatusInUse, StatusSettings
from clients.models import ClientStatus
from tests import builders

pytestmark = pytest.mark.django_db

PROVO = DepartmentSettings("Provo Pretrial Services", "+13855550100", "America/Denver")


@pytest.fixture
def operator(db: None) -> User:
    return builders.make_user(None, "Olive Operator", is_superuser=True, is_staff=True)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def provo(operator: User, now: datetime) -> Department:
    return actions.create_department(settings=PROVO, by=operator, now=now)


def logged() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def status_names(department: Department) -> list[str]:
    return list(department.statuses.order_by("position").values_list("name", flat=True))


def test_a_new_department_has_two_statuses_and_a_line_in_its_log(provo: Department, operator: User) -> None:
    assert status_names(provo) == ["Active", "Inactive"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.by) == ("department.added", f"department:{provo.pk}", operator)
    assert entry.department == provo


def test_a_taken_number_makes_no_half_department(provo: Department, operator: User, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.create_department(settings=replace(PROVO, name="Another"), by=operator, now=now)
    assert Department.objects.count() == 1
    assert logged() == ["department.added"]


def test_a_change_is_logged_with_what_was_before(provo: Department, operator: User, now: datetime) -> None:
    wanted = replace(PROVO, name="Utah County Pretrial", phone_number="+18015550101", late_limit_minutes=30)
    actions.change_department(department=provo, settings=wanted, by=operator, now=now)
    actions.change_department(department=provo, settings=wanted, by=operator, now=now)  # nothing more to change
    provo.refresh_from_db()
    assert (provo.name, provo.phone_number, provo.late_limit_minutes) == ("Utah County Pretrial", "+18015550101", 30)
    assert logged() == ["department.added", "department.changed"]
    assert AuditEntry.objects.latest("pk").details == {
        "before": {"name": PROVO.name, "phone_number": PROVO.phone_number, "late_limit_minutes": 60}
    }


def test_what_the_log_keeps_of_pace_and_hours_can_be_read(provo: Department, operator: User, now: datetime) -> None:
    wanted = replace(PROVO, segments_per_second=None, opens_at=time(9), closes_at=time(17, 30), automatic_reply="")
    actions.change_department(department=provo, settings=wanted, by=operator, now=now)
    provo.refresh_from_db()
    assert (provo.segments_per_second, provo.opens_at, provo.closes_at) == (None, time(9), time(17, 30))
    assert AuditEntry.objects.latest("pk").details["before"] == {
        "segments_per_second": "1.00",
        "opens_at": "08:00:00",
        "closes_at": "21:00:00",
        "automatic_reply": AUTOMATIC_REPLY,
    }


def test_the_number_is_fixed_once_there_are_clients(provo: Department, operator: User, now: datetime) -> None:
    builders.make_client(None, department=provo)
    with pytest.raises(NumberIsFixed):
        actions.change_department(
            department=provo, settings=replace(PROVO, name="X", phone_number="+18015550101"), by=operator, now=now
        )
    provo.refresh_from_db()
    assert (provo.name, provo.phone_number) == (PROVO.name, PROVO.phone_number)
    actions.change_department(department=provo, settings=replace(PROVO, name="X"), by=operator, now=now)


def test_a_person_without_clients_can_move(alice: User, provo: Department, operator: User, now: datetime) -> None:
    before = alice.department_id
    actions.move_person(person=alice, department=provo, by=operator, now=now)
    actions.move_person(person=alice, department=provo, by=operator, now=now)
    alice.refresh_from_db()
    assert alice.department == provo
    assert logged() == ["department.added", "person.moved"]
    assert AuditEntry.objects.latest("pk").details == {"before": {"department": before}}


def test_a_person_who_ever_had_a_client_cannot(alice: User, provo: Department, operator: User, now: datetime) -> None:
    assignment = builders.make_client(alice)
    assignment.ended_at, assignment.end_reason = now, "deleted"
    assignment.save()
    with pytest.raises(DepartmentIsFixed):
        actions.move_person(person=alice, department=provo, by=operator, now=now)
    alice.refresh_from_db()
    assert alice.department != provo


def test_a_status_is_added_renamed_and_deleted(provo: Department, operator: User, now: datetime) -> None:
    status = actions.add_status(
        department=provo, settings=StatusSettings("Monitoring", 2, follow_up_days=30), by=operator, now=now
    )
    actions.change_status(status=status, settings=StatusSettings("Watching", 0, 14), by=operator, now=now)
    status.refresh_from_db()
    assert (status.name, status.position, status.follow_up_days) == ("Watching", 0, 14)
    actions.change_status(status=status, settings=StatusSettings("Watching", 0, 14), by=operator, now=now)
    actions.delete_status(status=status, by=operator, now=now)
    assert status_names(provo) == ["Active", "Inactive"]
    assert logged() == ["department.added", "status.added", "status.changed", "status.deleted"]


def test_a_status_that_a_client_has_stays(alice: User, operator: User, now: datetime) -> None:
    assignment = builders.make_client(alice)
    assert assignment.status is not None
    with pytest.raises(StatusInUse):
        actions.delete_status(status=assignment.status, by=operator, now=now)
    assert ClientStatus.objects.filter(department=alice.department).count() == 2
