"""A conversation as the page shows it: messages and events in order, by day, in the department's time zone."""

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.statements import PlannedQuery, Statement
from clients.models import CaseAssignment, ConversationEvent, PhoneNumber
from messaging import access, histories, keywords, states, wording
from messaging.event_words import event_text
from messaging.failures import ADVICE, FailureReason, HoldReason
from messaging.histories import Span
from messaging.keywords import Suspicion
from messaging.models import Message

PAGE_SIZE = 50
_OF_EVENT = (
    *("client", "kind", "at", "reason", "old_address", "new_address"),
    *("by__full_name", "from_person__full_name", "to_person__full_name"),
    *("other_client__first_name", "other_client__last_name"),
)
_SHOWN = [
    *("public_id", "direction", "state", "state_at", "placed_at", "body", "read_at", "arrived_at"),
    *("hold_reason", "failure_reason", "mass_message", "author", "due_at", "try_at", "finish_by", "assignment"),
]
# A subquery and no join: PostgreSQL would read all of a client's messages to join them with themselves.
_RETRY = Message.objects.filter(retry_of=OuterRef("pk")).values("placed_at")
_EVER, _NEVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
LATE = timedelta(minutes=5)  # from the carrier's time of an incoming text to ours


@dataclass(frozen=True)
class File:
    name: str


@dataclass(frozen=True)
class Choice:
    """A button under a text that needs a person: what it says, and the last part of the address that it posts to."""

    label: str
    name: str

    @property
    def sends(self) -> bool:
        return self.name in ("send-now", "try-again")


@dataclass(frozen=True)
class MessageItem:
    """All that a bubble shows, in the order in which it shows it."""

    id: int
    dom_id: str
    is_outgoing: bool
    body: str
    author_name: str
    at: datetime
    time: str
    full_time: str
    state_text: str
    state_tone: str
    problem_advice: str
    show_state: bool
    media: tuple[File, ...]
    is_unread: bool
    is_late: bool
    public_id: UUID
    choices: tuple[Choice, ...]
    kind: str = "message"


@dataclass(frozen=True)
class EventItem:
    dom_id: str
    text: str
    at: datetime
    time: str
    full_time: str
    kind: str = "event"


Item = MessageItem | EventItem


@dataclass(frozen=True)
class Day:
    """One day of the talk. key: its date as 2026-03-03, for ids; name: as people say it."""

    key: str
    name: str
    items: list[Item]


@dataclass(frozen=True)
class Talk:
    """One page of a conversation. oldest_id: the message to ask for older ones by, if there are any."""

    days: list[Day]
    oldest_id: int | None
    latest_incoming_id: int | None
    has_unread: bool
    has_messages: bool
    suspicion: Suspicion | None = None


def read_talk(
    assignment: CaseAssignment,
    *,
    reader: User,
    now: datetime,
    before: int | None = None,
    number: PhoneNumber | None = None,
) -> Talk:
    """The newest messages of the assignment, or those before the one named, with the events that fall among them.

    With what was written with the client before, as far as the reader may see that (messaging.histories). number: the
    client's, as it is now, for what was held because of it.
    """
    zone = assignment.client.department.zone
    span = histories.span_of(assignment, reader)
    look = _Look(assignment, reader, now, zone, number)
    edge = _edge(assignment, span, before)
    messages, is_more = _messages(assignment, span, edge, now)
    since, until = messages[0].placed_at if is_more else _EVER, edge.placed_at if edge else _NEVER
    since, until = max(since, span.events_since or _EVER), min(until, span.events_until or _NEVER)
    events = _EVENTS.all(client_id=assignment.client_id, since=since, until=until)
    files = _files(assignment.client_id, messages)
    items: list[Item] = [_message_item(message, files.get(message.pk, ()), look) for message in messages]
    items = _without_repeated_states(items)
    items += [_event_item(event, zone) for event in events]
    own = [message for message in messages if message.assignment_id == assignment.pk]
    incoming = [message for message in own if not message.is_outgoing]
    return Talk(
        days=_by_day(items),
        oldest_id=messages[0].pk if is_more else None,
        latest_incoming_id=max((message.pk for message in incoming), default=None),
        has_unread=any(message.read_at is None for message in incoming),
        has_messages=bool(messages) or edge is not None,
        suspicion=_suspicion(own),
    )


def _suspicion(messages: Sequence[Message]) -> Suspicion | None:
    """What the texts that no person has answered yet may mean: the last of them that gives reason to look."""
    unanswered = itertools.takewhile(lambda message: message.author_id is None, reversed(messages))
    incoming = (message for message in unanswered if not message.is_outgoing)
    return next((found for message in incoming if (found := keywords.suspect(message.body))), None)


