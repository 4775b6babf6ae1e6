"""What the lists show of a conversation, kept on its assignment: recomputed from the messages, never counted up."""

from datetime import datetime
from typing import Any

from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Left

from clients.models import CaseAssignment
from messaging import states
from messaging.models import Message

SNIPPET_LENGTH = 120
_NOT_SENT_YET = [Message.State.WAITING, Message.State.CANCELLED]


def lock(assignment_id: int) -> None:
    """Before any message of the assignment is changed: else a recount could miss what commits meanwhile."""
    CaseAssignment.objects.select_for_update().only("pk").get(pk=assignment_id)


def lock_for(message_id: int) -> int:
    """Locks the assignment that the message is written in, and returns its id: a transfer may just have moved it."""
    written_in = Message.objects.filter(pk=message_id).values_list("assignment", flat=True)
    assignment_id = written_in.get()
    lock(assignment_id)
    while (now_in := written_in.get()) != assignment_id:
        assignment_id = now_in
        lock(assignment_id)
    return assignment_id


def recompute(*assignment_ids: int, now: datetime) -> None:
    """Writes the summary columns anew, in one statement. The caller holds the assignments' locks."""
    messages = Message.objects.filter(client=OuterRef("client"), assignment=OuterRef("pk"))
    newest_first = messages.order_by("-placed_at", "-id")
    shown = newest_first.filter(placed_at__lte=now).exclude(state=Message.State.CANCELLED)
    contacts = newest_first.filter(Q(direction=Message.Direction.INCOMING) | Q(state__in=states.REACHED))
    CaseAssignment.objects.filter(pk__in=assignment_ids).update(
        unread_count=Coalesce(Subquery(_unread_count()), 0),
        last_contact_at=Subquery(contacts.values("placed_at")[:1]),
        snippet=Coalesce(Subquery(shown.values(start=Left("body", SNIPPET_LENGTH))[:1]), Value("")),
        snippet_is_outgoing=_latest_is(shown, direction=Message.Direction.OUTGOING),
        last_outgoing_failed=_latest_is(
            newest_first.filter(direction=Message.Direction.OUTGOING).exclude(state__in=_NOT_SENT_YET),
            state__in=states.NOT_DELIVERED,
        ),
    )


def _unread_count() -> QuerySet[Any, Any]:
    unread = Message.objects.filter(
        assignment=OuterRef("pk"), direction=Message.Direction.INCOMING, read_at__isnull=True
    )
    return unread.order_by().values("assignment").annotate(number=Count("pk")).values("number")


def _latest_is(messages: QuerySet[Message], **condition: object) -> Coalesce:
    """Whether the first of the messages meets the condition; false if there is none."""
    answer = Case(When(**condition, then=Value(True)), default=Value(False))
    return Coalesce(Subquery(messages.values(answer=answer)[:1]), Value(False))
