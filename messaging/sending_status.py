"""How the sending is: for monitoring over the whole installation, for people over their department."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q
from django.db.models.functions import Coalesce, Greatest

from accounts.models import Department
from messaging import erasing, holds, orphans, pace
from messaging.failures import FailureReason
from messaging.models import BeatTick, CarrierWord, Message, SenderNumber, SendingHold

State = Message.State

SILENT_AFTER = timedelta(minutes=1)  # beat ticks each second


@dataclass(frozen=True)
class DeliveryHealth:
    """What monitoring asks. oldest_due_at: since when the text that has waited longest should be on its way.

    compared_at: of all numbers the one that was compared longest ago with the carrier's list.
    """

    oldest_due_at: datetime | None
    unknown_count: int
    last_tick_at: datetime | None
    gap_since: datetime | None
    sending_stopped: bool
    compared_at: datetime | None
    last_text_at: datetime | None
    last_report_at: datetime | None
    orphan_count: int
    not_erased_count: int


def delivery_health(now: datetime) -> DeliveryHealth:
    tick = BeatTick.objects.filter(pk=1).first()
    heard = _heard()
    return DeliveryHealth(
        oldest_due_at=_oldest_due_at(now),
        unknown_count=Message.objects.filter(state=State.UNKNOWN).count(),
        last_tick_at=tick.at if tick else None,
        gap_since=tick.gap_since if tick else None,
        sending_stopped=SendingHold.objects.exists(),
        compared_at=_compared_at(),
        last_text_at=heard.get(CarrierWord.Kind.TEXT),
        last_report_at=heard.get(CarrierWord.Kind.REPORT),
        orphan_count=orphans.unclaimed().count(),
        not_erased_count=erasing.stuck().count(),
    )


def _heard() -> dict[str, datetime]:
    return dict(CarrierWord.objects.values_list("kind", "at"))


def _oldest_due_at(now: datetime) -> datetime | None:
    """A text is expected at its due time, or later if it waits for texting hours. One of a mass message keeps the pace:

    it is on time until its finish time and its department's limit are over.
    """
    paced = Q(pk__in=[])
    for pk, minutes in Department.objects.values_list("pk", "late_limit_minutes"):
        finish_by = now - timedelta(minutes=minutes)
        paced |= Q(department=pk, priority=Message.Priority.MASS, finish_by__gt=finish_by)
    waiting = Message.objects.filter(state=State.WAITING, due_at__lte=now).exclude(paced)
    expected_at = Greatest("due_at", Coalesce("finish_by", "due_at"))
    oldest: datetime | None = waiting.aggregate(oldest=Min(expected_at))["oldest"]
    return None if oldest is None or oldest > now else oldest


def _compared_at() -> datetime | None:
    """A department that no comparison has reached counts from its beginning."""
    departments = Department.objects.annotate(compared_at=Coalesce("sender__compared_until", "created_at"))
    oldest: datetime | None = departments.aggregate(oldest=Min("compared_at"))["oldest"]
    return oldest


@dataclass(frozen=True)
class Stop:
    """Why nothing goes out from the department's number, and when one text tries whether that is settled."""

    since: datetime
    reason: str
    try_at: datetime
    is_whole_account: bool


@dataclass(frozen=True)
class DepartmentStatus:
    """What a department's page says of its sending. waiting: due and not handed over; paced_until: by the pace."""

    stop: Stop | None
    gap_since: datetime | None
    is_ticking: bool
    waiting: int
    paced_until: datetime | None
    unknown: int
    unconfirmed: int
    held: int
    orphans: int
    late_arrivals: int
    late_reports: int
    compared_at: datetime | None
    last_text_at: datetime | None
    last_report_at: datetime | None
    not_erased: int


def department_status(department: Department, now: datetime) -> DepartmentStatus:
    messages = Message.objects.filter(department=department)
    sender = SenderNumber.objects.filter(department=department).first() or SenderNumber(department=department)
    tick, heard = BeatTick.objects.filter(pk=1).first(), _heard()
    return DepartmentStatus(
        stop=_stop(department.phone_number),
        gap_since=tick.gap_since if tick else None,
        is_ticking=tick is not None and now - tick.at < SILENT_AFTER,
        waiting=messages.filter(state=State.WAITING, due_at__lte=now).count(),
        paced_until=pace.waiting(department, now).finish_at,
        unknown=messages.filter(state=State.UNKNOWN).count(),
        unconfirmed=messages.filter(state=State.UNCONFIRMED, arrived_at__isnull=True, retried_as__isnull=True).count(),
        held=messages.filter(state=State.HELD).count(),
        orphans=orphans.unclaimed().filter(department=department).count(),
        late_arrivals=sender.late_arrivals,
        late_reports=sender.late_reports,
        compared_at=sender.compared_until,
        last_text_at=heard.get(CarrierWord.Kind.TEXT),
        last_report_at=heard.get(CarrierWord.Kind.REPORT),
        not_erased=erasing.stuck().filter(department=department).count(),
    )


def _stop(our_number: str) -> Stop | None:
    """The one that has stood longest of those that concern the number."""
    hold = SendingHold.objects.filter(number__in=[holds.WHOLE_ACCOUNT, our_number]).order_by("since").first()
    if hold is None:
        return None
    reason = str(FailureReason(hold.reason).label)
    return Stop(hold.since, reason, hold.try_at, is_whole_account=hold.number == holds.WHOLE_ACCOUNT)