def _edge(assignment: CaseAssignment, span: Span, before: int | None) -> Message | None:
    """The message that was named, if it is one that the reader sees."""
    if before is None:
        return None
    of_client = Message.objects.filter(client=assignment.client_id, pk=before)
    return (of_client if span.is_whole else of_client.filter(assignment=assignment)).first()


def _shown(client_id: int, now: datetime, assignment_id: int | None = None) -> QuerySet[Message]:
    """What has its place in the talk: of this assignment, or all. What waits for its time has a page of its own."""
    later = Q(state=Message.State.WAITING, due_at__gt=now)
    of_client = Message.objects.filter(client=client_id)
    asked = of_client if assignment_id is None else of_client.filter(assignment=assignment_id)
    shown = asked.exclude(later | Q(state=Message.State.CANCELLED)).only(*_SHOWN)
    return shown.annotate(again_at=Subquery(_RETRY), author_name=F("author__full_name"))


def _newest(shown: QuerySet[Message]) -> QuerySet[Message]:
    """A page, and one more that tells whether there are older ones."""
    return shown.order_by("-placed_at", "-pk")[: PAGE_SIZE + 1]


_NEWEST = PlannedQuery(
    "newest_of_client", lambda **values: _newest(_shown(**values)), client_id="bigint", now="timestamptz"
)
_NEWEST_OF_ASSIGNMENT = PlannedQuery(
    "newest_of_talk",
    lambda **values: _newest(_shown(**values)),
    client_id="bigint",
    now="timestamptz",
    assignment_id="bigint",
)


def _messages(
    assignment: CaseAssignment, span: Span, edge: Message | None, now: datetime
) -> tuple[list[Message], bool]:
    """One page, oldest first, and whether there are older ones."""
    client_id, assignment_id = assignment.client_id, None if span.is_whole else assignment.pk
    if edge is not None:
        before = Q(placed_at__lt=edge.placed_at) | Q(placed_at=edge.placed_at, pk__lt=edge.pk)
        page = list(_newest(_shown(client_id, now, assignment_id).filter(before)))
    elif assignment_id is None:
        page = _NEWEST.all(client_id=client_id, now=now)
    else:
        page = _NEWEST_OF_ASSIGNMENT.all(client_id=client_id, now=now, assignment_id=assignment_id)
    return page[PAGE_SIZE - 1 :: -1], len(page) > PAGE_SIZE


_EVENTS = PlannedQuery(
    "events_of_talk",
    lambda client_id, since, until: (
        ConversationEvent.objects.select_related("by", "from_person", "to_person", "other_client")
        .only(*_OF_EVENT)
        .filter(client=client_id, at__gte=since, at__lt=until)
        .order_by("at", "pk")[: 4 * PAGE_SIZE]
    ),
    client_id="bigint",
    since="timestamptz",
    until="timestamptz",
)


_FILES = Statement(  # some of them of texts that the reader doesn't see: they are looked up by text
    "files_of_talk",
    """
SELECT t.message_id, t.content_type FROM messaging_message m JOIN messaging_attachment t ON t.message_id = m.id
WHERE m.client_id = %(client_id)s AND m.placed_at BETWEEN %(since)s AND %(until)s
ORDER BY t.message_id, t.position
""",
    client_id="bigint",
    since="timestamptz",
    until="timestamptz",
)


def _files(client_id: int, messages: Sequence[Message]) -> dict[int, tuple[File, ...]]:
    """The files of each message that came with some. messages: in order of time."""
    if not messages:
        return {}
    found = _FILES.all(client_id=client_id, since=messages[0].placed_at, until=messages[-1].placed_at)
    by_message = itertools.groupby(found, key=lambda row: row[0])
    return {pk: tuple(File(_file_name(content_type)) for _pk, content_type in rows) for pk, rows in by_message}


@dataclass(frozen=True)
class _Look:
    """Who looks at which assignment's conversation, and when; the client's number."""

    assignment: CaseAssignment
    reader: User
    now: datetime
    zone: ZoneInfo
    number: PhoneNumber | None

    def decides_on(self, message: Message) -> bool:
        """Of what stands in the assignment itself; what was written before it is for reading only."""
        is_here = message.is_outgoing and message.assignment_id == self.assignment.pk
        return is_here and access.may_settle_in(self.assignment, message.author_id, self.reader)


