"""Refused because of who sends it: nothing fails, all sending stops, somebody is told, and it goes on by itself."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Department, OutgoingEmail, User
from clients.models import CaseAssignment
from messaging import delivery, holds
from messaging.failures import FailureReason, HoldReason
from messaging.models import Message, SendingHold
from messaging.sms import Accepted, DeliveryReport, Refused, ReportedState
from messaging.tests.carriers import Carrier
from tests.builders import make_client, make_department, make_outgoing, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
SUSPENDED = Refused(FailureReason.ACCOUNT, 90010)
NOT_OURS = Refused(FailureReason.OUR_NUMBER, 21606)


@pytest.fixture(autouse=True)
def at_any_hour(department: Department) -> None:
    """Some of these texts are late, and what is late waits for the texting hours."""
    Department.objects.update(opens_at=time.min, closes_at=time.max)


@pytest.fixture
def maria() -> CaseAssignment:
    return make_client(make_user(make_department()))


@pytest.fixture
def admin(maria: CaseAssignment) -> User:
    return make_user(maria.client.department, "Ada Min", role=User.Role.ADMINISTRATOR)


@pytest.fixture
def later() -> Iterator[datetime]:
    """The time at which one text may try."""
    moment = timezone.now() + holds.TRY_EVERY + timedelta(seconds=1)
    with time_machine.travel(moment, tick=True):
        yield moment


def states_of(*messages: Message) -> list[str]:
    return [Message.objects.get(pk=message.pk).state for message in messages]


def test_the_text_that_ran_into_it_keeps_waiting(maria: CaseAssignment) -> None:
    message = make_outgoing(maria)
    delivery.deliver_due(Carrier(SUSPENDED))
    assert states_of(message) == [State.WAITING]


def test_the_carrier_is_not_asked_again_meanwhile(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    make_outgoing(make_client(maria.case_manager))
    carrier = Carrier(SUSPENDED)
    for _ in range(3):
        delivery.deliver_due(carrier)
    assert len(carrier.taken) == 1


def test_a_hold_on_the_account_stops_every_department(maria: CaseAssignment) -> None:
    holds.put(holds.WHOLE_ACCOUNT, reason=FailureReason.ACCOUNT, error_code=90010, now=timezone.now())
    other = make_outgoing(make_client(make_user(make_department())))
    assert delivery.deliver_due(Carrier()) == 0
    assert states_of(other) == [State.WAITING]


def test_a_hold_on_a_number_stops_that_number_only(maria: CaseAssignment) -> None:
    mine, other = make_outgoing(maria), make_outgoing(make_client(make_user(make_department())))
    delivery.deliver_due(Carrier(NOT_OURS))
    assert sorted(states_of(mine, other)) == [State.ACCEPTED, State.WAITING]


def test_when_it_is_settled_everything_goes_out_in_order(maria: CaseAssignment) -> None:
    first, second = make_outgoing(maria, "First"), make_outgoing(maria, "Second")
    delivery.deliver_due(Carrier(SUSPENDED))
    carrier = Carrier()
    with time_machine.travel(timezone.now() + holds.TRY_EVERY + timedelta(seconds=1)):
        delivery.deliver_due(carrier)
    assert carrier.bodies == ["First", "Second"]
    assert states_of(first, second) == [State.ACCEPTED, State.ACCEPTED]
    assert not SendingHold.objects.exists()


def test_one_text_alone_tries_whether_it_is_settled(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    make_outgoing(make_client(maria.case_manager))
    delivery.deliver_due(Carrier(SUSPENDED))
    carrier = Carrier(SUSPENDED, SUSPENDED)
    with time_machine.travel(timezone.now() + holds.TRY_EVERY + timedelta(seconds=1)):
        delivery.deliver_due(carrier)
        delivery.deliver_due(carrier)
    assert len(carrier.taken) == 1


def test_a_refusal_of_the_trial_text_itself_settles_it_too(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    delivery.deliver_due(Carrier(SUSPENDED))
    with time_machine.travel(timezone.now() + holds.TRY_EVERY + timedelta(seconds=1)):
        delivery.deliver_due(Carrier(Refused(FailureReason.NOT_A_MOBILE, 21614)))
    assert not SendingHold.objects.exists()


def test_a_call_that_was_under_way_does_not_lift_it(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    claim = delivery.claim_next(timezone.now())
    assert isinstance(claim, delivery.Claim)
    holds.put(holds.WHOLE_ACCOUNT, reason=FailureReason.ACCOUNT, error_code=90010, now=timezone.now())
    delivery.record_outcome(claim, Accepted("SM1"), now=timezone.now())
    assert SendingHold.objects.exists()


def test_trying_now_needs_no_waiting(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    delivery.deliver_due(Carrier(SUSPENDED))
    holds.try_now([holds.WHOLE_ACCOUNT], now=timezone.now())
    assert delivery.deliver_due(Carrier()) == 1


def test_trying_one_number_now_leaves_the_others_stopped(maria: CaseAssignment) -> None:
    other = make_outgoing(make_client(make_user(make_department())))
    mine = make_outgoing(maria)
    for message in (mine, other):
        holds.put(message.department.phone_number, reason=FailureReason.OUR_NUMBER, error_code=1, now=timezone.now())
    assert holds.try_now([mine.department.phone_number], now=timezone.now())
    delivery.deliver_due(Carrier())
    assert states_of(mine, other) == [State.ACCEPTED, State.WAITING]
    assert not holds.try_now(["+18015550199"], now=timezone.now())


def test_what_became_too_late_meanwhile_is_held_for_its_author(maria: CaseAssignment, later: datetime) -> None:
    message = make_outgoing(maria)
    holds.put(holds.WHOLE_ACCOUNT, reason=FailureReason.ACCOUNT, error_code=90010, now=timezone.now())
    delivery.hold_overdue(now=timezone.now() + timedelta(minutes=59))
    assert states_of(message) == [State.WAITING]
    delivery.hold_overdue(now=timezone.now() + timedelta(minutes=61))
    message.refresh_from_db()
    assert (message.state, message.hold_reason) == (State.HELD, HoldReason.TOO_LATE)


def test_a_departments_own_limit_counts(maria: CaseAssignment) -> None:
    Department.objects.update(late_limit_minutes=5)
    message = make_outgoing(maria)
    delivery.hold_overdue(now=timezone.now() + timedelta(minutes=6))
    assert states_of(message) == [State.HELD]


def test_administrators_are_told_once_of_their_number(maria: CaseAssignment, admin: User) -> None:
    make_user(make_department(), "Olga", role=User.Role.ADMINISTRATOR)
    for _ in range(2):
        holds.put(admin.department.phone_number, reason=FailureReason.OUR_NUMBER, error_code=21606, now=timezone.now())  # type: ignore[union-attr]
    (mail,) = OutgoingEmail.objects.all()
    assert mail.to == admin.email
    assert f"from {admin.department.display_number} at the moment" in mail.text_body  # type: ignore[union-attr]


def test_operators_and_all_administrators_are_told_of_the_account(maria: CaseAssignment, admin: User) -> None:
    operator = User.objects.create_superuser("operator@clientcomm.test", "a password for the tests", full_name="Op")
    holds.put(holds.WHOLE_ACCOUNT, reason=FailureReason.ACCOUNT, error_code=20003, now=timezone.now())
    mails = OutgoingEmail.objects.all()
    assert {mail.to for mail in mails} == {operator.email, admin.email}
    assert all("20003" in mail.text_body and "Try again now" in mail.text_body for mail in mails)


def test_a_report_that_the_number_is_not_registered_stops_it(maria: CaseAssignment) -> None:
    message = make_outgoing(maria, state=State.ACCEPTED, carrier_id="SM1")
    report = DeliveryReport(message.public_id, "SM1", ReportedState.FAILED, FailureReason.OUR_NUMBER, 30034)
    delivery.record_delivery_report(report, now=timezone.now())
    assert states_of(message) == [State.FAILED]
    assert holds.is_stopped(maria.client.department.phone_number)


def test_a_failure_of_one_text_stops_nothing(maria: CaseAssignment) -> None:
    make_outgoing(maria)
    delivery.deliver_due(Carrier(Refused(FailureReason.NOT_A_MOBILE, 21614)))
    assert not holds.is_stopped(maria.client.department.phone_number)
