"""The record of a mass message: how far it is, and what became of each recipient. And the list of all of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import phone_numbers
from accounts.models import User
from messaging import schedule
from messaging.mass_choice import LeftOut
from messaging.models import MassMessage, MassMessageRecipient, Message

ROWS_PER_PAGE = 50
State = Message.State

NOT_YET = (State.WAITING, State.SENDING)
HANDED_OVER = (State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED)
GOT_IT = (State.ACCEPTED, State.SENT, State.DELIVERED)
NOT_DELIVERED = (State.UNDELIVERED, State.FAILED)
UNCLEAR = (State.UNKNOWN, State.UNCONFIRMED)


class Outcome(TextChoices):
    """What can be asked of the recipients."""

    WAITING = "waiting", gettext_lazy("Waiting")
    HANDED_OVER = "handed-over", gettext_lazy("Handed over")
    GOT_IT = "got-it", gettext_lazy("Got it, or is to")
    DELIVERED = "delivered", gettext_lazy("Delivered")
    NOT_DELIVERED = "not-delivered", gettext_lazy("Not delivered")
    REPLIED = "replied", gettext_lazy("Replied")
    UNCLEAR = "unclear", gettext_lazy("May not have been sent")
    HELD = "held", gettext_lazy("Held")
    STOPPED = "stopped", gettext_lazy("Stopped")
    LEFT_OUT = "left-out", gettext_lazy("Left out")


# An answer: a text that came in the same conversation after this one went.
_REPLY = Message.objects.filter(
    client=OuterRef("client"), direction=Message.Direction.INCOMING, placed_at__gt=OuterRef("message__placed_at")
)

_CONDITIONS: dict[Outcome, Q] = {
    Outcome.WAITING: Q(left_out="", message__isnull=True) | Q(message__state__in=NOT_YET),
    Outcome.HANDED_OVER: Q(message__state__in=HANDED_OVER),
    Outcome.GOT_IT: Q(message__state__in=GOT_IT),
    Outcome.DELIVERED: Q(message__state=State.DELIVERED),
    Outcome.NOT_DELIVERED: Q(message__state__in=NOT_DELIVERED),
    Outcome.REPLIED: Q(Exists(_REPLY), message__state__in=[*HANDED_OVER, *UNCLEAR]),
    Outcome.UNCLEAR: Q(message__state__in=UNCLEAR),
    Outcome.HELD: Q(message__state=State.HELD),
    Outcome.STOPPED: Q(message__state=State.CANCELLED, left_out=""),
    Outcome.LEFT_OUT: ~Q(left_out=""),
}


@dataclass(frozen=True)
class Figure:
    """How many recipients an outcome has."""

    outcome: Outcome
    count: int

    @property
    def label(self) -> str:
        return str(self.outcome.label)


@dataclass(frozen=True)
class RecipientRow:
    """One recipient, and what became of the text."""

    client_id: int
    name: str
    state: str
    tone: str
    replied: bool
    can_drop: bool


@dataclass(frozen=True)
class Record:
    """How far it is. people: those it goes to. Figures to show: the first four, and what is not nought."""

    people: int
    figures: list[Figure]
    counts: dict[str, int]

    @property
    def is_going(self) -> bool:
        return self.counts[Outcome.WAITING] > 0


def recipients(mass: MassMessage, outcome: Outcome | None = None) -> QuerySet[MassMessageRecipient]:
    """Those with this outcome, or all."""
    found = MassMessageRecipient.objects.filter(mass_message=mass)
    return found.filter(_CONDITIONS[outcome]) if outcome else found


def read_record(mass: MassMessage) -> Record:
    """One query, however many recipients there are."""
    counts = {outcome.name: Count("pk", filter=condition) for outcome, condition in _CONDITIONS.items()}
    found = MassMessageRecipient.objects.filter(mass_message=mass).aggregate(all=Count("pk"), **counts)
    by_outcome = {outcome: found[outcome.name] for outcome in Outcome}
    always = (Outcome.HANDED_OVER, Outcome.DELIVERED, Outcome.NOT_DELIVERED, Outcome.REPLIED)
    figures = [Figure(it, by_outcome[it]) for it in always]
    figures += [Figure(it, by_outcome[it]) for it in Outcome if it not in (*always, Outcome.GOT_IT) and by_outcome[it]]
    return Record(found["all"] - by_outcome[Outcome.LEFT_OUT], figures, {it.value: by_outcome[it] for it in Outcome})


def read_recipients(mass: MassMessage, outcome: Outcome | None, page_number: str) -> Page[RecipientRow]:
    """A page of them, by name."""
    rows = recipients(mass, outcome).annotate(replied=Exists(_REPLY))
    ordered = rows.order_by("client__last_name", "client__first_name", "client_id").values(
        *("client_id", "left_out", "message__state", "message__failure_reason", "message__hold_reason", "replied"),
        *("client__first_name", "client__last_name", "message__their_number"),
    )
    page: Page[Any] = Paginator(ordered, ROWS_PER_PAGE).get_page(page_number)
    page.object_list = [_row(values) for values in page.object_list]
    return page


def _row(values: dict[str, Any]) -> RecipientRow:
    words, tone = _state_words(values)
    name = f"{values['client__first_name']} {values['client__last_name']}".strip()
    state = values["message__state"]
    return RecipientRow(
        client_id=values["client_id"],
        name=name or phone_numbers.display(values["message__their_number"] or ""),
        state=words,
        tone=tone,
        replied=values["replied"] and state in (*HANDED_OVER, *UNCLEAR),
        can_drop=not values["left_out"] and state in (None, State.WAITING),
    )


def _state_words(values: dict[str, Any]) -> tuple[str, str]:
    """What the record says of one recipient, and its tone as under a message."""
    if values["left_out"]:
        return _("Left out: %(reason)s") % {"reason": LeftOut(values["left_out"]).label}, "quiet"
    match values["message__state"]:
        case None | State.WAITING:
            return _("Waiting"), "waiting"
        case State.SENDING | State.ACCEPTED:
            return _("Sending…"), "waiting"
        case State.SENT:
            return _("Sent"), "quiet"
        case State.DELIVERED:
            return _("Delivered"), "quiet"
        case State.CANCELLED:
            return _("Stopped: not sent"), "quiet"
        case State.UNKNOWN:
            return _("Checking whether this was sent"), "waiting"
        case State.UNCONFIRMED:
            return _("May not have been sent"), "problem"
        case State.HELD:
            reason = Message(hold_reason=values["message__hold_reason"]).get_hold_reason_display()
            return _("Not sent yet: %(reason)s") % {"reason": reason}, "problem"
    reason = Message(failure_reason=values["message__failure_reason"]).get_failure_reason_display()
    return _("Not delivered: %(reason)s") % {"reason": reason}, "problem"


# --- All of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One mass message in the list."""

    id: int
    body: str
    people: int
    state: str
    at: datetime | None
    is_draft: bool


