"""A person sends a text."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import doorbell
from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging import access, evenings, gate, hours, segments, summaries
from messaging.actions import reading, telling
from messaging.evenings import Answer, Timing
from messaging.failures import HoldReason
from messaging.models import Message
from messaging.schedule import WallClock


class NotSent(Exception):
    """The text was not taken. Nothing was stored; the person keeps what was typed."""


class NoText(NotSent):
    """There is nothing to send."""


class TextTooLong(NotSent):
    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


class RefusedByGate(NotSent):
    """Nothing may go to this client now; the reason is one that the person can read."""

    def __init__(self, reason: HoldReason, number: PhoneNumber | None) -> None:
        super().__init__(reason)
        self.reason, self.number = reason, number


class NotYours(NotSent):
    """The author may not write to this client, or no longer: transferred or deleted while the page was open."""


class OutsideHours(NotSent):
    """The department's texting hours are over: now, or at the opening? The same form, with an answer, sends it."""

    def __init__(self, opening: datetime) -> None:
        super().__init__(opening)
        self.opening = opening


class OpeningHasPassed(NotSent):
    """The page was left open, and the hour that the person chose is over."""


class AlreadySentOtherWords(NotSent):
    """The same form was sent before with another text, or for another time: a back button, most likely."""

    def __init__(self, earlier: Message) -> None:
        super().__init__(earlier.pk)
        self.earlier = earlier


def send_message(
    *,
    client_id: int,
    body: str,
    by: User,
    submission_key: UUID,
    now: datetime,
    seen_up_to: int | None = None,
    answer: Answer | None = None,
    timing: Timing | None = None,
) -> Message:
    """Stores the text; a worker hands it over. The same key with the same text gives the message that is there.

    seen_up_to: the newest incoming message on the author's page; answering marks it and the earlier ones as read, but
    not when a supervisor answers for a colleague.
    answer: what the person said to OutsideHours. timing: for a text that is to go out later;
    messaging.actions.scheduling has asked whether it may. Raises one of the NotSent exceptions.
    """
    body = checked(body)
    with transaction.atomic():
        client = routing.lock_client(client_id)
        if earlier := Message.objects.filter(author=by, submission_key=submission_key).first():
            return _same_again(earlier, client_id, body, _asked_for(answer, timing))
        assignment = _answerable(client, by)
        number = PhoneNumber.objects.filter(client=client, is_current=True).first()
        if reason := gate.reason_against_number(number):
            raise RefusedByGate(reason, number)
        timing = timing or _timing(assignment, answer, now)
        message = _stored(assignment, body, by, submission_key, timing, now)
        _follow(assignment, by, seen_up_to, now)
        if timing.when is None:
            doorbell.ring("messaging.deliver_due")
        return message


def was_stored(*, by: User, submission_key: UUID) -> bool:
    """Whether this very form was taken before, wherever its text stands by now."""
    return Message.objects.filter(author=by, submission_key=submission_key).exists()


def _follow(assignment: CaseAssignment, by: User, seen_up_to: int | None, now: datetime) -> None:
    """What an answer brings about: what was seen is read, the list knows of it, the case manager is told."""
    if seen_up_to is not None and assignment.case_manager_id in (by.pk, None):
        reading.mark_read_in(assignment, up_to=seen_up_to, now=now)
    summaries.recompute(assignment.pk, now=now)
    telling.tell_case_manager(assignment, by=by, now=now)


def _answerable(client: Client, by: User) -> CaseAssignment:
    """The client's open assignment, if the author may write in it."""
    open_one = CaseAssignment.objects.select_related("client__department").filter(client=client, ended_at__isnull=True)
    assignment = open_one.filter(client__department=by.department_id).first()
    if assignment is None or not access.may_answer(assignment, by):
        raise NotYours
    return assignment


def checked(body: str) -> str:
    """The text as it will be sent: line ends as one character, no blanks at the end."""
    body = body.replace("\r\n", "\n").rstrip()
    if not body.strip():
        raise NoText
    if segments.length(body) > segments.MAX_LENGTH:
        raise TextTooLong(segments.length(body))
    return body


def _asked_for(answer: Answer | None, timing: Timing | None) -> datetime | None:
    """For which moment it is to be scheduled, if so."""
    if timing is not None and timing.when is not None:
        return timing.when.due_at
    return answer.opening if answer is not None else None


def _same_again(earlier: Message, client_id: int, body: str, due_at: datetime | None) -> Message:
    known_due_at = earlier.due_at if earlier.scheduled_date is not None else None
    if (earlier.client_id, earlier.body, known_due_at) != (client_id, body, due_at):
        raise AlreadySentOtherWords(earlier)
    return earlier


def _timing(assignment: CaseAssignment, answer: Answer | None, now: datetime) -> Timing:
    """When it is to go out. Raises OutsideHours for the person to answer, also if the answer is of another evening."""
    department = assignment.client.department
    if answer is None:
        if evenings.must_ask(assignment, now):
            raise OutsideHours(hours.next_opening(department, now))
    elif answer.opening is not None:
        return _at_opening(assignment, answer.opening, now)
    elif not hours.is_open(department, now):
        evenings.confirm(assignment, now)
    return evenings.at_once(assignment, now)


def _at_opening(assignment: CaseAssignment, opening: datetime, now: datetime) -> Timing:
    department = assignment.client.department
    if hours.is_open(department, now):
        raise OpeningHasPassed
    if opening != hours.next_opening(department, now):
        raise OutsideHours(hours.next_opening(department, now))
    return evenings.at_opening(assignment, opening)


def schedule_fields(when: WallClock | None, now: datetime) -> dict[str, Any]:
    """When it is to go out, as the row says it; until it does, that is its place in the conversation."""
    if when is None:
        return {"due_at": now, "placed_at": now, "scheduled_date": None, "scheduled_time": None, "scheduled_zone": ""}
    clock = {"scheduled_date": when.date, "scheduled_time": when.time, "scheduled_zone": when.zone.key}
    return {"due_at": when.due_at, "placed_at": when.due_at, **clock}


def _stored(
    assignment: CaseAssignment, body: str, by: User, submission_key: UUID, timing: Timing, now: datetime
) -> Message:
    """The row. Two forms with one key for two clients meet only in the database: the second is refused there."""
    summaries.lock(assignment.pk)
    try:
        with transaction.atomic():
            return Message.objects.create(
                department_id=assignment.client.department_id,
                client_id=assignment.client_id,
                assignment=assignment,
                author=by,
                direction=Message.Direction.OUTGOING,
                state=Message.State.WAITING,
                body=body,
                segments=segments.count(body),
                submission_key=submission_key,
                any_hour=timing.any_hour,
                state_at=now,
                **schedule_fields(timing.when, now),
            )
    except IntegrityError as error:
        raise AlreadySentOtherWords(Message.objects.get(author=by, submission_key=submission_key)) from error
