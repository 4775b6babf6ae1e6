"""Numbers that nobody knows, for the tests of the unclaimed clients."""

from typing import Any

from accounts.models import Department
from clients.models import CaseAssignment
from tests import builders


def make_stranger(department: Department, body: str = "Hello", *, minutes: float = 10, **fields: Any) -> CaseAssignment:
    """A number that nobody knows, waiting for so many minutes, with one unread text."""
    fields = {"first_name": "", "last_name": ""} | fields
    assignment = builders.make_client(None, department=department, **fields)
    CaseAssignment.objects.filter(pk=assignment.pk).update(started_at=builders.minutes_ago(minutes))
    builders.make_incoming(assignment, body, at=builders.minutes_ago(minutes))
    assignment.refresh_from_db()
    return assignment
