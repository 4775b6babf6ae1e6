"""Turns the demo's people and conversations into rows, in the state in which they ended: nothing is left to send."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Department, User
from clientcomm.demo.lines import Line, minutes, open_time
from clientcomm.demo.people import Person
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from clients.names import fill_search_key
from messaging import segments, summaries
from messaging.failures import FailureReason
from messaging.models import Message

State = Message.State

_DAY = minutes("1d")
_REACHES_ITS_STATE_IN = {State.DELIVERED: 6, State.SENT: 2, State.FAILED: 3, State.UNDELIVERED: 50}  # seconds
BATCH = 2_000


@dataclass(frozen=True)
class Case:
    """A client to be, and the conversation that goes with it, oldest line first."""

    person: Person
    lines: Sequence[Line]
    days_known: int = 1  # before the first text

    @property
    def known_since(self) -> int:
        """In open minutes before now."""
        return (self.lines[0].minutes_ago if self.lines else 0) + self.days_known * _DAY


def add_caseload(case_manager: User, cases: Sequence[Case], now: datetime) -> list[CaseAssignment]:
    """Writes the clients of one case manager with everything that belongs to them, in a few statements."""
    department = case_manager.department
    assert department is not None
    assignments = _add_clients(case_manager, department, cases, now)
    numbers, events, messages = [], [], []
    for assignment, case in zip(assignments, cases, strict=True):
        numbers.append(_number(assignment, case, now))
        events += _events(assignment, case, now)
        messages += [message_row(assignment, case.person.number, line, now) for line in case.lines]
    PhoneNumber.objects.bulk_create(numbers, BATCH)
    ConversationEvent.objects.bulk_create(events, BATCH)
    Message.objects.bulk_create(messages, BATCH)
    summaries.recompute(*(assignment.pk for assignment in assignments), now=now)
    return assignments


def _add_clients(
    case_manager: User, department: Department, cases: Sequence[Case], now: datetime
) -> list[CaseAssignment]:
    zone = department.zone
    statuses = {status.name: status for status in ClientStatus.objects.filter(department=department)}
    clients = Client.objects.bulk_create(
        [_client(department, case.person, open_time(now, zone, case.known_since)) for case in cases], BATCH
    )
    return CaseAssignment.objects.bulk_create(
        [
            CaseAssignment(
                client=client,
                case_manager=case_manager,
                status=statuses[case.person.status],
                notes=case.person.notes,
                started_at=client.created_at,
            )
            for client, case in zip(clients, cases, strict=True)
        ],
        BATCH,
    )


def _client(department: Department, person: Person, since: datetime) -> Client:
    return fill_search_key(
        Client(
            department=department,
            first_name=person.first_name,
            last_name=person.last_name,
            id_number=person.id_number,
            language=person.language,
            created_at=since,
        )
    )


def _zone(assignment: CaseAssignment) -> ZoneInfo:
    return assignment.client.department.zone


def _number(assignment: CaseAssignment, case: Case, now: datetime) -> PhoneNumber:
    """Its opt-out is what the last STOP or START in the conversation made of it."""
    client = assignment.client
    number = PhoneNumber(department=client.department, client=client, address=case.person.number)
    changes = [line for line in case.lines if line.event is not None]
    if changes:
        number.opt_changed_at = open_time(now, _zone(assignment), changes[-1].minutes_ago)
        if changes[-1].event is ConversationEvent.Kind.OPTED_OUT:
            number.opted_out_at = number.opt_changed_at
            number.opted_out_source = PhoneNumber.OptOutSource.KEYWORD
    return number


def _events(assignment: CaseAssignment, case: Case, now: datetime) -> list[ConversationEvent]:
    client, zone = assignment.client, _zone(assignment)
    added = ConversationEvent(
        client=client, kind=ConversationEvent.Kind.ADDED, at=assignment.started_at, by=assignment.case_manager
    )
    return [added] + [
        ConversationEvent(client=client, kind=line.event, at=open_time(now, zone, line.minutes_ago))
        for line in case.lines
        if line.event is not None
    ]


def message_row(assignment: CaseAssignment, their_number: str, line: Line, now: datetime) -> Message:
    """The text as the database would hold it had it really been written then. Not saved."""
    at = open_time(now, _zone(assignment), line.minutes_ago)
    department = assignment.client.department
    message = Message(
        department=department,
        client=assignment.client,
        assignment=assignment,
        state=line.state,
        body=line.body,
        segments=segments.count(line.body),
        placed_at=at,
        state_at=at + timedelta(seconds=_REACHES_ITS_STATE_IN.get(line.state, 0)),
        failure_reason=line.reason if line.state in (State.FAILED, State.UNDELIVERED) else "",
        hold_reason=line.reason if line.state is State.HELD else "",
        error_code=line.error_code,
    )
    if line.state is not State.HELD:
        message.our_number, message.their_number = department.phone_number, their_number
    if line.is_incoming:
        message.direction = Message.Direction.INCOMING
        message.read_at = None if line.is_unread else min(at + timedelta(minutes=2), now)
    else:
        _make_outgoing(message, assignment, at)
    if line.state is not State.HELD and line.reason != FailureReason.NOT_A_MOBILE:  # refused at once: no id
        message.carrier_id = f"SM{uuid.uuid4().hex}"
    return message


def _make_outgoing(message: Message, assignment: CaseAssignment, at: datetime) -> None:
    message.direction = Message.Direction.OUTGOING
    message.author = assignment.case_manager
    message.submission_key = uuid.uuid4()
    message.due_at = at
    if message.state != State.HELD:
        message.claimed_at, message.attempts = at, 1
