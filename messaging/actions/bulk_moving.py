"""Many clients of one person go to a colleague: somebody leaves, or has too many.

Each client is a transaction of its own, so that nobody's page waits for the last of a thousand, and what has changed
meanwhile stops only itself. Asked once more it goes on where it stopped: who has left the list is not there any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit, mail
from accounts.models import AuditEntry, User
from clients.models import CaseAssignment, Client
from messaging.actions import moving
from messaging.actions.moving import ColleagueGone, Move, MovedMeanwhile
from messaging.actions.sending import NotYours

BATCH = 100  # clients a request: about a second
TIME_LIMIT = timedelta(seconds=8)  # on a machine that has much else to do: then the next request goes on
TOLD_FOR = timedelta(minutes=30)  # what follows within that is the same move to who gets the mail


@dataclass
class Moved:
    """What came of it. left: who was not moved; on whose list they are by now, None: on nobody's.

    last: the last client that was tried.
    """

    count: int = 0
    last: int = 0
    left: dict[int, User | None] = field(default_factory=dict)


def next_batch(former: User, *, after: int = 0) -> list[int]:
    """The next clients on that person's list, by id; `after` is the last one that was tried."""
    theirs = CaseAssignment.objects.filter(case_manager=former, ended_at__isnull=True, client__gt=after)
    return list(theirs.order_by("client").values_list("client_id", flat=True)[:BATCH])


def move_clients(*, client_ids: Iterable[int], move: Move, by: User, now: datetime) -> Moved:
    """Transfers each of them, if it can, until the time limit. The colleague gets one e-mail for all.

    by: a supervisor of the department of both people. Raises ColleagueGone, NotYours.
    """
    if not by.is_supervisor or move.former.department_id != by.department_id:
        raise NotYours
    done, until = Moved(), timezone.now() + TIME_LIMIT
    try:
        for client_id in client_ids:
            _move(client_id, move, by, now, done)
            done.last = client_id
            if timezone.now() > until:
                break
    finally:  # the account may be closed half-way: who is moved is moved
        if done.count:
            _tell_once(done.count, move, by, now)
    return done


def _move(client_id: int, move: Move, by: User, now: datetime, done: Moved) -> None:
    try:
        moving.transfer_client(client_id=client_id, move=move, by=by, now=now, is_told=False)
    except MovedMeanwhile as refusal:
        done.left[client_id] = refusal.case_manager
    except (Client.DoesNotExist, NotYours):
        return  # of another department: nobody of this one knows of it
    else:
        done.count += 1


@transaction.atomic
def _tell_once(count: int, move: Move, by: User, now: datetime) -> None:
    """The line in the log is the mark: who was just told is not told again for the next hundred."""
    try:
        to = moving.locked_colleague(move.to, by)
    except ColleagueGone:
        return
    told = AuditEntry.objects.filter(
        action="clients.moved", subject=f"user:{to.pk}", by=by, department=by.department_id, at__gt=now - TOLD_FOR
    )
    is_told = told.filter(details__former=move.former.pk).exists()
    details = {"former": move.former.pk, "count": count}
    audit.record("clients.moved", f"user:{to.pk}", by=by, department=by.department, now=now, **details)
    if not is_told and to != by:
        context = {"person": to, "by": by, "former": move.former, "has_note": bool(move.note)}
        mail.queue("messaging/email/bulk_transfer", to=to.email, context=context, now=now)
