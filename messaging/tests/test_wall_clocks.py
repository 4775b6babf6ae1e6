"""What is scheduled stays at its time on the wall."""

from dataclasses import fields
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import Department, User
from clients.actions import DepartmentSettings
from clients.models import CaseAssignment
from messaging import wall_clocks
from messaging.actions.departments import change_department
from messaging.models import Message
from messaging.schedule import WallClock
from tests.builders import make_client, make_outgoing, make_scheduled

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return make_client(alice)


def move_to(department: Department, zone: str, by: User) -> None:
    kept = {field.name: getattr(department, field.name) for field in fields(DepartmentSettings)}
    settings = DepartmentSettings(**kept | {"time_zone": zone})
    change_department(department=department, settings=settings, by=by, now=timezone.now())


def test_in_another_zone_nine_stays_nine(maria: CaseAssignment, department: Department, alice: User) -> None:
    message = make_scheduled(maria)
    assert message.when is not None
    move_to(department, "America/New_York", alice)
    assert wall_clocks.follow(now=timezone.now()) == 1
    message.refresh_from_db()
    there = WallClock(message.when.date, message.when.time, ZoneInfo("America/New_York"))
    assert message.when == there
    assert message.due_at == message.placed_at == there.due_at
    maria.refresh_from_db()
    assert maria.next_scheduled_at == there.due_at


def test_changing_the_zone_rings_for_it(
    maria: CaseAssignment, department: Department, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr("accounts.doorbell.ring", rung.append)
    move_to(department, "America/New_York", alice)
    assert rung == ["messaging.follow_wall_clocks"]


def test_when_the_rules_of_a_zone_change_the_moment_follows(maria: CaseAssignment) -> None:
    message = make_scheduled(maria)
    right = message.due_at
    assert right is not None
    Message.objects.filter(pk=message.pk).update(due_at=right + timedelta(hours=1))  # as older rules had it
    assert wall_clocks.follow(now=timezone.now()) == 1
    message.refresh_from_db()
    assert message.due_at == right


def test_what_is_right_already_or_has_gone_out_stays_untouched(
    maria: CaseAssignment, department: Department, elsewhere: Department, charlie: User
) -> None:
    make_scheduled(maria)
    make_scheduled(make_client(charlie))
    make_outgoing(maria)
    sent = make_scheduled(maria, state=Message.State.SENT)
    Message.objects.filter(pk=sent.pk).update(due_at=timezone.now())
    before = list(Message.objects.order_by("pk").values())
    assert wall_clocks.follow(now=timezone.now()) == 0
    assert list(Message.objects.order_by("pk").values()) == before
