"""Changing what is known of a client, the number among it.

A number that is given up stays the client's: its texts still arrive. What is scheduled goes to the new one by itself,
because the claim asks for the current number; what was held because of the old one stays held, for a person to decide.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from clients.names import NAME_FIELDS, fill_search_key
from messaging import gate, joining, known_numbers, opt_outs
from messaging.actions.caseload import NewClient
from messaging.actions.sending import NotYours
from messaging.known_numbers import Answer, Choice, Known, MustAsk, Whose
from messaging.models import Message

_NAMES = ("first_name", "last_name", "id_number", "language")
_TRIES = 5  # each is another text, or another person, that took the number in the very moment


@dataclass(frozen=True)
class Fields:
    """All that Manage client edits, as it stands. status: None while the client was nobody's."""

    first_name: str
    last_name: str
    phone_number: str
    status: ClientStatus | None
    notes: str
    id_number: str
    language: str

    @property
    def stamp(self) -> str:
        """Tells whether it is still the same; of its words nothing can be read."""
        values = {**vars(self), "status": self.status.pk if self.status else None}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Changed:
    """What came of it. old_address, new_address: if the number changed. joined: another client's talk is here now."""

    assignment: CaseAssignment
    old_address: str = ""
    new_address: str = ""
    joined: bool = False


class ChangedMeanwhile(Exception):
    """Somebody, or another window, saved other values since the page was opened. Nothing was changed."""

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        self.fields = fields


class _NumberMoved(Exception):
    """It became another client's while we waited: the locks are not the right ones."""


def fields_of(assignment: CaseAssignment, number: PhoneNumber | None) -> Fields:
    client = assignment.client
    return Fields(
        **{name: getattr(client, name) for name in _NAMES},
        phone_number=number.address if number else "",
        status=assignment.status,
        notes=assignment.notes,
    )


def change_client(
    *, client_id: int, wanted: NewClient, seen: str, by: User, now: datetime, answer: Answer | None = None
) -> Changed:
    """Writes the fields as they are wanted; the log keeps what stood there, of notes only that they changed.

    seen: the stamp of what the person saw. answer: what they said to MustAsk. Raises ChangedMeanwhile, MustAsk,
    ColleaguesClient or NotYours, and then changes nothing.
    """
    for _try in range(_TRIES - 1):
        try:
            return _change(client_id, wanted, seen, by, now, answer)
        except _NumberMoved:
            continue
    return _change(client_id, wanted, seen, by, now, answer)


@transaction.atomic
def _change(client_id: int, wanted: NewClient, seen: str, by: User, now: datetime, answer: Answer | None) -> Changed:
    number = _lock(client_id, wanted.phone_number, by)
    mine = (
        CaseAssignment.objects.select_related("client__department", "status")
        .filter(client=client_id, case_manager=by, ended_at__isnull=True)
        .first()
    )
    if mine is None:
        raise NotYours
    current = PhoneNumber.objects.filter(client=client_id, is_current=True).first()
    fields = fields_of(mine, current)
    differing = {name: old for name, old in vars(fields).items() if old != getattr(wanted, name)}
    if not differing:
        return Changed(mine)  # the same form once more
    if fields.stamp != seen:
        raise ChangedMeanwhile(fields)
    known = None
    if wanted.phone_number and wanted.phone_number != fields.phone_number:
        number = number or _made(wanted.phone_number, mine.client)
        known = _checked(number, mine.client, by, answer)
    _write(mine, wanted)
    before = {name: _for_the_log(name, old) for name, old in differing.items()}
    audit.record("client.changed", f"client:{client_id}", by=by, department=by.department, now=now, before=before)
    if known is None:
        return Changed(mine)
    return _change_number(mine, current, known, answer, by, now)


def _lock(client_id: int, address: str, by: User) -> PhoneNumber | None:
    """Locks the client, and whose number it is so far, in order of id. Gives the number, if it is known."""
    numbers = PhoneNumber.objects.filter(department=by.department_id, address=address)
    known = numbers.first()
    other_id = known.client_id if known else client_id
    joining.lock_both(client_id, other_id)
    number = numbers.first()
    if number is not None and number.client_id not in (client_id, other_id):
        raise _NumberMoved
    return number


def _made(address: str, client: Client) -> PhoneNumber:
    """A number that nobody knew. Of two who make it at once, or of a text from it, the first has it: _NumberMoved."""
    made = PhoneNumber(department_id=client.department_id, client=client, address=address, is_current=False)
    PhoneNumber.objects.bulk_create([made], ignore_conflicts=True)
    number = PhoneNumber.objects.get(department=client.department_id, address=address)
    if number.client_id != client.pk:
        raise _NumberMoved
    return number


def _checked(number: PhoneNumber, client: Client, by: User, answer: Answer | None) -> Known:
    """Whose it is, if it may become this client's. Raises ColleaguesClient or MustAsk."""
    if number.client_id == client.pk:
        return Known(Whose.NEW, client, number, None)
    known = known_numbers.look(number, Client.objects.get(pk=number.client_id), by)
    if not known.allows(answer, known.choices_to_change):
        raise MustAsk(known, known.choices_to_change)
    return known


def _write(mine: CaseAssignment, wanted: NewClient) -> None:
    """All but the number."""
    for name in _NAMES:
        setattr(mine.client, name, getattr(wanted, name))
    fill_search_key(mine.client).save(update_fields=[*NAME_FIELDS, "language"])
    mine.notes, mine.status = wanted.notes, wanted.status
    mine.save(update_fields=["notes", "status"])


def _for_the_log(name: str, old: object) -> object:
    return "changed" if name == "notes" else str(old or "")


def _change_number(
    mine: CaseAssignment, current: PhoneNumber | None, known: Known, answer: Answer | None, by: User, now: datetime
) -> Changed:
    """The event, and the one number that is texted from now on. With "the same person" both conversations are one."""
    client, number = mine.client, known.number
    joined = answer is not None and answer.choice is Choice.SAME and known.client.pk != client.pk
    addresses = {"old_address": current.address if current else "", "new_address": number.address}
    kind = ConversationEvent.Kind.NUMBER_CHANGED
    if joined:
        name = known.client.full_name
        joining.join(kept=client, given_up=known.client, into=mine, number=number, now=now)
        audit.record(
            "client.joined", f"client:{client.pk}", by=by, department=by.department, now=now, other=known.client.pk
        )
        if name:
            merged = ConversationEvent.Kind.MERGED
            ConversationEvent.objects.create(client=client, kind=merged, by=by, at=now, other_client=known.client)
    else:
        _hold_or_lock(client, number, now)
        if known.client.pk != client.pk:
            known_numbers.take_over(number, to=client, by=by, now=now)
        known_numbers.make_current(number, client)
    ConversationEvent.objects.create(client=client, kind=kind, by=by, at=now, **addresses)
    return Changed(mine, joined=joined, **addresses)


def _hold_or_lock(client: Client, number: PhoneNumber, now: datetime) -> None:
    """What waits is locked before the numbers are, and held if nothing may go to the new one."""
    waiting = Message.objects.filter(client=client, state=Message.State.WAITING)
    list(waiting.order_by("pk").select_for_update().values_list("pk"))
    if reason := gate.reason_against_number(number):
        opt_outs.hold_waiting(client.pk, reason, now)
