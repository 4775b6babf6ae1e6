"""Two clients turn out to be one person: both conversations become one, and nothing is dropped.

For a merge, for a client who texts from a new number, and for one who comes back: which pages lead here is told in
messaging.actions. The one given up stays as a tombstone that points to the other; every number of the two leads to the
one conversation from then on.

Locks as everywhere (docs/adr/0004): both clients in order of id, all their assignments, then messages, then numbers.
"""

from datetime import datetime
from typing import TypeVar

from django.db.models import F, Q

from clients import routing
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber
from clients.names import NAME_FIELDS, fill_search_key
from messaging import gate, opt_outs, states, summaries
from messaging.mass_choice import LeftOut
from messaging.models import MassMessageRecipient, Message

Mark = TypeVar("Mark", datetime, int)
EndReason = CaseAssignment.EndReason
State = Message.State


def join(*, kept: Client, given_up: Client, into: CaseAssignment, number: PhoneNumber | None, now: datetime) -> None:
    """Moves all that is the one client's to the other, into that open assignment of `kept`.

    number: the current one from now on, of either of the two; None for the one that `kept` has. Names that `kept` has
    win, empty fields are filled. The caller has locked both clients and their conversations (lock_both), and writes the
    event that says why.
    """
    _lock_messages(kept, given_up)
    touched = _move_assignments(kept, given_up, into, now)
    _move_messages(kept, given_up, now)
    _move_the_rest(kept, given_up)
    _move_numbers(kept, given_up, number)
    _fill_empty_fields(kept, given_up)
    _hold_what_may_not_go(kept, now)
    summaries.recompute(*touched, now=now)


def lock_both(one: int, other: int) -> tuple[Client, Client]:
    """The two clients, in the order given, locked with all their conversations.

    Before them their places among the recipients of mass messages: who makes or drops such a text locks these first.
    """
    places = MassMessageRecipient.objects.filter(client__in=[one, other]).order_by("pk")
    list(places.select_for_update(of=("self",), no_key=True).values_list("pk"))
    clients = routing.lock_clients([one, other])
    routing.lock_conversations(one, other)
    return clients[one], clients[other]


def joined_notes(old: str, new: str, client: Client, now: datetime) -> str:
    """Both notes, the new ones under a date line: none is dropped."""
    if not old or not new or old == new:
        return old or new
    day = now.astimezone(client.department.zone).date().isoformat()
    return f"{old}\n\n{day}:\n{new}"


def _move_assignments(kept: Client, given_up: Client, into: CaseAssignment, now: datetime) -> list[int]:
    """The open one, and one's own earlier ones, become `into`; a colleague's old conversation stays theirs to read.

    Gives the ids of all that are to be recounted.
    """
    theirs = {a.case_manager_id: a for a in CaseAssignment.objects.filter(client=kept)}
    touched = {into.pk}
    for old in CaseAssignment.objects.filter(client=given_up).order_by("pk"):
        target = into if old.is_open or old.case_manager_id is None else theirs.get(old.case_manager_id)
        if target is None:
            CaseAssignment.objects.filter(pk=old.pk).update(client=kept)
            continue
        Message.objects.filter(assignment=old).order_by().update(assignment=target)
        _join_marks(target, old, kept, now)
        if old.is_open:
            routing.end(old, EndReason.MERGED, now)
        touched |= {old.pk, target.pk}
    into.refresh_from_db()
    return sorted(touched)


def _join_marks(target: CaseAssignment, old: CaseAssignment, kept: Client, now: datetime) -> None:
    """What stands on the assignment itself: notes, and what its case manager was told."""
    fresh = CaseAssignment.objects.get(pk=target.pk)
    fresh.notes = joined_notes(fresh.notes, old.notes, kept, now)
    fresh.mailed_at = _later(fresh.mailed_at, old.mailed_at)
    fresh.mailed_up_to = _later(fresh.mailed_up_to, old.mailed_up_to)
    fresh.save(update_fields=["notes", "mailed_at", "mailed_up_to"])


