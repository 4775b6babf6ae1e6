"""Two of one's clients are the same person: they become one, with one conversation (messaging.joining)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from clients.models import CaseAssignment, Client, ConversationEvent, PhoneNumber
from messaging import joining


class NotMerged(Exception):
    """Both clients are as they were."""


class SameClient(NotMerged):
    """It takes two."""


class NotBothYours(NotMerged):
    """One of the two is not, or no longer, on the person's list: transferred, deleted or merged meanwhile."""


@dataclass(frozen=True)
class Choice:
    """Which of the two each comes from: an id of either client."""

    name_of: int
    number_of: int


@transaction.atomic
def merge_clients(*, kept_id: int, given_up_id: int, choice: Choice, by: User, now: datetime) -> CaseAssignment:
    """The one client takes over all that is the other's; gives the assignment with the one conversation.

    Where the chosen name has an empty part, the other's fills it, as with every field. A number that is given up still
    leads here. Raises NotMerged (SameClient, NotBothYours).
    """
    if kept_id == given_up_id:
        raise SameClient
    kept, given_up = joining.lock_both(kept_id, given_up_id)
    into, other = _own(kept, by), _own(given_up, by)
    before = _as_it_was(kept, given_up, other)
    if choice.name_of == given_up.pk:
        kept.first_name = given_up.first_name or kept.first_name
        kept.last_name = given_up.last_name or kept.last_name
    current = _current_numbers(kept, given_up)
    number = current.get(choice.number_of) or current.get(kept.pk) or current.get(given_up.pk)
    address = current[given_up.pk].address if given_up.pk in current else ""
    joining.join(kept=kept, given_up=given_up, into=into, number=number, now=now)
    ConversationEvent.objects.create(
        client=kept, kind=ConversationEvent.Kind.MERGED, at=now, by=by, other_client=given_up, old_address=address
    )
    subject = f"client:{kept.pk}"
    audit.record("client.merged", subject, by=by, department=by.department, now=now, before=before)
    into.refresh_from_db()
    return into


def _own(client: Client, by: User) -> CaseAssignment:
    """The open assignment, locked before, if the client is on the list of `by`."""
    mine = CaseAssignment.objects.filter(client=client, case_manager=by, ended_at__isnull=True)
    assignment = mine.filter(client__department=by.department_id).first()
    if assignment is None:
        raise NotBothYours
    return assignment


def _current_numbers(kept: Client, given_up: Client) -> dict[int, PhoneNumber]:
    """By client; one who has none is not among them."""
    numbers = PhoneNumber.objects.filter(client__in=[kept, given_up], is_current=True)
    return {number.client_id: number for number in numbers}


def _as_it_was(kept: Client, given_up: Client, other: CaseAssignment) -> dict[str, object]:
    """For the log: what the two were called, and what of the other is not kept."""
    names = ("first_name", "last_name", "id_number", "language")
    return {
        "kept": {name: getattr(kept, name) for name in names},
        "given_up": {"client": given_up.pk, **{name: getattr(given_up, name) for name in names}},
        "status": other.status_id,
    }
