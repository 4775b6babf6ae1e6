"""By which doors a text comes to the claim, and in which ways a client opts out: each pair of them must hold."""

import uuid
from collections.abc import Callable
from datetime import time, timedelta

from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment, ClientStatus
from messaging import delivery
from messaging.actions import numbers, sending, settling
from messaging.actions.caseload import NewClient, add_client
from messaging.actions.receiving import receive_text
from messaging.claims import Claim, Held, PutOff
from messaging.due import NotYet
from messaging.failures import FailureReason, HoldReason
from messaging.known_numbers import SAME_PERSON
from messaging.models import MassMessage, Message
from messaging.sms import DeliveryReport, OutboundText, Refused, ReportedState
from tests import builders

State = Message.State
Door = Callable[[CaseAssignment], Message]
Way = Callable[[CaseAssignment], None]


def manager(maria: CaseAssignment) -> User:
    assert maria.case_manager is not None
    return maria.case_manager


# --- The doors: each leaves a text that is due ---


def typed(maria: CaseAssignment) -> Message:
    return sending.send_message(
        client_id=maria.client_id, body="Hello", by=manager(maria), submission_key=uuid.uuid4(), now=timezone.now()
    )


def scheduled(maria: CaseAssignment, *, minutes_ago: float = 1) -> Message:
    zone = maria.client.department.zone
    due = builders.minutes_ago(minutes_ago)
    day = due.astimezone(zone).date()
    return builders.make_outgoing(maria, at=due, scheduled_date=day, scheduled_time=time(9), scheduled_zone=zone.key)


def of_a_mass_message(maria: CaseAssignment, *, minutes_ago: float = 1) -> Message:
    due = builders.minutes_ago(minutes_ago)
    mass = MassMessage.objects.create(
        department=maria.client.department, author=manager(maria), confirmed_at=due, due_at=due
    )
    until = timezone.now() + timedelta(hours=1)
    return builders.make_outgoing(
        maria, at=due, priority=Message.Priority.MASS, mass_message=mass, finish_by=until, any_hour=False
    )


def tried_again(maria: CaseAssignment) -> Message:
    old = builders.make_outgoing(maria, state=State.UNDELIVERED, failure_reason=FailureReason.PHONE_OFF)
    return settling.try_again(message=old, by=manager(maria), now=timezone.now())


def released(maria: CaseAssignment) -> Message:
    held = builders.make_outgoing(maria, state=State.HELD, hold_reason=HoldReason.TOO_LATE)
    settling.send_held(message=held, by=manager(maria), now=timezone.now())
    return held


DOORS: list[Door] = [typed, scheduled, of_a_mass_message, tried_again, released]


def automatic_reply(case_manager: User) -> tuple[CaseAssignment, Message]:
    """A stranger who has texted and is on a list by now, and the reply that waits."""
    department = case_manager.department
    assert department is not None
    department.automatic_reply = "Who are you?"
    department.save(update_fields=["automatic_reply"])  # alice's copy still has the old pace
    address = f"+1385200{uuid.uuid4().int % 10_000:04d}"
    text = builders.inbound_text(from_address=address, to_number=department.phone_number)
    receive_text(text=text, now=timezone.now())
    status = ClientStatus.objects.get(department=department, name="Active")
    new = NewClient("Sam", "Stranger", address, status)
    added = add_client(new=new, by=case_manager, department=department, now=timezone.now(), answer=SAME_PERSON)
    return added.assignment, Message.objects.get(client=added.assignment.client_id, direction="out")


# --- The ways of opting out: each commits by itself, if nothing is around it ---


def by_stop(maria: CaseAssignment) -> None:
    receive_text(text=builders.inbound_text(maria, " Stop\n"), now=timezone.now())


def by_opt_out_type(maria: CaseAssignment) -> None:
    receive_text(text=builders.inbound_text(maria, "baja", opt_out_type="STOP"), now=timezone.now())


def by_a_person(maria: CaseAssignment) -> None:
    numbers.record_opt_out(client_id=maria.client_id, by=manager(maria), reason="on the phone", now=timezone.now())


def by_refusal(maria: CaseAssignment) -> None:
    """21610, as the answer to another text of theirs."""
    other = Message.objects.get(client=maria.client_id, state=State.UNKNOWN)
    text = OutboundText(other.public_id, other.our_number, other.their_number, other.body)
    claim = Claim(other.pk, maria.client_id, timezone.now(), text)
    delivery.record_outcome(claim, Refused(FailureReason.OPTED_OUT, 21610), now=timezone.now())


def by_report(maria: CaseAssignment) -> None:
    """21610 or 30004, in a callback for a text that had been taken."""
    other = Message.objects.get(client=maria.client_id, state=State.UNKNOWN)
    report = DeliveryReport(
        other.public_id, uuid.uuid4().hex, ReportedState.UNDELIVERED, FailureReason.OPTED_OUT, 30004
    )
    delivery.record_delivery_report(report, now=timezone.now())


WAYS: list[Way] = [by_stop, by_opt_out_type, by_a_person, by_refusal, by_report]


def on_the_way(maria: CaseAssignment) -> Message:
    """The text to which the carrier's refusal belongs. Unclear, as others would be kept waiting by one in hand."""
    return builders.make_outgoing(maria, "An earlier one", state=State.UNKNOWN, at=builders.minutes_ago(2))


# --- What the tests of both ask ---


def claim() -> Claim | Held | PutOff | NotYet | None:
    return delivery.claim_next(timezone.now())


def everyone(alice: User, opt_out: Way) -> list[tuple[CaseAssignment, Message]]:
    """A client and a due text for each door, the automatic reply too."""
    Department.objects.update(segments_per_second=None)  # nothing waits for the pace
    waiting = []
    for door in DOORS:
        maria = builders.make_client(alice)
        waiting.append((maria, door(maria)))
    waiting.append(automatic_reply(alice))
    if opt_out in (by_refusal, by_report):
        for maria, _text in waiting:
            on_the_way(maria)
    return waiting


def alone(waiting: list[tuple[CaseAssignment, Message]], text: Message) -> None:
    """Puts off the others, so that a claim can only be for this one."""
    later = timezone.now() + timedelta(hours=1)
    Message.objects.filter(pk__in=[other.pk for _maria, other in waiting]).update(try_at=later)
    Message.objects.filter(pk=text.pk).update(try_at=None)


def state_of(text: Message) -> tuple[str, str]:
    text.refresh_from_db()
    return text.state, text.hold_reason
