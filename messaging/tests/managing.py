"""What the tests of Manage client need: the fields as a person saw them, and some of them typed anew."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment, PhoneNumber
from messaging.actions.caseload import NewClient
from messaging.actions.managing import Changed, Fields, change_client, fields_of
from messaging.known_numbers import Answer


def fields(assignment: CaseAssignment) -> Fields:
    """As the page shows them now."""
    fresh = CaseAssignment.objects.select_related("client", "status").get(pk=assignment.pk)
    return fields_of(fresh, PhoneNumber.objects.filter(client=fresh.client, is_current=True).first())


def change(
    assignment: CaseAssignment, answer: Answer | None = None, *, by: User | None = None, seen: str = "", **typed: Any
) -> Changed:
    """Saves the form as it stands now, but for what is typed."""
    case_manager = by or assignment.case_manager
    assert case_manager is not None
    shown = fields(assignment)
    return change_client(
        client_id=assignment.client_id,
        wanted=NewClient(**{**vars(shown), **typed}),
        seen=seen or shown.stamp,
        by=case_manager,
        now=timezone.now(),
        answer=answer,
    )
