"""Makes the texts of a mass message, one for each recipient, in batches; and recounts the lists after a stop.

Idempotent: a batch is one transaction that writes the text and its recipient's mark together, so a process that dies
half-way leaves whole batches, and the next look goes on. The mass message's row is the lock: one process at a time
makes texts of it, and "Stop the rest" waits for a batch at most. Then the locks of a conversation, each kind in the
order of its ids: recipients, clients, assignments (docs/adr/0004).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import doorbell
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging import gate, merge_fields, segments, summaries
from messaging.mass_choice import LeftOut
from messaging.merge_fields import Values
from messaging.models import MassMessage, MassMessageRecipient, Message

BATCH = 500
TIME_LIMIT = timedelta(seconds=20)  # then another look, so that none keeps a thread for long


def fill(*, now: datetime) -> int:
    """Makes what texts are to be made, and recounts what lists are to be recounted. Gives how many texts."""
    made, until = 0, timezone.now() + TIME_LIMIT
    for pk in _open():
        while timezone.now() < until and (batch := _fill_batch(pk, now)) is not None:
            made += batch
        while timezone.now() < until and _recount_batch(pk, now):
            pass
    return made


def _open() -> Iterator[int]:
    confirmed = MassMessage.objects.filter(confirmed_at__isnull=False).order_by("pk")
    unfilled = confirmed.filter(filled_at__isnull=True, stopped_at__isnull=True, cancelled_at__isnull=True)
    yield from list(unfilled.values_list("pk", flat=True))
    yield from list(confirmed.filter(recount_after__isnull=False).values_list("pk", flat=True))


def _locked(pk: int) -> QuerySet[MassMessage]:
    """Nothing, if another process is at it."""
    rows = MassMessage.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return rows.select_related("author", "department").filter(pk=pk)


@transaction.atomic
def _fill_batch(pk: int, now: datetime) -> int | None:
    """Gives how many texts were made. None: there is nothing more to do here."""
    open_ones = _locked(pk).filter(filled_at__isnull=True, stopped_at__isnull=True, cancelled_at__isnull=True)
    mass = open_ones.first()
    if mass is None:
        return None
    waiting = MassMessageRecipient.objects.filter(mass_message=mass, message__isnull=True, left_out="")
    recipients = list(waiting.select_for_update(of=("self",), no_key=True).order_by("pk")[:BATCH])
    if not recipients:
        MassMessage.objects.filter(pk=pk).update(filled_at=now)
        return None
    texts = _make(mass, [recipient.client_id for recipient in recipients], now)
    by_client = {text.client_id: text for text in texts}
    done = [recipient for recipient in recipients if recipient.client_id in by_client]
    for recipient in done:
        recipient.message = by_client[recipient.client_id]
    MassMessageRecipient.objects.bulk_update(done, ["message"])
    summaries.recompute_all([text.assignment_id for text in texts], now=now)
    doorbell.ring("messaging.deliver_due")
    return len(texts)


def _make(mass: MassMessage, client_ids: list[int], now: datetime) -> list[Message]:
    """The texts for those of these clients who can get it. The others are marked, with the reason."""
    clients = Client.objects.select_for_update(no_key=True).filter(pk__in=client_ids).order_by("pk")
    by_id = {client.pk: client for client in clients}
    open_ones = CaseAssignment.objects.filter(client__in=by_id, case_manager=mass.author_id, ended_at__isnull=True)
    assignments = open_ones.select_for_update(no_key=True).order_by("pk").values_list("client_id", "pk")
    written_in = dict(assignments)
    numbers = {number.client_id: number for number in PhoneNumber.objects.filter(client__in=by_id, is_current=True)}
    texts = []
    for client_id, client in by_id.items():
        reason = gate.reason_against_number(numbers.get(client_id))
        if client_id not in written_in:
            _leave_out(mass, client_id, LeftOut.NOT_YOURS)
        elif reason is not None:
            _leave_out(mass, client_id, LeftOut(reason.value))
        else:
            texts.append(_text(mass, client, written_in[client_id], now))
    return Message.objects.bulk_create(texts)


def _leave_out(mass: MassMessage, client_id: int, reason: LeftOut) -> None:
    MassMessageRecipient.objects.filter(mass_message=mass, client=client_id).update(left_out=reason)


def _text(mass: MassMessage, client: Client, assignment_id: int, now: datetime) -> Message:
    names = Values(client.first_name, client.last_name, mass.author.full_name, mass.department.name)
    body = merge_fields.merge(mass.body, names)
    assert mass.due_at is not None  # the database sees to it: a confirmed one is due
    return Message(
        department_id=mass.department_id,
        client=client,
        assignment_id=assignment_id,
        author_id=mass.author_id,
        direction=Message.Direction.OUTGOING,
        state=Message.State.WAITING,
        priority=Message.Priority.MASS,
        body=body,
        segments=segments.count(body),
        placed_at=mass.due_at,
        due_at=mass.due_at,
        scheduled_date=mass.scheduled_date,
        scheduled_time=mass.scheduled_time,
        scheduled_zone=mass.scheduled_zone,
        finish_by=mass.finish_by,
        mass_message=mass,
        state_at=now,
    )


@transaction.atomic
def _recount_batch(pk: int, now: datetime) -> bool:
    """After many texts were moved by one statement: what the lists show of their clients. True: there may be more."""
    mass = _locked(pk).filter(recount_after__isnull=False).first()
    if mass is None:
        return False
    moved = Message.objects.filter(mass_message=mass, pk__gt=mass.recount_after).order_by("pk")
    batch = list(moved.values_list("pk", "assignment_id")[:BATCH])
    assignment_ids = {assignment_id for _pk, assignment_id in batch}
    summaries.lock_all(assignment_ids)
    summaries.recompute_all(assignment_ids, now=now)
    mass.recount_after = batch[-1][0] if batch else None
    mass.save(update_fields=["recount_after"])
    return bool(batch)
