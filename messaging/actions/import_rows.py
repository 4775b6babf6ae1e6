"""Takes the rows of confirmed imports, one after the other, by the same action as "New client".

Idempotent: a row's client and its mark are one transaction, so a process that dies leaves whole rows, and the next look
goes on. The import's row is the lock: one process at a time takes rows of it. Locks: import, person, client, and so on
as add_client takes them (docs/adr/0004). One row is one transaction: two files with the same numbers in another order
never wait for each other in a circle.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, doorbell, mail
from accounts.models import User
from clients import routing
from clients.models import PhoneNumber
from messaging import delivery
from messaging.actions.caseload import AccountClosed, Added, ColleaguesClient, NewClient, add_client
from messaging.client_imports import TAKEN, WORKED_OFF, ClientImport, ClientImportRow, Verdict
from messaging.import_columns import Field
from messaging.import_verdicts import WHOLE_ROW, Judged, Statuses, Wanted, by_hand, colleagues, standings, wanted
from messaging.known_numbers import SAME_PERSON, MustAsk

logger = logging.getLogger(__name__)

TIME_LIMIT = timedelta(seconds=15)  # then another look, so that none keeps a thread for long


def take_rows(*, now: datetime) -> int:
    """Works off what is confirmed, the oldest first. Gives how many rows."""
    taken, until = 0, timezone.now() + TIME_LIMIT
    confirmed = ClientImport.objects.filter(confirmed_at__isnull=False, finished_at__isnull=True)
    for client_import in confirmed.select_related("department").order_by("pk"):
        try:
            statuses = Statuses.of(client_import.department)
            for row_pk in _open_rows(client_import.pk):
                if timezone.now() >= until or delivery.is_draining():
                    break
                if not _take(client_import.pk, row_pk, statuses, now):
                    break
                taken += 1
            else:
                _finish(client_import.pk, now)
        except Exception as error:  # its kind alone: its words could hold a name. The next look tries again.
            logger.error("import %s broke off: %s", client_import.pk, type(error).__name__)
    if timezone.now() >= until:
        doorbell.ring("messaging.take_imported_clients")
    return taken


def _waiting(pk: int) -> QuerySet[ClientImportRow]:
    return ClientImportRow.objects.filter(client_import=pk, done_at__isnull=True, verdict__in=WORKED_OFF)


def _open_rows(pk: int) -> list[int]:
    """In the order of the file, asked once a look: to ask for the next one each time would pass all those before."""
    return list(_waiting(pk).order_by("number").values_list("pk", flat=True))


def _locked(pk: int) -> ClientImport | None:
    """Nothing, if another process is at it, or it is done."""
    rows = ClientImport.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return rows.select_related("for_whom", "made_by", "department").filter(pk=pk, finished_at__isnull=True).first()


@transaction.atomic
def _take(pk: int, row_pk: int, statuses: Statuses, now: datetime) -> bool:
    """False: another process is at this file."""
    found = _locked(pk)
    if found is None:
        return False
    row = _waiting(pk).filter(pk=row_pk).first()
    if row is None:
        return True
    try:
        judged = _taken(found, wanted(row.cells, found.columns, statuses), now)
    except (DataError, IntegrityError) as error:
        logger.error("row %s of import %s was not taken: %s", row.number, pk, type(error).__name__)
        judged = _refused(_("Something in this row could not be stored. Add this client by hand."), WHOLE_ROW)
    _waiting(pk).filter(pk=row_pk).update(verdict=judged.verdict, problems=judged.problems, done_at=timezone.now())
    return True


def _taken(found: ClientImport, row: Wanted, now: datetime) -> Judged:
    """Adds the client, if the row is still as good as when it was checked."""
    if row.problems or row.status is None:
        return Judged(Verdict.REFUSED, row.problems)
    try:
        standing = _standing(found, row.address)
        if standing is not None and standing.verdict in (Verdict.REFUSED, Verdict.UNCHANGED):
            return standing  # the action would change nothing either
        new = NewClient(**{**_fields(row), "status": row.status})
        added = add_client(
            new=new, by=found.for_whom, department=found.department, now=now, answer=SAME_PERSON
        )  # what a person would be asked was judged above, with the client locked
        return Judged(_verdict(added), {})
    except MustAsk:
        return _refused(by_hand(), Field.PHONE_NUMBER)
    except ColleaguesClient as refusal:
        return _refused(colleagues(refusal.colleague), Field.PHONE_NUMBER)
    except AccountClosed:
        return _refused(_("%(name)s can't take clients any more.") % {"name": found.for_whom.full_name}, WHOLE_ROW)


def _standing(found: ClientImport, address: str) -> Judged | None:
    """What a known number means now, with its client locked; before that the person, as add_client does it."""
    if found.for_whom.department_id != found.department_id:
        raise AccountClosed
    number = PhoneNumber.objects.filter(department=found.department, address=address).first()
    if number is None:
        return None
    if not User.objects.select_for_update(no_key=True).filter(pk=found.for_whom_id, is_active=True):
        raise AccountClosed
    routing.lock_client_of(number)
    return standings([address], found.for_whom, found.department).get(address)


def _fields(row: Wanted) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if name != Field.STATUS}


def _verdict(added: Added) -> Verdict:
    if added.was_mine:
        return Verdict.UNCHANGED
    if added.was_unclaimed:
        return Verdict.CLAIM
    return Verdict.RESTORE if added.was_restored else Verdict.ADD


def _refused(why: str, field: str) -> Judged:
    return Judged(Verdict.REFUSED, {field: why})


@transaction.atomic
def _finish(pk: int, now: datetime) -> None:
    """The end, its line in the log, and the mail to whom it was done for, are one transaction."""
    found = _locked(pk)
    if found is None or _waiting(pk).exists():
        return
    by_verdict = ClientImportRow.objects.filter(client_import=found).values_list("verdict").order_by("verdict")
    counts = {verdict: count for verdict, count in by_verdict.annotate(Count("pk")) if verdict != Verdict.HEADING}
    ClientImport.objects.filter(pk=found.pk).update(finished_at=timezone.now())
    details = {"for_whom": found.for_whom_id, **counts}
    audit.record(
        "client.import", f"import:{found.pk}", by=found.made_by, department=found.department, now=now, **details
    )
    added = sum(counts.get(verdict, 0) for verdict in TAKEN)
    if found.is_for_another and added:
        context = {"person": found.for_whom, "by": found.made_by, "count": added}
        mail.queue("messaging/email/clients_imported", to=found.for_whom.email, context=context, now=now)
