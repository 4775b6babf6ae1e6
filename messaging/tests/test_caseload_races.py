"""Two things at the same moment on one client, on two connections: as often as CLIENTCOMM_RACE_ROUNDS says.

Whoever is first, no text lies where nobody sees it, no number has two rows, and nobody waits for ever.
"""

import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Count
from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import delivery
from messaging.actions import mass_messages
from messaging.actions.caseload import ColleaguesClient, NewClient, add_client
from messaging.actions.ending import NewTexts, delete_client, restore_client
from messaging.actions.managing import ChangedMeanwhile
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours
from messaging.actions.settling import TooLate
from messaging.known_numbers import MustAsk
from messaging.models import Message
from messaging.sms import Accepted, NotTaken, OutboundText, Outcome
from messaging.tests.managing import change, fields
from messaging.tests.mass import make_mass
from tests import builders
from tests.threads import ROUNDS, at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

_numbers = itertools.count(1)


def race(*sides: Callable[[], str]) -> tuple[str, ...]:
    """How each side ended. One of them starts a little later, by the throw of a die, so that either may be first."""
    delays = [random.random() * 0.004 for _side in sides]  # noqa: S311  # a test's dice
    todo = list(enumerate(sides))

    def run() -> tuple[int, str]:
        place, side = todo.pop()
        time.sleep(delays[place])
        return place, side()

    return tuple(outcome for _place, outcome in sorted(at_once(run, times=len(sides))))


