"""The log that nobody can edit: one row for each change, transfer, export and look at a colleague's conversation."""

from datetime import datetime
from typing import Any

from accounts.models import AuditEntry, Department, User


def record(
    action: str, subject: str, *, by: User | None, department: Department | None, now: datetime, **details: Any
) -> None:
    """Adds a row in the caller's transaction: what is rolled back leaves no trace of having been done."""
    AuditEntry.objects.create(action=action, subject=subject, by=by, department=department, at=now, details=details)
