"""A client's phone sends a text."""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Department
from clients import routing
from clients.routing import Route
from messaging import opt_outs, segments, summaries
from messaging.actions import replying
from messaging.models import Attachment, Message
from messaging.sms import InboundText


class NoDepartment(Exception):
    """No department has the number that was texted."""


@transaction.atomic
def receive_text(*, text: InboundText, now: datetime, sent_at: datetime | None = None) -> Message:
    """Stores an incoming text exactly once, unread, in the conversation where it belongs.

    Given twice, it changes nothing. Returns the message, also if it was there already. sent_at: the carrier's time of a
    text that comes late, which is its place in the conversation. Raises NoDepartment.
    """
    department = Department.objects.filter(phone_number=text.to_number).first()
    if department is None:
        raise NoDepartment
    if known := Message.objects.filter(carrier_id=text.carrier_id).first():
        return known
    route = routing.route_text(department=department, address=text.from_address, now=now)
    placed_at = min(sent_at or now, now)
    message, is_new = _stored(route, text, placed_at, now)
    if is_new:
        _attach(message, text)
        opt_outs.apply_text(route.number, text.body, text.opt_out_type, at=placed_at, now=now)
        summaries.recompute(route.assignment.pk, now=now)
        replying.reply_to_stranger(route, text, sent_at=placed_at, now=now)
    return message


def _stored(route: Route, text: InboundText, placed_at: datetime, now: datetime) -> tuple[Message, bool]:
    """The row, and whether it is new: of two copies of one text that race, the database takes one."""
    message = Message(
        department_id=route.client.department_id,
        client=route.client,
        assignment=route.assignment,
        direction=Message.Direction.INCOMING,
        state=Message.State.RECEIVED,
        body=text.body,
        segments=segments.count(text.body),
        our_number=text.to_number,
        their_number=text.from_address,
        carrier_id=text.carrier_id,
        placed_at=placed_at,
        state_at=now,
    )
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        return Message.objects.get(carrier_id=text.carrier_id), False
    return message, True


def _attach(message: Message, text: InboundText) -> None:
    Attachment.objects.bulk_create(
        Attachment(message=message, position=position, carrier_url=media.url, content_type=media.content_type[:100])
        for position, media in enumerate(text.media)
    )
