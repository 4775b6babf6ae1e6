"""A person writes a mass message and ticks whom it goes to. A draft sends nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import mass_choice
from messaging.mass_choice import Listed
from messaging.models import MassMessage, MassMessageRecipient
from messaging.schedule import WallClock

BATCH = 500  # ids in one statement; SQLite takes about a thousand


class AlreadyConfirmed(Exception):
    """It is a draft no longer: it was sent or scheduled meanwhile."""


@dataclass(frozen=True)
class Ticks:
    """What a page says of the boxes. shown: those that stood on it; ticked: those of them, or others, with a tick.

    everyone: "Select all" was ticked just now (True) or cleared (False), for those whom `listed` leaves.
    """

    shown: frozenset[int] = frozenset()
    ticked: frozenset[int] = frozenset()
    everyone: bool | None = None
    listed: Listed = field(default_factory=Listed)


@transaction.atomic
def begin_draft(*, by: User, department: Department, submission_key: UUID, now: datetime, ticked: Q) -> MassMessage:
    """A new draft with these of one's clients ticked; the one that is there if the form comes a second time."""
    draft, is_new = MassMessage.objects.get_or_create(
        author=by, submission_key=submission_key, defaults={"department": department, "created_at": now}
    )
    if is_new:
        _tick_all(draft, mass_choice.own(by).filter(ticked))
    return draft


@transaction.atomic
def save_draft(*, draft: MassMessage, body: str, ticks: Ticks, when: WallClock | None) -> int:
    """Keeps text, time and ticks as they are on the page. Gives how many of those ticked aren't the author's clients.

    Raises AlreadyConfirmed.
    """
    draft = lock_draft(draft)
    draft.body = body.replace("\r\n", "\n").replace("\0", "")
    draft.revision += 1
    _set_time(draft, when)
    draft.save(update_fields=["body", "revision", "scheduled_date", "scheduled_time", "scheduled_zone"])
    if ticks.everyone is False:
        _untick_all(draft, ticks.listed)
        return 0
    if ticks.everyone:
        _tick_all(draft, mass_choice.own(draft.author).filter(ticks.listed.matching()))
    else:
        _untick(draft, ticks.shown - ticks.ticked)
    return _tick(draft, ticks.ticked)


def lock_draft(draft: MassMessage) -> MassMessage:
    """The draft as it is now, locked. Raises AlreadyConfirmed."""
    fresh = MassMessage.objects.select_for_update(of=("self",), no_key=True).select_related("author", "department")
    locked = fresh.get(pk=draft.pk)
    if not locked.is_draft:
        raise AlreadyConfirmed
    return locked


@transaction.atomic
def delete_draft(*, draft: MassMessage) -> None:
    """Raises AlreadyConfirmed."""
    lock_draft(draft).delete()


@transaction.atomic
def copy_as_draft(
    *,
    source: MassMessage,
    by: User,
    submission_key: UUID | None,
    now: datetime,
    recipients: QuerySet[MassMessageRecipient],
    body: str,
    replaces: bool = False,
) -> MassMessage:
    """A new draft with that text, to these of another's recipients. The same key twice gives the one that is there."""
    draft, is_new = MassMessage.objects.get_or_create(
        author=by,
        submission_key=submission_key,
        defaults={"department": source.department, "created_at": now, "body": body},
    )
    if is_new:
        if replaces:
            draft.replaces, draft.scheduled_date = source, source.scheduled_date
            draft.scheduled_time, draft.scheduled_zone = source.scheduled_time, source.scheduled_zone
            draft.save()
        _insert(draft, recipients.order_by().values("client_id"))
    return draft


def _set_time(draft: MassMessage, when: WallClock | None) -> None:
    draft.scheduled_date = when.date if when else None
    draft.scheduled_time = when.time if when else None
    draft.scheduled_zone = when.zone.key if when else ""


def _tick_all(draft: MassMessage, clients: QuerySet[CaseAssignment]) -> None:
    """Also those who can't be texted: the check page names them, with the reason."""
    _insert(draft, clients.order_by().values("client_id"))


def _insert(draft: MassMessage, client_ids: QuerySet) -> None:  # type: ignore[type-arg]  # of one column
    """One statement, whatever their number."""
    try:
        chosen, parameters = client_ids.query.sql_with_params()
    except EmptyResultSet:  # Django sees beforehand that there is nobody
        return
    table = MassMessageRecipient._meta.db_table
    # "WHERE true": SQLite would else take ON for a part of the SELECT.
    statement = (
        f"INSERT INTO {table} (mass_message_id, client_id, left_out) "  # noqa: S608  # no outside words
        f"SELECT %s, chosen.client_id, '' FROM ({chosen}) AS chosen WHERE true ON CONFLICT DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [draft.pk, *parameters])


def _untick_all(draft: MassMessage, listed: Listed) -> None:
    matching = mass_choice.own(draft.author).filter(listed.matching())
    _of(draft).filter(client__in=matching.values("client_id")).delete()


def _untick(draft: MassMessage, client_ids: Iterable[int]) -> None:
    ids = sorted(client_ids)
    for start in range(0, len(ids), BATCH):
        _of(draft).filter(client__in=ids[start : start + BATCH]).delete()


def _tick(draft: MassMessage, client_ids: frozenset[int]) -> int:
    """Gives how many were refused: not the author's clients, or no longer."""
    mine = set(_mine_among(draft.author, client_ids))
    rows = (MassMessageRecipient(mass_message=draft, client_id=pk) for pk in sorted(mine))
    MassMessageRecipient.objects.bulk_create(rows, batch_size=2 * BATCH, ignore_conflicts=True)
    return len(client_ids) - len(mine)


def _mine_among(author: User, client_ids: frozenset[int]) -> Iterator[int]:
    mine = CaseAssignment.objects.filter(case_manager=author, ended_at__isnull=True).order_by()
    if len(client_ids) > BATCH:  # a form with thousands: read the caseload once
        yield from client_ids.intersection(mine.values_list("client_id", flat=True).iterator())
        return
    yield from mine.filter(client__in=client_ids).values_list("client_id", flat=True)


def _of(draft: MassMessage) -> QuerySet[MassMessageRecipient]:
    return MassMessageRecipient.objects.filter(mass_message=draft)