def _later(one: Mark | None, other: Mark | None) -> Mark | None:
    return max(one, other) if one is not None and other is not None else one or other


def _lock_messages(kept: Client, given_up: Client) -> None:
    """All that will be written to, in order of id."""
    concerned = Q(client=given_up) | Q(client=kept, state=State.WAITING)
    list(Message.objects.select_for_update().filter(concerned).order_by("pk").values_list("pk"))


def _move_messages(kept: Client, given_up: Client, now: datetime) -> None:
    """A person who would get the same mass message twice gets it once, also after "Stop the rest" and "Resume"."""
    may_go_yet = Q(state__in=[State.WAITING, State.HELD]) | _STOPPED
    theirs = Message.objects.filter(client=kept, mass_message__isnull=False).exclude(state__in=states.NOT_DELIVERED)
    theirs = theirs.filter(~Q(state=State.CANCELLED) | _STOPPED)
    twice = Message.objects.filter(may_go_yet, client=given_up, mass_message__in=theirs.values("mass_message"))
    doubles = list(twice.order_by().values_list("pk", flat=True))
    Message.objects.filter(pk__in=doubles).update(state=State.CANCELLED, state_at=now, hold_reason="")
    MassMessageRecipient.objects.filter(message__in=doubles).update(left_out=LeftOut.MERGED)
    Message.objects.filter(client=given_up).update(client=kept)


# Cancelled by "Stop the rest", and not one by one: "Resume" finds them by that moment.
_STOPPED = Q(state=State.CANCELLED, state_at=F("mass_message__stopped_at"))


def _move_the_rest(kept: Client, given_up: Client) -> None:
    """Events, places among the recipients of mass messages, and who was merged into this one before."""
    ConversationEvent.objects.filter(client=given_up).update(client=kept)
    theirs = MassMessageRecipient.objects.filter(client=kept).values("mass_message")
    places = MassMessageRecipient.objects.filter(client=given_up)
    both = list(places.filter(mass_message__in=theirs, message__isnull=True).values_list("pk", flat=True))
    MassMessageRecipient.objects.filter(pk__in=both, mass_message__confirmed_at__isnull=True).delete()
    expected = MassMessageRecipient.objects.filter(pk__in=both, left_out="")
    instead = MassMessageRecipient.objects.filter(client=kept, message__isnull=True)
    instead.filter(mass_message__in=list(expected.values_list("mass_message", flat=True))).update(left_out="")
    expected.update(left_out=LeftOut.MERGED)
    alone = list(places.exclude(mass_message__in=theirs).values_list("pk", flat=True))
    MassMessageRecipient.objects.filter(pk__in=alone).update(client=kept)
    Client.objects.filter(merged_into=given_up).update(merged_into=kept)


def _move_numbers(kept: Client, given_up: Client, number: PhoneNumber | None) -> None:
    """All lead to the one client; one of them is current."""
    current = number or PhoneNumber.objects.filter(client=kept, is_current=True).first()
    PhoneNumber.objects.filter(client__in=[kept, given_up]).update(client=kept, is_current=False)
    if current is not None:
        PhoneNumber.objects.filter(pk=current.pk).update(is_current=True)


def _fill_empty_fields(kept: Client, given_up: Client) -> None:
    for name in ("first_name", "last_name", "id_number", "language"):
        setattr(kept, name, getattr(kept, name) or getattr(given_up, name))
    fill_search_key(kept).save(update_fields=[*NAME_FIELDS, "language"])
    given_up.merged_into = kept
    given_up.save(update_fields=["merged_into"])


def _hold_what_may_not_go(kept: Client, now: datetime) -> None:
    """The number that counts from now on may be one to which nothing may go."""
    number = PhoneNumber.objects.filter(client=kept, is_current=True).first()
    if number is not None and (reason := gate.reason_against_number(number)):
        opt_outs.hold_waiting(kept.pk, reason, now)
