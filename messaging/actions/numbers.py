"""What a person says of a client's number: no texts wanted, or somebody else's. Each with a reason, in the log."""

from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, PhoneNumber
from messaging import opt_outs
from messaging.actions.sending import NotYours


class OnlyTheClientCan(Exception):
    """The client opted out by texting STOP: only their START brings them back."""


@transaction.atomic
def record_opt_out(*, client_id: int, by: User, reason: str, now: datetime) -> None:
    """The client said, by whatever means, that no texts are wanted. Raises NotYours."""
    number = _number_of(client_id, by)
    opt_outs.opt_out(number, source=PhoneNumber.OptOutSource.PERSON, at=now, now=now, by=by, reason=reason)
    _log("number.opted_out", number, by, now)


@transaction.atomic
def lift_opt_out(*, client_id: int, by: User, reason: str, now: datetime) -> None:
    """Texts are wanted again. Only what a person recorded a person can lift. Raises OnlyTheClientCan, NotYours."""
    number = _number_of(client_id, by)
    if number.is_opted_out and number.opted_out_source != PhoneNumber.OptOutSource.PERSON:
        raise OnlyTheClientCan
    opt_outs.opt_in(number, at=now, by=by, reason=reason)
    _log("number.opted_in", number, by, now)


@transaction.atomic
def mark_wrong(*, client_id: int, by: User, reason: str, now: datetime) -> None:
    """Somebody else has this number. Raises NotYours."""
    number = _number_of(client_id, by)
    opt_outs.mark_wrong(number, by=by, reason=reason, now=now)
    _log("number.wrong", number, by, now)


@transaction.atomic
def mark_right(*, client_id: int, by: User, reason: str, now: datetime) -> None:
    """It is the client's number after all. Raises NotYours."""
    number = _number_of(client_id, by)
    opt_outs.mark_right(number, by=by, reason=reason, now=now)
    _log("number.right", number, by, now)


def _number_of(client_id: int, by: User) -> PhoneNumber:
    """The current number, its client locked, if the client is on the list of `by`."""
    client = routing.lock_client(client_id)
    if not CaseAssignment.objects.filter(client=client, case_manager=by, ended_at__isnull=True).exists():
        raise NotYours
    number = PhoneNumber.objects.filter(client=client, is_current=True).first()
    if number is None:
        raise NotYours
    return number


def _log(action: str, number: PhoneNumber, by: User, now: datetime) -> None:
    audit.record(action, f"number:{number.pk}", by=by, department=by.department, now=now)
