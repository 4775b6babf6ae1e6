"""How much of what was ever written with a client one person sees beside an assignment's own messages.

A transfer leaves the old messages where they are. The new case manager reads them above the line "Transferred from …",
unless the department has switched that off; who had the client before sees only the own time; supervisors see all.
While nobody has the client, the whole department sees what came since then, and nothing of earlier times.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import User
from clients.models import CaseAssignment, ConversationEvent

Kind = ConversationEvent.Kind


@dataclass(frozen=True)
class Span:
    """is_whole: all messages of the client, else those of the assignment alone. Events within these moments."""

    is_whole: bool = True
    events_since: datetime | None = None
    events_until: datetime | None = None


def span_of(assignment: CaseAssignment, reader: User) -> Span:
    """What this reader sees, who has been let in by messaging.access."""
    if not assignment.is_open and not reader.is_supervisor:
        return Span(is_whole=False, events_since=_first_day(assignment), events_until=_just_after(assignment.ended_at))
    if assignment.case_manager_id is None and not reader.is_supervisor:
        return Span(is_whole=False, events_since=assignment.started_at)
    if assignment.client.department.shows_earlier_history or reader.is_supervisor:
        return Span()
    return Span(is_whole=False, events_since=_first_day(assignment))


def _just_after(moment: datetime | None) -> datetime | None:
    """So that the line of that very moment is among them: it says where the client went."""
    return moment and moment + timedelta(microseconds=1)


def _first_day(assignment: CaseAssignment) -> datetime | None:
    """When the client first came to this case manager; None if it was theirs from the beginning."""
    person = assignment.case_manager_id
    came = Q(to_person=person) | Q(kind__in=(Kind.ADDED, Kind.CLAIMED), by=person, to_person__isnull=True)
    return (
        ConversationEvent.objects.filter(came, client=assignment.client_id)
        .order_by("at", "pk")
        .values_list("at", flat=True)
        .first()
    )
