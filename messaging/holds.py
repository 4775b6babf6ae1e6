"""Stops on sending that every worker sees: for one department's number, or for the whole account at the carrier.

When the carrier refuses a text because of who sends it, every further text would fail the same way. So everything stays
queued, the people who can settle it are told, and one text in five minutes tries whether it is settled.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import Q

from accounts import mail, phone_numbers
from accounts.models import User
from accounts.statements import Statement
from messaging.failures import FailureReason
from messaging.models import SendingHold

logger = logging.getLogger(__name__)

TRY_EVERY = timedelta(minutes=5)
WHOLE_ACCOUNT = ""

# For the claim, in SQL: whose sending is stopped while it isn't yet time to try whether that is settled.
STOPPED_DEPARTMENTS = f"""
SELECT d.id FROM accounts_department d JOIN messaging_sendinghold h ON h.number IN ('{WHOLE_ACCOUNT}', d.phone_number)
WHERE h.try_at > %(now)s
"""  # noqa: S608  # our own words


def scope_of(reason: FailureReason | None, our_number: str) -> str | None:
    """Whose sending such a refusal stops: our number's, WHOLE_ACCOUNT, or nobody's (None)."""
    if reason is FailureReason.ACCOUNT:
        return WHOLE_ACCOUNT
    return our_number if reason is FailureReason.OUR_NUMBER else None


_STOPPED = Statement(
    "is_sending_stopped", "SELECT 1 FROM messaging_sendinghold WHERE number IN ('', %(number)s)", number="varchar"
)


def is_stopped(our_number: str) -> bool:
    """Whether nothing goes out from our number. Each page of a conversation asks."""
    return _STOPPED.first(number=our_number) is not None


class Turn(Enum):
    """Whether a text may go out: freely, as the one that tries whether a hold is settled, or not yet."""

    FREE = auto()
    TRIAL = auto()
    NOT_YET = auto()


def take_turn(our_number: str, now: datetime) -> Turn:
    """Within a claim, after the gate. Of several loops that come when it is time to try, one gets the trial."""
    holds = list(SendingHold.objects.select_for_update().filter(number__in=[WHOLE_ACCOUNT, our_number]).order_by("pk"))
    if not holds:
        return Turn.FREE
    if any(hold.try_at > now for hold in holds):
        return Turn.NOT_YET
    SendingHold.objects.filter(pk__in=[hold.pk for hold in holds]).update(try_at=now + TRY_EVERY)
    return Turn.TRIAL


@transaction.atomic
def put(number: str, *, reason: FailureReason, error_code: int | None, now: datetime) -> None:
    """Stops the sending and tells those who can settle it, once."""
    hold = SendingHold(number=number, reason=reason, error_code=error_code, since=now, try_at=now + TRY_EVERY)
    SendingHold.objects.bulk_create([hold], ignore_conflicts=True)
    if SendingHold.objects.filter(number=number, told_at__isnull=True).update(told_at=now):
        logger.critical("sending is stopped for %s: error %s", number[-2:] or "the whole account", error_code)
        for person in _who_can_settle(number):
            context = {
                "person": person,
                "number": phone_numbers.display(number),
                "reason": reason.label,
                "error_code": error_code or "-",
            }
            mail.queue("messaging/email/sending_stopped", to=person.email, context=context, now=now)


def _who_can_settle(number: str) -> list[User]:
    """The operators and the administrators: of the department whose number it is, or of all."""
    administrators = Q(role=User.Role.ADMINISTRATOR)
    if number != WHOLE_ACCOUNT:
        administrators &= Q(department__phone_number=number)
    return list(User.objects.filter(Q(is_superuser=True) | administrators, is_active=True).order_by("pk"))


def lift(our_number: str) -> None:
    """The carrier took a text from our number: what held it up is settled."""
    lifted, _rows = SendingHold.objects.filter(number__in=[WHOLE_ACCOUNT, our_number]).delete()
    if lifted:
        logger.warning("sending goes on")


def try_now(numbers: Collection[str], *, now: datetime) -> bool:
    """Somebody says that it is settled: the next text tries. False if none of these numbers is stopped."""
    return SendingHold.objects.filter(number__in=numbers).update(try_at=now) > 0
