"""The lists of texts that wait: in one conversation for their time, and in all of somebody's for a decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import User
from clients.models import CaseAssignment, PhoneNumber
from messaging import schedule, wording
from messaging.models import Message
from messaging.talk import Choice, held_choices

ROWS_PER_PAGE = 25


@dataclass(frozen=True)
class ScheduledItem:
    """One of a conversation's list. in_words: "Scheduled for Tue, Mar 3, 9:00 am"; full_words: with zone."""

    public_id: UUID
    body: str
    in_words: str
    full_words: str
    due_at: datetime
    is_part_of_mass: bool


@dataclass(frozen=True)
class HeldItem:
    """One of somebody's held texts, with its client, the reason and the buttons."""

    public_id: UUID
    client_id: int
    client_name: str
    body: str
    state_text: str
    advice: str
    was_due: str
    choices: tuple[Choice, ...]


def scheduled(
    assignment: CaseAssignment, *, now: datetime, page_number: str | int = 1
) -> tuple[list[ScheduledItem], "Page[Message]"]:
    """What goes out later, soonest first, and what is due and not yet gone: until then one can change it."""
    zone = assignment.client.department.zone
    waiting = Message.objects.filter(client=assignment.client_id, assignment=assignment, state=Message.State.WAITING)
    later = waiting.filter(Q(due_at__gt=now) | Q(scheduled_date__isnull=False)).order_by("due_at", "pk")
    page: Page[Message] = Paginator(later, ROWS_PER_PAGE).get_page(page_number)
    return [_scheduled_item(message, zone) for message in page.object_list], page


def held(case_manager: User, *, zone: ZoneInfo, page_number: str | int = 1) -> tuple[list[HeldItem], "Page[Message]"]:
    """The held texts that this person decides on, the latest first: of all own clients, and those written elsewhere.

    (To an unclaimed client, or by a supervisor in a colleague's conversation: as messaging.access.may_settle says.)
    """
    theirs = Q(assignment__case_manager=case_manager)
    elsewhere = Q(author=case_manager)
    if not case_manager.is_supervisor:
        elsewhere &= Q(assignment__case_manager__isnull=True)
    open_ones = Message.objects.filter(state=Message.State.HELD, assignment__ended_at__isnull=True)
    latest = open_ones.filter(theirs | elsewhere, department=case_manager.department_id)
    latest = latest.select_related("client").order_by("-state_at", "-pk")
    page: Page[Message] = Paginator(latest, ROWS_PER_PAGE).get_page(page_number)
    clients = [message.client_id for message in page.object_list]
    numbers = {number.client_id: number for number in PhoneNumber.objects.filter(client__in=clients, is_current=True)}
    return [_held_item(message, numbers.get(message.client_id), zone) for message in page.object_list], page


@dataclass(frozen=True)
class TextItem:
    """A text on a page that asks before something is done: whose it is, and when it came, in the department's time."""

    body: str
    is_outgoing: bool
    at: datetime
    in_words: str


def text_items(messages: Sequence[Message], zone: ZoneInfo) -> list[TextItem]:
    return [
        TextItem(message.body, message.is_outgoing, message.placed_at, _at(message.placed_at, zone, "D, M j, Y"))
        for message in messages
    ]


AHEAD_AT_MOST = 10


@dataclass(frozen=True)
class AheadItem:
    """One that would be cancelled. was_held: it waits for a decision, not for its time."""

    body: str
    in_words: str
    was_held: bool


def ahead(assignment: CaseAssignment) -> tuple[list[AheadItem], int]:
    """What has not gone out and still may, the soonest first, and how many there are."""
    zone = assignment.client.department.zone
    pending = Message.objects.filter(client=assignment.client_id, state__in=[Message.State.WAITING, Message.State.HELD])
    first = pending.order_by("due_at", "pk")[:AHEAD_AT_MOST]
    items = [
        AheadItem(message.body, _at(message.due_at, zone, "D, M j"), message.state == Message.State.HELD)
        for message in first
        if message.due_at is not None
    ]
    return items, pending.count()


def _scheduled_item(message: Message, zone: ZoneInfo) -> ScheduledItem:
    assert message.due_at is not None  # as every outgoing text's
    return ScheduledItem(
        public_id=message.public_id,
        body=message.body,
        in_words=_("Scheduled for %(when)s") % {"when": _at(message.due_at, zone, "D, M j")},
        full_words=f"{_at(message.due_at, zone, 'l, F j, Y')} ({zone.key})",
        due_at=message.due_at,
        is_part_of_mass=message.mass_message_id is not None,
    )


def _held_item(message: Message, number: PhoneNumber | None, zone: ZoneInfo) -> HeldItem:
    assert message.due_at is not None
    words = wording.state_words(message, message.state_at, zone, number=number)
    return HeldItem(
        public_id=message.public_id,
        client_id=message.client_id,
        client_name=str(message.client),
        body=message.body,
        state_text=words.text,
        advice=words.advice,
        was_due=_at(message.due_at, zone, "D, M j"),
        choices=tuple(held_choices(message, number)),
    )


def _at(moment: datetime, zone: ZoneInfo, day: str) -> str:
    """The day in that format, and the time."""
    there = moment.astimezone(zone)
    return f"{formats.date_format(there, day)}, {schedule.clock_words(there)}"
