"""What waited for a case manager whose account was closed: it must not stay where nobody looks.

An assignment that ended because its case manager left is nobody's. What was read and answered stays there, as history.
"""

from datetime import datetime

from django.db.models import Q

from clients.models import CaseAssignment, Client
from messaging import summaries
from messaging.failures import HoldReason
from messaging.models import Message

State = Message.State
_NOT_READ = Q(direction=Message.Direction.INCOMING, read_at__isnull=True)
_NOT_ACCEPTED = Q(state__in=[State.WAITING, State.HELD, State.SENDING, State.UNKNOWN])
_NOT_SETTLED = Q(state=State.UNCONFIRMED, arrived_at__isnull=True)


def move(client: Client, into: CaseAssignment, now: datetime) -> None:
    """Moves what nobody has read, and what is not known to have gone out, to where the client's texts arrive now.

    What was to go out later is held: whoever has the client from now on decides. The caller has locked the client and
    all its conversations.
    """
    left = CaseAssignment.objects.filter(client=client, end_reason=CaseAssignment.EndReason.LEFT).exclude(pk=into.pk)
    left_ids = list(left.order_by("pk").values_list("pk", flat=True))
    if not left_ids:
        return
    open_ends = Message.objects.filter(_NOT_READ | _NOT_ACCEPTED | _NOT_SETTLED, assignment__in=left_ids)
    moved = list(open_ends.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    if moved:
        Message.objects.filter(pk__in=moved).update(assignment=into)
        Message.objects.filter(pk__in=moved, state=State.WAITING).update(
            state=State.HELD, hold_reason=HoldReason.NO_CASE_MANAGER, state_at=now
        )
        summaries.recompute(*left_ids, into.pk, now=now)
