"""An unclaimed client finds a place: on somebody's list, in one of somebody's conversations, or among the dismissed.

Each action looks again once the client is locked: of two at the same moment one wins, and the other is told.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts import audit, mail
from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from clients.names import NAME_FIELDS, fill_search_key
from messaging import joining, summaries
from messaging.actions.sending import NotYours
from messaging.models import Message

EndReason = CaseAssignment.EndReason
Kind = ConversationEvent.Kind
State = Message.State


@dataclass(frozen=True)
class Details:
    """What a person knows of the client, as it is to stand there from now on. The notes are the case manager's."""

    first_name: str
    last_name: str
    status: ClientStatus
    notes: str = ""
    id_number: str = ""
    language: str = ""


class NotUnclaimed(Exception):
    """Somebody was quicker: a colleague has the client, or it was dismissed."""


class NotAColleague(Exception):
    """The client can't be given to this person: not of the department, or the account was closed a moment ago."""


class NewTexts(Exception):
    """Texts came that the person has not been shown. Nothing was changed."""


class NotDismissed(Exception):
    """The client is back already, by a text or by a colleague."""


@transaction.atomic
def claim(*, client_id: int, details: Details, by: User, now: datetime, to: User | None = None) -> CaseAssignment:
    """Puts the client on the list of `by`, or of the colleague that a supervisor names, with all messages.

    What was unread stays so. A colleague is told by e-mail. Raises NotUnclaimed, NotAColleague, NotYours, and then
    changes nothing.
    """
    to = to or by
    if to != by and not by.is_supervisor:
        raise NotYours
    # As who is given a client by hand: the account must not be closed meanwhile (messaging.actions.people).
    if not User.objects.select_for_update(no_key=True).filter(pk=to.pk, is_active=True, department=by.department_id):
        raise NotAColleague
    unclaimed = _locked_unclaimed(client_id, by)
    client = unclaimed.client
    _write_details(client, details)
    routing.end(unclaimed, EndReason.CLAIMED, now)
    assignment = _assigned(client, details, to, now)
    _move_messages(unclaimed, assignment, now)
    ConversationEvent.objects.create(client=client, kind=Kind.CLAIMED, by=by, to_person=to, at=now)
    audit.record("client.claimed", f"client:{client.pk}", by=by, department=by.department, now=now, case_manager=to.pk)
    if to != by:
        _tell_new_case_manager(assignment, by, to, now)
    return assignment


@transaction.atomic
def join_to_own(*, client_id: int, own_client_id: int, texts_new_number: bool, by: User, now: datetime) -> Client:
    """The unclaimed client is one of the clients of `by`, who wrote from another number: both are one from now on.

    texts_new_number: whether that number is texted from now on; else the one that was. Whatever comes from either
    arrives in the one conversation. Raises NotUnclaimed, NotYours, and then changes nothing.
    """
    if client_id == own_client_id:
        raise NotYours
    own, stranger = joining.lock_both(own_client_id, client_id)
    into = CaseAssignment.objects.filter(client=own, case_manager=by, ended_at__isnull=True).first()
    if into is None or own.department_id != by.department_id:
        raise NotYours
    _unclaimed_now(stranger, by)
    before = PhoneNumber.objects.filter(client=own, is_current=True).first()
    added = PhoneNumber.objects.filter(client=stranger, is_current=True).first()
    number = added if texts_new_number or before is None else before
    joining.join(kept=own, given_up=stranger, into=into, number=number, now=now)
    _note_number(own, before, added, is_changed=number == added, by=by, now=now)
    numbers = {"number_before": before.pk if before else None, "number": number.pk if number else None}
    joined = {"joined": client_id, **numbers}
    audit.record("client.joined", f"client:{own.pk}", by=by, department=by.department, now=now, **joined)
    return own


