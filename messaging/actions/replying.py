"""The one automatic reply to a number that nobody knows: who is this, and who works with you?"""

from datetime import datetime, timedelta

from accounts import doorbell
from accounts.models import Department
from clients.models import PhoneNumber
from clients.routing import Route
from messaging import gate, keywords, segments, summaries
from messaging.models import Message
from messaging.sms import InboundText

TOO_OLD = timedelta(minutes=15)  # from the carrier's time of the text: an answer would come out of the blue


def reply_to_stranger(route: Route, text: InboundText, *, sent_at: datetime, now: datetime) -> Message | None:
    """Stores the reply beside the text that it answers, in the same transaction; None if there is to be none.

    One for each number, ever, whatever becomes of it. It goes out at any hour, by the delivery loop and its gate.
    The route's client and assignment are locked.
    """
    department = route.client.department
    words = department.automatic_reply.replace("{department}", department.name).strip()
    if not words or not _may_be_answered(route, text) or now - sent_at > TOO_OLD:
        return None
    first = PhoneNumber.objects.filter(pk=route.number.pk, auto_replied_at__isnull=True)
    if not first.update(auto_replied_at=now):
        return None
    reply = Message.objects.create(
        department=department,
        client=route.client,
        assignment=route.assignment,
        direction=Message.Direction.OUTGOING,
        state=Message.State.WAITING,
        body=words,
        segments=segments.count(words),
        any_hour=True,
        placed_at=now,
        due_at=now,
        state_at=now,
    )
    summaries.recompute(route.assignment.pk, now=now)
    doorbell.ring("messaging.deliver_due")
    return reply


def _may_be_answered(route: Route, text: InboundText) -> bool:
    """A person whom nobody knows or has written to: no machine, no word for the carrier, nobody dismissed."""
    number = route.number
    if route.assignment.case_manager_id is not None or route.client.full_name:
        return False
    if number.auto_replied_at is not None or number.dismissed_at is not None:
        return False
    if gate.reason_against_number(number) is not None:  # also a short code or a name, which can't be texted
        return False
    if text.opt_out_type or keywords.is_for_the_carrier(text.body) or keywords.sounds_like_a_machine(text.body):
        return False
    if Department.objects.filter(phone_number=number.address).exists():
        return False
    # "Who is this?" after a colleague has asked, and been answered, would only confuse.
    return not Message.objects.filter(client=route.client.pk, author__isnull=False).exists()
