"""The gate in front of the carrier: every reason not to send, and that there is no other."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment, PhoneNumber
from messaging import gate
from messaging.failures import HoldReason
from messaging.models import Message

NOW = timezone.now()
OPEN = CaseAssignment(case_manager=User(is_active=True))
NUMBER = "+18015550177"


def reason_to_hold(
    number: PhoneNumber | None = None, *, assignment: CaseAssignment = OPEN, late: timedelta = timedelta(0)
) -> HoldReason | None:
    department = Department(late_limit_minutes=60)
    message = Message(assignment=assignment, department=department, due_at=NOW - late)
    return gate.reason_to_hold(message, number or PhoneNumber(address=NUMBER), NOW)


def test_a_text_in_order_goes_out() -> None:
    assert reason_to_hold() is None


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (PhoneNumber(address=NUMBER), None),
        (None, HoldReason.NO_CLIENT),
        (PhoneNumber(address="32665"), HoldReason.NOT_TEXTABLE),
        (PhoneNumber(address="ACME"), HoldReason.NOT_TEXTABLE),
        (PhoneNumber(address="whatsapp:+18015550177"), HoldReason.NOT_TEXTABLE),
        (PhoneNumber(address=NUMBER, opted_out_at=NOW), HoldReason.OPTED_OUT),
        (PhoneNumber(address=NUMBER, wrong_at=NOW), HoldReason.WRONG_NUMBER),
        (PhoneNumber(address=NUMBER, opted_out_at=NOW, wrong_at=NOW), HoldReason.OPTED_OUT),
    ],
)
def test_the_number_decides_for_the_composer(number: PhoneNumber | None, reason: HoldReason | None) -> None:
    assert gate.reason_against_number(number) == reason


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (PhoneNumber(address="32665"), HoldReason.NOT_TEXTABLE),
        (PhoneNumber(address=NUMBER, opted_out_at=NOW), HoldReason.OPTED_OUT),
        (PhoneNumber(address=NUMBER, wrong_at=NOW), HoldReason.WRONG_NUMBER),
    ],
)
def test_the_number_decides_at_the_moment_of_sending_too(number: PhoneNumber, reason: HoldReason) -> None:
    assert reason_to_hold(number) == reason


def test_without_a_number_nothing_goes_out() -> None:
    message = Message(assignment=OPEN, department=Department(), due_at=NOW)
    assert gate.reason_to_hold(message, None, NOW) == HoldReason.NO_CLIENT


def test_nothing_goes_to_a_client_who_left_the_list() -> None:
    assert reason_to_hold(assignment=CaseAssignment(ended_at=NOW)) == HoldReason.NO_CLIENT


def test_nothing_goes_out_for_a_closed_account() -> None:
    closed = CaseAssignment(case_manager=User(is_active=False))
    assert reason_to_hold(assignment=closed) == HoldReason.NO_CASE_MANAGER


def test_an_answer_to_an_unclaimed_client_goes_out() -> None:
    assert reason_to_hold(assignment=CaseAssignment(case_manager=None)) is None


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (timedelta(minutes=-5), None),
        (timedelta(minutes=60), None),
        (timedelta(minutes=60, microseconds=1), HoldReason.TOO_LATE),
    ],
)
def test_a_text_is_too_late_after_the_departments_limit(late: timedelta, reason: HoldReason | None) -> None:
    assert reason_to_hold(late=late) == reason