def _message_item(message: Message, files: tuple[File, ...], look: _Look) -> MessageItem:
    again_at: datetime | None = getattr(message, "again_at", None)  # annotated by _shown
    words = wording.StateWords("", "quiet")
    if message.is_outgoing:
        words = wording.state_words(message, look.now, look.zone, again_at=again_at, number=look.number)
    at = message.placed_at.astimezone(look.zone)
    return MessageItem(
        id=message.pk,
        dom_id=f"message-{message.pk}",
        is_outgoing=message.is_outgoing,
        body=message.body,
        author_name=_author_name(message, look.reader),
        at=at,
        time=wording.time_of_day(at),
        full_time=_full_time(at, look.zone),
        state_text=words.text,
        state_tone=words.tone,
        problem_advice=words.advice,
        show_state=message.is_outgoing,
        media=files,
        is_unread=not message.is_outgoing and message.read_at is None,
        is_late=not message.is_outgoing and message.state_at - message.placed_at > LATE,
        public_id=message.public_id,
        choices=tuple(_choices(message, again_at, look.number)) if look.decides_on(message) else (),
    )


def _author_name(message: Message, reader: User) -> str:
    """Who wrote it, if not the reader."""
    if message.author_id is None:
        return _("Automatic reply") if message.is_outgoing else ""
    name: str = message.author_name  # type: ignore[attr-defined]  # annotated by _shown
    return name if message.author_id != reader.pk else ""


def _choices(message: Message, again_at: datetime | None, number: PhoneNumber | None) -> list[Choice]:
    """What its author can do about a text that stopped on its way; nothing more once it was sent again."""
    if message.state == Message.State.HELD:
        return held_choices(message, number)
    if again_at is not None or message.arrived_at is not None:
        return []
    if message.state == Message.State.UNCONFIRMED:
        return [Choice(_("Send again"), "try-again"), Choice(_("It arrived"), "arrived")]
    if message.state in states.NOT_DELIVERED and ADVICE[FailureReason(message.failure_reason)].can_try_again:
        return [Choice(_("Try again"), "try-again")]
    return []


def held_choices(message: Message, number: PhoneNumber | None) -> list[Choice]:
    """What can be done about a held text: nothing is sent to one who has opted out, until the client is back.

    A mass message's words stay as they are.
    """
    drop = Choice(_("Drop it"), "drop")
    came_back = number is not None and not number.is_opted_out
    if message.hold_reason == HoldReason.OPTED_OUT and not came_back:
        return [drop]
    change = [Choice(_("Change"), "change")] if message.mass_message_id is None else []
    return [Choice(_("Send now"), "send-now"), *change, drop]


def _event_item(event: ConversationEvent, zone: ZoneInfo) -> EventItem:
    at = event.at.astimezone(zone)
    return EventItem(f"event-{event.pk}", event_text(event), at, wording.time_of_day(at), _full_time(at, zone))


def _full_time(at: datetime, zone: ZoneInfo) -> str:
    """What hovering over a time shows: the full date, the time, the zone."""
    return f"{_long_day(at.date())}, {wording.time_of_day(at)} ({zone.key})"


@functools.lru_cache(maxsize=512)
def _long_day(day: date) -> str:
    return formats.date_format(day, "l, F j, Y")


def _file_name(content_type: str) -> str:
    kind = content_type.partition("/")[0]
    kinds = {"image": _("Picture"), "video": _("Video"), "audio": _("Audio")}
    return _("%(kind)s (can't be shown here yet)") % {"kind": kinds.get(kind, _("File"))}


def _without_repeated_states(items: Sequence[Item]) -> list[Item]:
    """Each outgoing bubble shows its state unless the next one of that minute has the same."""
    shown: list[Item] = []
    for item, following in itertools.zip_longest(items, items[1:]):
        repeats = isinstance(item, MessageItem) and isinstance(following, MessageItem) and _repeats(item, following)
        shown.append(replace(item, show_state=False) if isinstance(item, MessageItem) and repeats else item)
    return shown


def _repeats(item: MessageItem, following: MessageItem) -> bool:
    same_minute = item.at.replace(second=0, microsecond=0) == following.at.replace(second=0, microsecond=0)
    same_words = following.is_outgoing and item.state_text == following.state_text
    return same_minute and same_words and item.state_tone != "problem"


def _by_day(items: Iterable[Item]) -> list[Day]:
    """In order of time; what happened at the same moment keeps the order given (messages before events)."""
    # By UTC: within one zone Python compares what the clock shows, and in autumn an hour of that comes twice.
    ordered = sorted(items, key=lambda item: item.at.astimezone(UTC))
    return [
        Day(day.isoformat(), _long_day(day), list(of_day))
        for day, of_day in itertools.groupby(ordered, key=lambda item: item.at.date())
    ]