def rounds(play: Callable[[], tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    """Plays them all; says how often they ended in which way."""
    ended = Counter(play() for _round in range(ROUNDS))
    print(f"\n{ROUNDS} rounds:", dict(ended))  # noqa: T201  # with -s
    return ended


def fresh_address() -> str:
    return f"+1208{5_000_000 + next(_numbers)}"


def add(by: User, address: str) -> str:
    assert by.department is not None
    status = ClientStatus.objects.get(department=by.department, name="Active")
    try:
        add_client(
            new=NewClient("Maria", "Lopez", address, status), by=by, department=by.department, now=timezone.now()
        )
    except ColleaguesClient:
        return "refused"
    except MustAsk:
        return "asked"
    return "added"


def delete(maria: CaseAssignment, seen_up_to: int = 0) -> str:
    assert maria.case_manager is not None
    try:
        delete_client(client_id=maria.client_id, seen_up_to=seen_up_to, by=maria.case_manager, now=timezone.now())
    except NewTexts:
        return "refused"
    return "deleted"


def text(to: Department, address: str, body: str = "Hello") -> str:
    receive_text(
        text=builders.inbound_text(None, body, from_address=address, to_number=to.phone_number), now=timezone.now()
    )
    return "texted"


def test_of_two_people_who_add_one_number_one_has_the_client_and_the_other_is_told(alice: User, bob: User) -> None:
    def play() -> tuple[str, ...]:
        address = fresh_address()
        ended = race(lambda: add(alice, address), lambda: add(bob, address))
        assert sorted(ended) == ["added", "refused"]
        number = PhoneNumber.objects.get(address=address)
        assert CaseAssignment.objects.get(client=number.client).is_open
        assert ConversationEvent.objects.filter(client=number.client).count() == 1
        return ended

    rounds(play)
    assert Client.objects.count() == ROUNDS


def test_one_person_who_sends_the_form_twice_adds_the_client_once(alice: User) -> None:
    def play() -> tuple[str, ...]:
        address = fresh_address()
        ended = race(lambda: add(alice, address), lambda: add(alice, address))
        assert ConversationEvent.objects.filter(client__numbers__address=address).count() == 1
        return ended

    rounds(play)


def test_a_number_that_is_added_while_it_texts_has_one_client_who_has_the_text(
    alice: User, department: Department
) -> None:
    def play() -> tuple[str, ...]:
        address = fresh_address()
        ended = race(lambda: add(alice, address), lambda: text(department, address))
        message = Message.objects.get(their_number=address)
        assert message.assignment.is_open
        assert (message.assignment.case_manager == alice) == (ended[0] == "added")
        return ended

    rounds(play)


def test_a_text_that_comes_while_its_client_is_deleted_is_on_the_list_unread(alice: User) -> None:
    def play() -> tuple[str, ...]:
        maria = builders.make_client(alice)
        address = builders.number_of(maria).address
        ended = race(lambda: delete(maria), lambda: text(maria.client.department, address))
        maria.refresh_from_db()
        assert (maria.is_open, maria.unread_count) == (True, 1)
        assert Message.objects.get(client=maria.client).assignment == maria
        assert CaseAssignment.objects.filter(client=maria.client).count() == 1
        return ended

    rounds(play)


def test_a_text_that_comes_while_its_client_is_deleted_and_restored_is_there_once(alice: User) -> None:
    def play() -> tuple[str, ...]:
        maria = builders.make_client(alice)
        address = builders.number_of(maria).address
        delete(maria)

        def restore() -> str:
            restore_client(client_id=maria.client_id, by=alice, now=timezone.now())
            return "restored"

        ended = race(restore, lambda: text(maria.client.department, address), restore)
        maria.refresh_from_db()
        assert (maria.is_open, maria.unread_count) == (True, 1)
        events = ConversationEvent.objects.filter(client=maria.client, kind=ConversationEvent.Kind.RESTORED)
        assert events.count() == 1
        return ended

    rounds(play)


class CarrierThatMayNotAnswer:
    """Takes every other text; of the others it is certain that it has not."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def send(self, text: OutboundText) -> Outcome:
        if random.random() < 0.5:  # noqa: S311  # a test's dice
            return NotTaken()
        self.taken.append(text.body)
        return Accepted(f"SM{next(_numbers):032}")


def test_a_text_that_is_due_while_its_client_is_deleted_is_sent_or_cancelled(
    alice: User, department: Department
) -> None:
    Department.objects.update(segments_per_second=None)

    def play() -> tuple[str, ...]:
        maria, carrier = builders.make_client(alice), CarrierThatMayNotAnswer()
        body = f"text {maria.pk}"
        builders.make_scheduled(maria, "much later")
        due = builders.make_outgoing(maria, body, at=builders.minutes_ago(1))
        builders.make_outgoing(maria, "held", state=Message.State.HELD, hold_reason="too_late")

        def deliver() -> str:
            delivery.deliver_due(carrier)
            return "dispatched"

        race(lambda: delete(maria), deliver)
        Message.objects.filter(client=maria.client).update(try_at=None)  # what backs off comes up again
        deliver()
        due.refresh_from_db()
        states = set(Message.objects.filter(client=maria.client).exclude(pk=due.pk).values_list("state", flat=True))
        assert states == {"cancelled"}
        assert due.state in ("accepted", "cancelled")
        assert (body in carrier.taken) == (due.state == "accepted")
        maria.refresh_from_db()
        assert (maria.is_open, maria.scheduled_count, maria.held_count) == (False, 0, 0)
        return (due.state,)

    rounds(play)


def test_a_text_from_the_new_number_while_it_is_changed_leaves_one_row_and_is_seen(
    alice: User, department: Department
) -> None:
    def play() -> tuple[str, ...]:
        maria, address = builders.make_client(alice), fresh_address()

        def change_number() -> str:
            try:
                change(maria, phone_number=address)
            except MustAsk:
                return "asked"
            return "changed"

        ended = race(change_number, lambda: text(department, address))
        number, message = PhoneNumber.objects.get(address=address), Message.objects.get(their_number=address)
        assert message.assignment.is_open
        assert message.client_id == number.client_id
        assert (message.assignment == maria) == (ended[0] == "changed") == (number.client_id == maria.client_id)
        return ended

    rounds(play)


def test_of_two_who_change_to_one_number_the_second_is_told(alice: User, bob: User) -> None:
    def play() -> tuple[str, ...]:
        mine, theirs, address = builders.make_client(alice), builders.make_client(bob), fresh_address()

        def change_number(assignment: CaseAssignment) -> str:
            try:
                change(assignment, phone_number=address)
            except ColleaguesClient:
                return "refused"
            return "changed"

        ended = race(lambda: change_number(mine), lambda: change_number(theirs))
        assert sorted(ended) == ["changed", "refused"]
        assert PhoneNumber.objects.get(address=address).is_current
        return ended

    rounds(play)


def test_of_two_edits_at_once_the_second_sees_the_first(alice: User) -> None:
    def play() -> tuple[str, ...]:
        maria, seen = builders.make_client(alice), ""
        seen, addresses = fields(maria).stamp, [fresh_address(), fresh_address()]

        def edit(address: str) -> str:
            try:
                change(maria, seen=seen, phone_number=address)
            except ChangedMeanwhile as refusal:
                return f"told of {refusal.fields.phone_number}"
            return "saved"

        ended = race(lambda: edit(addresses[0]), lambda: edit(addresses[1]))
        first = addresses[ended.index("saved")]
        assert sorted(ended) == ["saved", f"told of {first}"]
        assert builders.number_of(maria).address == first
        return (f"saved in window {ended.index('saved')}",)

    rounds(play)


def test_a_text_of_a_mass_message_that_is_dropped_while_its_client_is_deleted(alice: User) -> None:
    def play() -> tuple[str, ...]:
        maria = builders.make_client(alice)
        mass = make_mass(alice, [maria])

        def drop() -> str:
            try:
                mass_messages.drop(mass=mass, client_id=maria.client_id, now=timezone.now())
            except TooLate:
                return "too late"
            return "dropped"

        ended = race(drop, lambda: delete(maria))
        assert Message.objects.get(client=maria.client).state == "cancelled"
        return ended

    rounds(play)


def test_of_two_deletions_at_once_one_is_written_down(alice: User) -> None:
    def play() -> tuple[str, ...]:
        maria = builders.make_client(alice)
        ended = race(lambda: delete(maria), lambda: delete(maria))
        assert ConversationEvent.objects.filter(client=maria.client).count() == 1
        return ended

    rounds(play)


def test_everything_at_once_on_two_numbers_that_meet_ends(alice: User, bob: User, department: Department) -> None:
    """Changes to each other's numbers, additions, deletions, restorations, texts: no deadlock, no number twice."""

    def play() -> tuple[str, ...]:
        mine, theirs = builders.make_client(alice), builders.make_client(bob)
        addresses = [builders.number_of(mine).address, builders.number_of(theirs).address, fresh_address()]
        refusals = (MustAsk, ColleaguesClient, ChangedMeanwhile, NewTexts)

        def step(dice: random.Random) -> None:
            assignment, address = dice.choice([mine, theirs]), dice.choice(addresses)
            assert assignment.case_manager is not None
            now, by = timezone.now(), assignment.case_manager
            steps: list[Callable[[], Any]] = [
                lambda: change(assignment, phone_number=address),
                lambda: delete(assignment, seen_up_to=2**62),
                lambda: restore_client(client_id=assignment.client_id, by=by, now=now),
                lambda: add(by, address),
                lambda: text(department, address),
            ]
            with contextlib.suppress(*refusals, NotYours):
                dice.choice(steps)()

        def live() -> str:
            dice = random.Random(next(_numbers))  # noqa: S311  # a test's dice
            for _step in range(4):
                step(dice)
            return "ended"

        ended = race(live, live, live)
        lost = Message.objects.filter(assignment__ended_at__isnull=False, read_at=None, direction="in")
        for message in lost:  # it was seen, and its client deleted after that
            assert ConversationEvent.objects.filter(client=message.client, kind="deleted").exists()
        return ended

    rounds(play)
    twice = PhoneNumber.objects.values("department", "address").annotate(rows=Count("pk")).filter(rows__gt=1)
    assert not twice
