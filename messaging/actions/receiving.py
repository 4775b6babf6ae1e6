"""A client's phone sends a text."""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, transaction

from accounts.models import Department
from accounts.statements import Statement
from clients import routing
from clients.models import PhoneNumber
from clients.routing import Place
from messaging import left_behind, opt_outs, segments, summaries
from messaging.actions import replying
from messaging.models import Attachment, Message
from messaging.sms import InboundText


class NoDepartment(Exception):
    """No department has the number that was texted."""


def receive_text(*, text: InboundText, now: datetime, sent_at: datetime | None = None) -> Message:
    """Stores an incoming text exactly once, unread, in the conversation where it belongs.

    Given twice, it changes nothing. Returns the message, also if it was there already. sent_at: the carrier's time of a
    text that comes late, which is its place in the conversation. Raises NoDepartment.
    """
    placed_at = min(sent_at or now, now)
    if opt_outs.word_in(text.body, text.opt_out_type):
        return _receive_unusual(text, placed_at, now)  # it may hold what waits in any of the client's conversations
    try:
        with transaction.atomic():
            place = routing.usual_place(our_number=text.to_number, address=text.from_address)
            return _received(place, text, placed_at, now)
    except routing.NotUsual:
        return _receive_unusual(text, placed_at, now)


@transaction.atomic
def _receive_unusual(text: InboundText, placed_at: datetime, now: datetime) -> Message:
    """By the whole rule, which may bring a client back; a copy of a text that is there must not."""
    department = Department.objects.filter(phone_number=text.to_number).first()
    if department is None:
        raise NoDepartment
    if known := Message.objects.filter(carrier_id=text.carrier_id).first():
        return known
    route = routing.route_text(department=department, address=text.from_address, now=now)
    left_behind.move(route.client, route.assignment, now)
    message = _received(route.place, text, placed_at, now)
    replying.reply_to_stranger(route, text, sent_at=placed_at, now=now)  # once for a number, also if a copy raced
    return message


def _received(place: Place, text: InboundText, placed_at: datetime, now: datetime) -> Message:
    """Into this place, with all that a text brings about. The place's client and assignment are locked."""
    message = _message(place, text, placed_at, now)
    if not _store(message):
        return Message.objects.get(carrier_id=text.carrier_id)
    _attach(message, text)
    if opt_outs.word_in(text.body, text.opt_out_type):
        number = PhoneNumber.objects.get(pk=place.number_id)
        opt_outs.apply_text(number, text.body, text.opt_out_type, at=placed_at, now=now)
    summaries.recompute(place.assignment_id, now=now)
    return message


def _message(place: Place, text: InboundText, placed_at: datetime, now: datetime) -> Message:
    return Message(
        department_id=place.department_id,
        client_id=place.client_id,
        assignment_id=place.assignment_id,
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


# Of two copies of one text that race, the database takes one.
_STORE = Statement(
    "store_incoming_text",
    """
INSERT INTO messaging_message
  (public_id, department_id, client_id, assignment_id, direction, state, priority, body, segments, our_number,
   their_number, carrier_id, placed_at, attempts, state_at, hold_reason, failure_reason)
VALUES
  (%(public_id)s, %(department_id)s, %(client_id)s, %(assignment_id)s, 'in', 'received', 0, %(body)s, %(segments)s,
   %(our_number)s, %(their_number)s, %(carrier_id)s, %(placed_at)s, 0, %(state_at)s, '', '')
ON CONFLICT (carrier_id) DO NOTHING
RETURNING id
""",
    public_id="uuid",
    department_id="bigint",
    client_id="bigint",
    assignment_id="bigint",
    body="text",
    segments="smallint",
    our_number="varchar",
    their_number="varchar",
    carrier_id="varchar",
    placed_at="timestamptz",
    state_at="timestamptz",
)


def _store(message: Message) -> bool:
    """Saves the message, with its id, unless the carrier's id is there already. True if it wasn't."""
    row = _STORE.first(**{name: getattr(message, name) for name in _STORE.values})
    if row is None:
        return False
    message.pk, message._state.adding, message._state.db = row[0], False, DEFAULT_DB_ALIAS
    return True


def _attach(message: Message, text: InboundText) -> None:
    if text.media:
        Attachment.objects.bulk_create(
            Attachment(message=message, position=position, carrier_url=media.url, content_type=media.content_type[:100])
            for position, media in enumerate(text.media)
        )
