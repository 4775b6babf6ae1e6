"""From the wire into a conversation, or, where that can't be, to the stray texts: nothing that came is thrown away."""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.http import QueryDict

from messaging.actions.receiving import NoDepartment, receive_text
from telephony import payloads
from telephony.models import StrayText

logger = logging.getLogger(__name__)

Reason = StrayText.Reason
RETRY_AFTER = timedelta(minutes=1)
MAX_RETRY_AFTER = timedelta(hours=6)


def take(form: QueryDict, *, now: datetime) -> None:
    """Stores the text of a signed form. Raises only what keeps the stray text from being stored too."""
    reason = _receive({name: str(value) for name, value in form.items()}, now)
    if reason is not None:
        _keep_stray(form, reason, now)


def retry_stray_texts(*, now: datetime) -> int:
    """Tries each due stray text again (its department may exist by now). Returns how many found their place."""
    due = _due(now).order_by("try_at", "pk")
    return sum(_retry(pk, now) for pk in due.values_list("pk", flat=True)[:200])


@dataclass(frozen=True)
class StrayHealth:
    """What monitoring asks: how many have no place, and since when one can't be stored though it should have one."""

    count: int
    oldest_failed_at: datetime | None


def stray_health() -> StrayHealth:
    unplaced = StrayText.objects.filter(placed_at__isnull=True)
    failed = Min("received_at", filter=Q(reason=Reason.FAILED))
    return StrayHealth(**unplaced.aggregate(count=Count("pk"), oldest_failed_at=failed))


def _due(now: datetime) -> QuerySet[StrayText]:
    return StrayText.objects.filter(placed_at__isnull=True, try_at__lte=now)


@transaction.atomic
def _retry(pk: int, now: datetime) -> bool:
    stray = _due(now).select_for_update(skip_locked=True).filter(pk=pk).first()
    if stray is None:  # another sweep has it, or had it
        return False
    form = {name: values[-1] for name, values in stray.form.items() if values}
    reason = _receive(form, now, sent_at=stray.received_at)
    if reason is None:
        stray.placed_at = now
    else:
        stray.reason, stray.attempts = reason, stray.attempts + 1
        stray.try_at = now + min(RETRY_AFTER * 2**stray.attempts, MAX_RETRY_AFTER)
    stray.save()
    return reason is None


def _receive(form: dict[str, str], now: datetime, *, sent_at: datetime | None = None) -> StrayText.Reason | None:
    """None if the text is in its conversation; else why not. sent_at: when a stray text came, its place there."""
    try:
        receive_text(text=payloads.inbound_text(form), now=now, sent_at=sent_at)
    except NoDepartment:
        return Reason.NO_DEPARTMENT
    except payloads.NoSender:
        return Reason.NO_SENDER
    except Exception as error:  # whatever it is: the text is kept and tried again
        # Only the kind of error: the database's own words can hold the whole row, and so the text.
        logger.error("receiving %s failed with %s; kept as a stray text", form.get("MessageSid"), type(error).__name__)
        return Reason.FAILED
    return None


def _keep_stray(form: QueryDict, reason: StrayText.Reason, now: datetime) -> None:
    """The raw form, once. NUL, which PostgreSQL's JSON refuses, is left out."""
    raw = {name.replace("\0", ""): [value.replace("\0", "") for value in values] for name, values in form.lists()}
    StrayText.objects.bulk_create(
        [StrayText(carrier_id=_carrier_id(raw), reason=reason, form=raw, received_at=now, try_at=now + RETRY_AFTER)],
        ignore_conflicts=True,
    )


def _carrier_id(raw: dict[str, list[str]]) -> str:
    """The message's id; for a form without one, its fingerprint, so that a copy of it is the same stray text."""
    for name in ("MessageSid", "SmsSid"):
        if raw.get(name, [""])[-1]:
            return raw[name][-1][:64]
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
