"""Whose a number is that a case manager types for a client, and what they are asked before it is taken.

Texts go where the number leads. So a number never leaves a colleague's active client, and whatever would join two
conversations or part a number from a client is asked first, with what is known of the client shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from accounts import audit
from accounts.models import User
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber
from messaging.models import Message

SHOWN_AT_MOST = 10


class Whose(Enum):
    """Seen by the one who types. STRANGERS: texts came, and no case manager ever worked with who wrote them."""

    NEW = "new"
    MINE = "mine"
    MINE_DELETED = "mine_deleted"
    STRANGERS = "strangers"
    COLLEAGUES = "colleagues"
    FORMER = "former"


class Choice(Enum):
    """What can be answered: it is the client of this number; or the number is somebody else's by now."""

    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True)
class Answer:
    """What a person said. client_id: about whom they were asked; None: whoever it is, for who asks nobody."""

    choice: Choice
    client_id: int | None = None


SAME_PERSON = Answer(Choice.SAME)


@dataclass(frozen=True)
class Known:
    """A number and its client. last: the open assignment, else the one that ended last; None if there never was one."""

    whose: Whose
    client: Client
    number: PhoneNumber
    last: CaseAssignment | None

    @property
    def was_given_up(self) -> bool:
        return not self.number.is_current

    @property
    def person(self) -> User | None:
        """Who works, or worked last, with the client."""
        return self.last.case_manager if self.last is not None else None

    @property
    def choices_to_add(self) -> tuple[Choice, ...]:
        """What New client asks. Nothing: it goes by itself, or not at all."""
        if self.whose is Whose.STRANGERS:
            return (Choice.SAME,)
        asks = self.whose is Whose.FORMER or self.was_given_up
        return (Choice.SAME, Choice.OTHER) if asks and self.whose is not Whose.NEW else ()

    @property
    def choices_to_change(self) -> tuple[Choice, ...]:
        """What Manage client asks of another client's number. Nothing for one's own client: those are merged."""
        match self.whose:
            case Whose.STRANGERS:
                return (Choice.SAME,)
            case Whose.MINE_DELETED:
                return (Choice.SAME, Choice.OTHER)
            case Whose.FORMER:
                return (Choice.OTHER,)
            case Whose.MINE if self.was_given_up:
                return (Choice.OTHER,)
        return ()

    def allows(self, answer: Answer | None, choices: Sequence[Choice]) -> bool:
        """Whether it was said of this client, and is one of what can be said."""
        return answer is not None and answer.choice in choices and answer.client_id in (None, self.client.pk)


class MustAsk(Exception):
    """A person has to look first. Nothing was changed. choices: what they may say; none: it can't be done this way."""

    def __init__(self, known: Known, choices: Sequence[Choice]) -> None:
        super().__init__(known.client.pk)
        self.known, self.choices = known, choices


class ColleaguesClient(Exception):
    """A colleague works with the person behind this number. was_given_up: who has another number by now."""

    def __init__(self, colleague: User, *, was_given_up: bool = False) -> None:
        super().__init__(colleague.pk)
        self.colleague, self.was_given_up = colleague, was_given_up


def look(number: PhoneNumber, client: Client, by: User) -> Known:
    """Whose it is. To rely on it, the caller has locked the client. Raises ColleaguesClient."""
    every = list(CaseAssignment.objects.select_related("case_manager").filter(client=client))
    open_one = next((assignment for assignment in every if assignment.is_open), None)
    if open_one is not None:
        if open_one.case_manager is None:
            return Known(Whose.STRANGERS, client, number, open_one)
        if open_one.case_manager_id != by.pk:
            raise ColleaguesClient(open_one.case_manager, was_given_up=not number.is_current)
        return Known(Whose.MINE, client, number, open_one)
    ended = sorted(every, key=lambda assignment: (assignment.ended_at or assignment.started_at, assignment.pk))
    with_people = [assignment for assignment in ended if assignment.case_manager is not None]
    if any(it.case_manager_id == by.pk and it.end_reason == CaseAssignment.EndReason.DELETED for it in with_people):
        return Known(Whose.MINE_DELETED, client, number, with_people[-1])
    if with_people:
        return Known(Whose.FORMER, client, number, with_people[-1])
    return Known(Whose.STRANGERS if ended else Whose.NEW, client, number, ended[-1] if ended else None)


def strangers_texts(client: Client) -> tuple[list[Message], int]:
    """The latest of what was written while nobody had the client, oldest first, and how many there are."""
    unclaimed = Message.objects.filter(client=client, assignment__case_manager__isnull=True)
    seen = unclaimed.exclude(state=Message.State.CANCELLED)
    return list(seen.order_by("-placed_at", "-pk")[:SHOWN_AT_MOST])[::-1], seen.count()


def take_over(number: PhoneNumber, *, to: Client, by: User, now: datetime) -> None:
    """The number leads to the client `to` from now on; whose it was keeps the conversation, with a line that says so.

    Both clients are locked; the caller makes it the current one.
    """
    former = number.client_id
    ConversationEvent.objects.create(
        client_id=former, kind=ConversationEvent.Kind.NUMBER_CHANGED, by=by, at=now, old_address=number.address
    )
    before = {"phone_number": number.address, "was_current": number.is_current}
    audit.record("number.taken", f"client:{former}", by=by, department=by.department, now=now, before=before, to=to.pk)
    number.client, number.is_current = to, False
    number.save(update_fields=["client", "is_current"])


def make_current(number: PhoneNumber, client: Client) -> None:
    """Texts go to this one of the client's numbers; those from the others still arrive."""
    PhoneNumber.objects.filter(client=client, is_current=True).exclude(pk=number.pk).update(is_current=False)
    number.is_current = True
    number.save(update_fields=["is_current"])