def read_list(author: User, kind: str, page_number: str, *, now: datetime) -> Page[Line]:
    """Scheduled ones (soonest first), drafts or past ones (newest first)."""
    mine = MassMessage.objects.filter(author=author, department=author.department_id)
    confirmed = mine.filter(confirmed_at__isnull=False)
    to_come = Q(due_at__gt=now, cancelled_at__isnull=True, stopped_at__isnull=True)
    if kind == "scheduled":
        rows = confirmed.filter(to_come).order_by("due_at", "pk")
    elif kind == "drafts":
        rows = mine.filter(confirmed_at__isnull=True).order_by("-created_at", "-pk")
    else:
        rows = confirmed.exclude(to_come).order_by("-due_at", "-pk")
    page: Page[Any] = Paginator(rows, ROWS_PER_PAGE).get_page(page_number)
    found = list(page.object_list)
    page.object_list = [_line(mass, people) for mass, people in zip(found, _people(found), strict=True)]
    return page


def _people(found: list[MassMessage]) -> list[int]:
    going = MassMessageRecipient.objects.filter(mass_message__in=found, left_out="")
    counts = dict(going.order_by().values_list("mass_message").annotate(n=Count("pk")))
    return [counts.get(mass.pk, 0) for mass in found]


def _line(mass: MassMessage, people: int) -> Line:
    if mass.is_draft:
        state = _("Draft")
    elif mass.cancelled_at:
        state = _("Taken back, nothing was sent")
    elif mass.stopped_at:
        state = _("Stopped")
    else:
        state = ""
    return Line(mass.pk, mass.body, people, state, mass.due_at or mass.created_at, mass.is_draft)


def moment_words(at: datetime, zone: ZoneInfo) -> str:
    """ "Tue, Mar 3, 9:00 am" in the department's zone."""
    there = at.astimezone(zone)
    return f"{formats.date_format(there, 'D, M j')}, {schedule.clock_words(there)}"
