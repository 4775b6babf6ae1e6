"""Somebody says that what stopped the sending is settled: the next text tries, without waiting for its turn."""

from datetime import datetime

from django.db import transaction

from accounts import audit, doorbell
from accounts.models import Department, User
from messaging import holds


@transaction.atomic
def try_again_now(*, department: Department, by: User, now: datetime) -> bool:
    """Lets one text try at once whether the stop on the department's number, or on the account, is settled.

    If it goes out, the others follow. False if nothing was stopped (any more).
    """
    if not holds.try_now([holds.WHOLE_ACCOUNT, department.phone_number], now=now):
        return False
    audit.record("sending.tried", f"department:{department.pk}", by=by, department=department, now=now)
    doorbell.ring("messaging.deliver_due")
    return True


@transaction.atomic
def try_number_now(*, number: str, by: User, now: datetime) -> bool:
    """The same for one stop, which the operator chose: of a number, or of the account (number empty)."""
    if not holds.try_now([number], now=now):
        return False
    department = Department.objects.filter(phone_number=number).first()
    subject = f"department:{department.pk}" if department else "account"
    audit.record("sending.tried", subject, by=by, department=department, now=now)
    doorbell.ring("messaging.deliver_due")
    return True