@transaction.atomic
def dismiss(*, client_id: int, by: User, now: datetime, seen_up_to: int | None = None) -> None:
    """Off the list, for supervisors: spam, most likely. A later text brings it back, with what it wrote before.

    What waits to go to it is cancelled, and it gets no automatic reply. seen_up_to: the newest incoming text on the
    page that asked; None: for who asks nobody. Raises NewTexts, NotUnclaimed, NotYours.
    """
    if not by.is_supervisor:
        raise NotYours
    unclaimed = _locked_unclaimed(client_id, by)
    incoming = Message.objects.filter(assignment=unclaimed, direction=Message.Direction.INCOMING)
    if seen_up_to is not None and incoming.filter(pk__gt=seen_up_to, read_at=None).exists():
        raise NewTexts
    waiting = Message.objects.filter(assignment=unclaimed, state__in=[State.WAITING, State.HELD])
    locked = list(waiting.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    waiting.filter(pk__in=locked).update(state=State.CANCELLED, hold_reason="", state_at=now)
    routing.end(unclaimed, EndReason.DISMISSED, now)
    summaries.recompute(unclaimed.pk, now=now)
    PhoneNumber.objects.filter(client=client_id).update(dismissed_at=now)
    ConversationEvent.objects.create(client_id=client_id, kind=Kind.DISMISSED, by=by, at=now)
    audit.record("client.dismissed", f"client:{client_id}", by=by, department=by.department, now=now)


@transaction.atomic
def take_back_dismissal(*, client_id: int, by: User, now: datetime) -> None:
    """On the list again, as if it had waited all the time; what was cancelled stays so.

    Raises NotDismissed, NotYours.
    """
    client = routing.lock_client(client_id)
    routing.lock_conversations(client.pk)
    if not by.is_supervisor or client.department_id != by.department_id:
        raise NotYours
    assignments = CaseAssignment.objects.filter(client=client)
    dismissed = assignments.filter(case_manager__isnull=True, end_reason=EndReason.DISMISSED)
    is_somewhere = assignments.filter(ended_at__isnull=True).exists()
    if is_somewhere or not dismissed.update(ended_at=None, end_reason=""):
        raise NotDismissed
    PhoneNumber.objects.filter(client=client).update(dismissed_at=None)
    audit.record("client.dismissal_undone", f"client:{client.pk}", by=by, department=by.department, now=now)


def _locked_unclaimed(client_id: int, by: User) -> CaseAssignment:
    """The open assignment without a case manager; the client is locked, with all its conversations."""
    client = routing.lock_client(client_id)
    routing.lock_conversations(client.pk)
    return _unclaimed_now(client, by)


def _unclaimed_now(client: Client, by: User) -> CaseAssignment:
    if not by.is_active or client.department_id != by.department_id:
        raise NotYours
    open_one = CaseAssignment.objects.filter(client=client, ended_at__isnull=True, case_manager__isnull=True).first()
    if open_one is None:
        raise NotUnclaimed
    open_one.client = client
    return open_one


def _write_details(client: Client, details: Details) -> None:
    for field in ("first_name", "last_name", "id_number", "language"):
        setattr(client, field, getattr(details, field))
    fill_search_key(client).save(update_fields=[*NAME_FIELDS, "language"])


def _assigned(client: Client, details: Details, to: User, now: datetime) -> CaseAssignment:
    """The open assignment of this pair: the one of earlier, taken up again, or a new one."""
    assignment = CaseAssignment.objects.filter(client=client, case_manager=to).first()
    if assignment is None:
        new = CaseAssignment(client=client, case_manager=to, started_at=now, notes=details.notes, status=details.status)
        new.save()
        return new
    routing.reopen(assignment, now)
    assignment.notes = joining.joined_notes(assignment.notes, details.notes, client, now)
    assignment.status = details.status
    assignment.save(update_fields=["notes", "status"])
    return assignment


def _move_messages(unclaimed: CaseAssignment, assignment: CaseAssignment, now: datetime) -> None:
    """Every one of the unclaimed time, locked in order of id. Both assignments are locked, or new."""
    messages = Message.objects.filter(client=unclaimed.client_id, assignment=unclaimed)
    list(messages.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    messages.update(assignment=assignment)
    summaries.recompute(unclaimed.pk, assignment.pk, now=now)


def _note_number(
    client: Client, before: PhoneNumber | None, added: PhoneNumber | None, *, is_changed: bool, by: User, now: datetime
) -> None:
    """The line in the conversation: the number that was added, and whether it takes the place of the other."""
    if added is None:
        return
    old = before.address if before is not None and is_changed else ""
    ConversationEvent.objects.create(
        client=client, kind=Kind.NUMBER_CHANGED, by=by, at=now, old_address=old, new_address=added.address
    )


def _tell_new_case_manager(assignment: CaseAssignment, by: User, to: User, now: datetime) -> None:
    link = settings.PUBLIC_URL + reverse("conversation", args=[assignment.client_id])
    context = {"person": to, "by": by, "client_name": assignment.client.full_name, "link": link}
    mail.queue("messaging/email/client_given", to=to.email, context=context, now=now)
