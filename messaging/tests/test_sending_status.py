"""What monitoring and a department's page are told of the sending."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from clients.models import CaseAssignment
from messaging import holds
from messaging.failures import FailureReason
from messaging.models import BeatTick, CarrierWord, Message, Orphan, SenderNumber
from messaging.sending_status import DepartmentStatus, delivery_health, department_status
from tests import builders
from tests.builders import minutes_ago

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State


def test_monitoring_hears_of_the_oldest_due_text_and_of_the_unclear(alice: User) -> None:
    now = timezone.now()
    assignment = builders.make_client(alice)
    empty = delivery_health(now)
    assert (empty.oldest_due_at, empty.unknown_count, empty.last_tick_at) == (None, 0, None)
    oldest = builders.make_outgoing(assignment, at=now - timedelta(minutes=3))
    builders.make_outgoing(assignment, at=now - timedelta(minutes=1))
    builders.make_outgoing(assignment, due_at=now + timedelta(days=1))
    builders.make_outgoing(assignment, state=State.ACCEPTED, at=now - timedelta(hours=1))
    builders.make_outgoing(assignment, state=State.UNKNOWN)
    BeatTick.objects.create(at=now)
    health = delivery_health(now)
    assert (health.oldest_due_at, health.unknown_count, health.last_tick_at) == (oldest.due_at, 1, now)


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def status_of(assignment: CaseAssignment) -> DepartmentStatus:
    return department_status(assignment.client.department, timezone.now())


def orphan(assignment: CaseAssignment, carrier_id: str) -> Orphan:
    return Orphan.objects.create(
        carrier_id=carrier_id,
        department=assignment.client.department,
        direction=Message.Direction.OUTGOING,
        their_number="+13855550142",
        created_at=minutes_ago(9),
        found_at=minutes_ago(3),
    )


def test_a_new_department_has_nothing_to_tell(maria: CaseAssignment) -> None:
    status = status_of(maria)
    assert (status.stop, status.gap_since, status.compared_at, status.last_text_at) == (None, None, None, None)
    assert (status.waiting, status.unknown, status.unconfirmed, status.held, status.orphans) == (0, 0, 0, 0, 0)


def test_a_department_is_told_what_waits_for_what(maria: CaseAssignment) -> None:
    builders.make_outgoing(maria, at=minutes_ago(1))
    builders.make_outgoing(maria, due_at=timezone.now() + timedelta(hours=1))
    builders.make_outgoing(maria, state=State.UNKNOWN)
    for hold_reason in ("too_late", "opted_out"):
        builders.make_outgoing(maria, state=State.HELD, hold_reason=hold_reason)
    status = status_of(maria)
    assert (status.waiting, status.unknown, status.held) == (1, 1, 2)
    assert status.paced_until is None


def test_what_may_not_have_been_sent_counts_until_a_person_settles_it(maria: CaseAssignment) -> None:
    arrived, again, _open = (builders.make_outgoing(maria, state=State.UNCONFIRMED) for _ in range(3))
    Message.objects.filter(pk=arrived.pk).update(arrived_at=timezone.now())
    builders.make_outgoing(maria, retry_of=again)
    assert status_of(maria).unconfirmed == 1


def test_a_mass_message_tells_until_when_it_takes(maria: CaseAssignment) -> None:
    builders.make_outgoing(maria, at=minutes_ago(1), priority=Message.Priority.MASS)
    assert (status_of(maria).paced_until or minutes_ago(1)) > minutes_ago(0.1)


@pytest.mark.parametrize("is_whole_account", [True, False])
def test_a_stop_tells_since_when_and_why(maria: CaseAssignment, is_whole_account: bool) -> None:
    number = holds.WHOLE_ACCOUNT if is_whole_account else maria.client.department.phone_number
    since = minutes_ago(7)
    holds.put(number, reason=FailureReason.ACCOUNT, error_code=90010, now=since)
    stop = status_of(maria).stop
    assert stop is not None
    assert (stop.since, stop.try_at, stop.is_whole_account) == (since, since + holds.TRY_EVERY, is_whole_account)
    assert stop.reason == "ClientComm's account with the phone company has a problem"


def test_an_orphan_counts_until_it_is_known(maria: CaseAssignment) -> None:
    orphan(maria, "SM1")
    orphan(maria, "SM2")
    builders.make_outgoing(maria, state=State.DELIVERED, carrier_id="SM2")
    assert status_of(maria).orphans == 1
    assert delivery_health(timezone.now()).orphan_count == 1


def test_a_department_is_told_nothing_of_another(maria: CaseAssignment, charlie: User) -> None:
    other = builders.make_client(charlie)
    holds.put(other.client.department.phone_number, reason=FailureReason.OUR_NUMBER, error_code=1, now=minutes_ago(1))
    builders.make_outgoing(other, at=minutes_ago(1))
    builders.make_outgoing(other, state=State.UNKNOWN)
    builders.make_outgoing(other, state=State.UNCONFIRMED)
    builders.make_outgoing(other, state=State.HELD, hold_reason="too_late")
    orphan(other, "SM1")
    SenderNumber.objects.create(department=other.client.department, late_arrivals=3, compared_until=minutes_ago(1))
    status = status_of(maria)
    assert (status.stop, status.compared_at, status.late_arrivals) == (None, None, 0)
    assert (status.waiting, status.unknown, status.unconfirmed, status.held, status.orphans) == (0, 0, 0, 0, 0)


def test_when_the_carrier_reached_us_is_told_to_all(maria: CaseAssignment) -> None:
    at: datetime = minutes_ago(2)
    CarrierWord.objects.create(kind=CarrierWord.Kind.REPORT, at=at)
    status = status_of(maria)
    assert (status.last_text_at, status.last_report_at) == (None, at)


def test_it_costs_the_same_however_much_waits(
    maria: CaseAssignment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    builders.make_outgoing(maria, at=minutes_ago(1), priority=Message.Priority.MASS)
    with CaptureQueriesContext(connection) as few:
        status_of(maria)
    for _ in range(20):
        builders.make_outgoing(maria, at=minutes_ago(1), priority=Message.Priority.MASS)
    with django_assert_num_queries(len(few)):
        status_of(maria)
