"""The log takes rows and gives none back: the database itself refuses to change or delete one."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, User

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


def entry_by(user: User) -> AuditEntry:
    audit.record("client.viewed", "client:7", by=user, department=user.department, now=timezone.now(), page=2)
    return AuditEntry.objects.get()


def raw(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_row_says_who_did_what_to_what_when_and_where(alice: User) -> None:
    entry = entry_by(alice)
    assert (entry.action, entry.subject, entry.details) == ("client.viewed", "client:7", {"page": 2})
    assert (entry.by, entry.department) == (alice, alice.department)
    assert (timezone.now() - entry.at).total_seconds() < 5


WAYS_TO_CHANGE: dict[str, Callable[[AuditEntry], object]] = {
    "save": lambda entry: entry.save(),
    "update": lambda entry: AuditEntry.objects.update(action="nothing"),
    "delete": lambda entry: entry.delete(),
    "delete of many": lambda entry: AuditEntry.objects.all().delete(),
    "UPDATE in SQL": lambda entry: raw("UPDATE accounts_auditentry SET subject = 'client:8'"),
    "DELETE in SQL": lambda entry: raw("DELETE FROM accounts_auditentry"),
}


@pytest.mark.parametrize("way", WAYS_TO_CHANGE)
def test_the_database_refuses_to_change_or_delete_a_row(way: str, alice: User) -> None:
    entry = entry_by(alice)
    with pytest.raises(DatabaseError, match="the audit log is insert only"), transaction.atomic():
        WAYS_TO_CHANGE[way](entry)
    assert AuditEntry.objects.get() == entry
    entry.refresh_from_db()
    assert (entry.action, entry.subject) == ("client.viewed", "client:7")


def test_what_is_rolled_back_leaves_no_trace(alice: User) -> None:
    with transaction.atomic():
        entry_by(alice)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
