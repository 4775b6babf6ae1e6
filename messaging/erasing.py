"""Retention at the carrier: once it is known what became of a text, its words and files there are erased.

A department's setting. Each of its messages goes once through a queue of its own (erase_at), in the order of the ids,
so neither sending nor receiving has to think of it. What is still on its way is looked at again later. An incoming text
whose files were not fetched keeps everything at the carrier until they are: nowhere else are they kept.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.models import Department
from messaging.models import Attachment, Message, SenderNumber
from messaging.sms import CarrierErasure, CarrierUnreachable

logger = logging.getLogger(__name__)

State = Message.State

RUNS_FOR_SECONDS = 20  # a shutdown waits for it
BATCH = 1000
QUEUE_AT_MOST = 2000  # due at once: a department that switches it on brings its older texts little by little
IDS_COMMIT_WITHIN = 10_000  # an id is given before its row can be seen: how far behind the newest one may still appear
NO_RECEIPT_AFTER = timedelta(days=3)  # some phone companies never confirm: `sent` is the last word then
LOOK_AGAIN_SOON, LOOK_AGAIN_LATER = timedelta(minutes=5), timedelta(hours=3)
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=2), timedelta(hours=6)
STUCK_AFTER = 6  # attempts: about two hours

_KEPT_THERE_ALONE = Q(direction=Message.Direction.INCOMING) & Q(
    Exists(Attachment.objects.filter(message=OuterRef("pk")))
)


def erase_due(carrier: CarrierErasure, *, now: datetime) -> int:
    """Takes up what is new, and erases what is due, for a while. Returns how many texts the carrier forgot."""
    for department in Department.objects.order_by("pk"):
        if department.erase_at_carrier:
            _take_up(department, now)
        else:
            _let_go(department)
    _sort_out(now)
    erased, until = 0, time.monotonic() + RUNS_FOR_SECONDS
    while time.monotonic() < until and (message := _claim(timezone.now())) is not None:
        try:
            done = carrier.erase(message.carrier_id or "", with_media=message.is_outgoing)
        except CarrierUnreachable:
            logger.warning("the carrier can't be asked to erase; message %s and others wait", message.pk)
            break
        if done:
            erased += Message.objects.filter(pk=message.pk).update(erase_at=None, erased_at=timezone.now())
        elif message.erase_attempts + 1 == STUCK_AFTER:
            logger.error("message %s could not be erased at the carrier, attempt %s", message.pk, STUCK_AFTER)
    return erased


def stuck() -> QuerySet[Message]:
    """What the carrier has not forgotten in spite of many attempts."""
    return Message.objects.filter(erase_at__isnull=False, erase_attempts__gte=STUCK_AFTER)


def _take_up(department: Department, now: datetime) -> None:
    """Puts the department's next messages into the queue."""
    if Message.objects.filter(erase_at__lte=now).count() >= QUEUE_AT_MOST:
        return
    sender, _made = SenderNumber.objects.get_or_create(department=department)
    newest = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    new = Message.objects.filter(
        department=department,
        erase_at__isnull=True,
        erased_at__isnull=True,
        pk__gt=sender.erase_from_id - IDS_COMMIT_WITHIN,
    )
    with transaction.atomic():
        ids = list(_locked(new).order_by("pk").values_list("pk", flat=True)[:BATCH])
        Message.objects.filter(pk__in=ids).update(erase_at=now)
        up_to = max(sender.erase_from_id, ids[-1]) if len(ids) == BATCH else newest
        SenderNumber.objects.filter(pk=sender.pk).update(erase_from_id=up_to)


def _let_go(department: Department) -> None:
    """Switched off: what waits is dropped, and switching on begins with the oldest text again."""
    if SenderNumber.objects.filter(department=department, erase_from_id__gt=0).update(erase_from_id=0):
        Message.objects.filter(department=department, erase_at__isnull=False).update(erase_at=None, erase_attempts=0)


def _sort_out(now: datetime) -> None:
    """Of what is due: drops what never was at the carrier, and puts off what it can't forget yet."""
    due = Message.objects.filter(erase_at__lte=now)
    with transaction.atomic():
        refused = _locked(due.filter(state=State.FAILED, carrier_id__isnull=True)).values_list("pk", flat=True)
        Message.objects.filter(pk__in=list(refused)).update(erase_at=None, erased_at=now)
        too_early = list(_locked(due.exclude(_ripe(now))).values_list("pk", flat=True))
        Message.objects.filter(pk__in=too_early).update(
            erase_at=Case(
                When(due_at__gt=now, then=F("due_at")),
                When(state_at__gt=now - LOOK_AGAIN_LATER, then=Value(now + LOOK_AGAIN_SOON)),
                default=Value(now + LOOK_AGAIN_LATER),
            )
        )


def _ripe(now: datetime) -> Q:
    """It is known what became of it, and nothing is at the carrier that we still need."""
    final = Q(state__in=[State.DELIVERED, State.UNDELIVERED, State.FAILED, State.RECEIVED])
    unconfirmed_for_long = Q(state=State.SENT, state_at__lt=now - NO_RECEIPT_AFTER)
    return Q(carrier_id__isnull=False) & (final | unconfirmed_for_long) & ~_KEPT_THERE_ALONE


@transaction.atomic
def _claim(now: datetime) -> Message | None:
    """The next one, put off at once: whatever happens in the call, it is tried again later."""
    due = Message.objects.filter(_ripe(now), erase_at__lte=now)
    message = _locked(due).order_by("erase_at", "pk").first()
    if message is not None:
        delay = min(FIRST_RETRY * 2 ** min(message.erase_attempts, 10), LONGEST_RETRY)
        changed = {"erase_at": now + delay, "erase_attempts": min(message.erase_attempts + 1, 32_000)}
        Message.objects.filter(pk=message.pk).update(**changed)
    return message


def _locked(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Without those that somebody else is working on: nobody waits for the other, whatever the order."""
    return messages.select_for_update(of=("self",), skip_locked=True, no_key=True)
