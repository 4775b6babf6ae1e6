"""Transfers and merges at the same moment as everything else that touches a client, on PostgreSQL.

Each race is run as often as CLIENTCOMM_RACE_ROUNDS says. PostgreSQL's word for a deadlock is an error that no round
expects. After each round the rules of `judge` hold, whoever was first.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connections
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import delivery, mass_filling, summaries
from messaging.actions import mass_messages, reading, sending
from messaging.actions.caseload import AccountClosed, NewClient, add_client
from messaging.actions.merging import Choice, NotMerged, merge_clients
from messaging.actions.moving import Move, NotMoved, transfer_client
from messaging.actions.people import HasActiveClients, disable_person
from messaging.actions.receiving import receive_text
from messaging.failures import FailureReason
from messaging.models import Message
from messaging.sms import Accepted, DeliveryReport, NotTaken, OutboundText, Outcome, Refused, ReportedState, Unclear
from messaging.tests.carriers import Carrier
from messaging.tests.mass import make_mass
from tests import builders
from tests.threads import PATIENCE, ROUNDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

LONGEST_START = 0.008  # seconds: about what an action takes, so that each is first about as often
EXPECTED = (NotMoved, NotMerged, sending.NotSent, HasActiveClients, AccountClosed)
State = Message.State
Work = Callable[[], object]


@dataclass
class Ring:
    """Threads that keep their connections, and what came of each thing that was done."""

    pool: ThreadPoolExecutor
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311  # a test's dice
    outcomes: Counter[str] = field(default_factory=Counter)

    def race(self, **works: Work) -> dict[str, str]:
        """Lets all of them go together; gives "ok" or the name of the refusal for each."""
        start = threading.Barrier(len(works))
        running = {name: self.pool.submit(self._begin, start, work) for name, work in works.items()}
        came_of_it = {name: future.result(PATIENCE) for name, future in running.items()}
        self.outcomes.update(f"{name}: {outcome}" for name, outcome in came_of_it.items())
        return came_of_it

    def _begin(self, start: threading.Barrier, work: Work) -> str:
        start.wait(PATIENCE)
        time.sleep(self.dice.uniform(0, LONGEST_START))
        try:
            work()
        except EXPECTED as refusal:
            return type(refusal).__name__
        return "ok"


@pytest.fixture
def ring(request: pytest.FixtureRequest) -> Iterator[Ring]:
    with ThreadPoolExecutor(6) as pool:
        ring = Ring(pool)
        yield ring
        closing = threading.Barrier(6)
        list(pool.map(lambda _: _close(closing), range(6)))
    print(f"\n{request.node.name}: {dict(sorted(ring.outcomes.items()))}")  # noqa: T201  # figures, for pytest -s


def _close(closing: threading.Barrier) -> None:
    """Each thread's own connections: all of them are here at once."""
    closing.wait(PATIENCE)
    connections.close_all()


@pytest.fixture
def carol(department: Department) -> User:
    return builders.make_user(department, "Carol Cole", role=User.Role.SUPERVISOR)


@pytest.fixture(autouse=True)
def no_pace(department: Department) -> None:
    Department.objects.update(segments_per_second=None)


# --- What people, phones and loops do --------------------------------------------------------------------------------


def transfer(client_id: int, former: User, to: User, by: User | None = None) -> Work:
    return lambda: transfer_client(client_id=client_id, move=Move(former, to), by=by or former, now=timezone.now())


def merge(kept: CaseAssignment, given_up: CaseAssignment, by: User, number_of: CaseAssignment | None = None) -> Work:
    choice = Choice(kept.client_id, (number_of or kept).client_id)
    ids = {"kept_id": kept.client_id, "given_up_id": given_up.client_id}
    return lambda: merge_clients(**ids, choice=choice, by=by, now=timezone.now())


def texts(assignment: CaseAssignment, body: str = "Hello") -> Work:
    text = builders.inbound_text(assignment, body)
    return lambda: receive_text(text=text, now=timezone.now())


def writes(client_id: int, by: User) -> Work:
    key = uuid.uuid4()
    return lambda: sending.send_message(
        client_id=client_id, body="Hi", by=by, submission_key=key, now=timezone.now(), seen_up_to=2**62
    )


def reads(assignment: CaseAssignment) -> Work:
    return lambda: reading.mark_read(assignment=assignment, up_to=2**62, now=timezone.now())


def reports(message: Message, state: ReportedState, reason: FailureReason | None = None) -> Work:
    report = DeliveryReport(message.public_id, f"SM{message.public_id.hex}", state, reason)
    return lambda: delivery.record_delivery_report(report, now=timezone.now())


class AnyCarrier:
    """Answers by the throw of a die, with the same carrier's id that a report has; notes what it was handed."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.taken: list[OutboundText] = []

    def send(self, text: OutboundText) -> Outcome:
        self.taken.append(text)
        answers: list[Outcome] = [
            Accepted(f"SM{text.public_id.hex}"),
            NotTaken(),
            Unclear(),
            Refused(FailureReason.OPTED_OUT, 21610),
        ]
        return self.dice.choice(answers)


def loop(carrier: AnyCarrier) -> Work:
    def deliver() -> None:
        delivery.deliver_due(carrier)
        delivery.hold_overdue(now=timezone.now())

    return deliver


# --- What must be true after each round ------------------------------------------------------------------------------


def judge(*clients: CaseAssignment, texts_in: int, texts_out: int | None = None) -> None:
    ids = [assignment.client_id for assignment in clients]
    numbers = PhoneNumber.objects.filter(Q(client__in=ids) | Q(client__merged_from__in=ids)).distinct()
    messages = Message.objects.filter(Q(client__in=ids) | Q(client__merged_from__in=ids)).distinct()
    assert messages.filter(direction="in").count() == texts_in
    assert texts_out is None or messages.filter(direction="out").count() == texts_out
    assert not messages.exclude(assignment__client=F("client")).exists(), "in two places"
    assert not messages.filter(client__merged_into__isnull=False).exists(), "where nobody looks"
    ended = messages.filter(assignment__ended_at__isnull=False)
    assert not ended.filter(direction="in", read_at__isnull=True).exists(), "unread in an ended conversation"
    waiting = [State.WAITING, State.HELD, State.SENDING, State.UNKNOWN, State.UNCONFIRMED]
    assert not ended.filter(state__in=waiting).exists(), "waits in an ended conversation"
    for client in Client.objects.filter(pk__in=numbers.values("client")):
        assert client.merged_into is None, "a number leads to a tombstone"
        open_one = CaseAssignment.objects.get(client=client, ended_at__isnull=True)
        assert open_one.case_manager is None or open_one.case_manager.is_active
        assert client.numbers.filter(is_current=True).count() == 1
    for assignment in CaseAssignment.objects.filter(client__in=ids):
        shown = figures(assignment)
        summaries.recompute(assignment.pk, now=timezone.now())
        assert figures(assignment) == shown, "the list is wrong"


def figures(assignment: CaseAssignment) -> dict[str, Any]:
    shown = ("unread_count", "last_contact_at", "snippet", "held_count", "last_outgoing_failed")
    return dict(CaseAssignment.objects.values(*shown).get(pk=assignment.pk))


def nothing_is_left(carrier: AnyCarrier) -> None:
    """Each text was handed over once, but for those that the carrier certainly did not take."""
    Message.objects.filter(state=State.WAITING).update(state=State.CANCELLED)
    Message.objects.filter(state=State.SENDING).update(state=State.FAILED, failure_reason="unexplained")
    Message.objects.filter(state=State.HELD).update(state=State.CANCELLED, hold_reason="")
    summaries_of_all = CaseAssignment.objects.filter(Q(held_count__gt=0) | Q(scheduled_count__gt=0))
    summaries.recompute(*summaries_of_all.values_list("pk", flat=True), now=timezone.now())
    PhoneNumber.objects.update(opted_out_at=None, opted_out_source="")


# --- Transfer --------------------------------------------------------------------------------------------------------


def test_transfer_against_incoming_texts_and_reading(ring: Ring, alice: User, bob: User) -> None:
    for _ in range(ROUNDS):
        maria = builders.make_client(alice)
        builders.make_incoming(maria)
        ring.race(move=transfer(maria.client_id, alice, bob), text=texts(maria), other=texts(maria), read=reads(maria))
        judge(maria, texts_in=3)
        assert CaseAssignment.objects.get(client=maria.client, ended_at=None).case_manager == bob


def test_transfer_against_transfer(ring: Ring, alice: User, bob: User, supervisor: User, carol: User) -> None:
    for _ in range(ROUNDS):
        maria = builders.make_client(alice)
        builders.make_incoming(maria)
        came = ring.race(
            to_bob=transfer(maria.client_id, alice, bob, supervisor),
            to_carol=transfer(maria.client_id, alice, carol, carol),
            text=texts(maria),
        )
        assert sorted([came["to_bob"], came["to_carol"]]) == ["MovedMeanwhile", "ok"]
        judge(maria, texts_in=2)
        assert ConversationEvent.objects.filter(client=maria.client, kind="transferred").count() == 1


def test_transfer_there_and_back_against_reports_the_claim_and_its_outcome(
    ring: Ring, alice: User, bob: User, supervisor: User
) -> None:
    for _ in range(ROUNDS):
        maria = builders.make_client(alice)
        unclear = builders.make_outgoing(maria, state=State.UNKNOWN, at=builders.minutes_ago(2))
        builders.make_outgoing(maria)
        carrier = AnyCarrier(ring.dice)
        reason = ring.dice.choice([FailureReason.OPTED_OUT, FailureReason.PHONE_OFF])

        def there_and_back(client_id: int = maria.client_id) -> None:
            transfer(client_id, alice, bob, supervisor)()
            transfer(client_id, bob, alice, supervisor)()

        ring.race(
            move=there_and_back,
            loop=loop(carrier),
            other=loop(carrier),
            report=reports(unclear, ReportedState.UNDELIVERED, reason),
            text=texts(maria, ring.dice.choice(["STOP", "Hello"])),
        )
        judge(maria, texts_in=1, texts_out=2)
        nothing_is_left(carrier)


def test_transfer_against_stopping_a_mass_message(ring: Ring, alice: User, bob: User) -> None:
    for _ in range(ROUNDS):
        maria = builders.make_client(alice)
        mass = make_mass(alice, [maria], now=builders.minutes_ago(1))
        carrier = AnyCarrier(ring.dice)

        def stop_and_resume(mass: Any = mass) -> None:
            mass_messages.stop(mass=mass, now=timezone.now())
            mass_messages.resume(mass=mass, now=timezone.now())

        ring.race(move=transfer(maria.client_id, alice, bob), stop=stop_and_resume, loop=loop(carrier))
        mass_filling.fill(now=timezone.now())  # recounts what "stop" and "resume" moved
        judge(maria, texts_in=0, texts_out=1)
        nothing_is_left(carrier)


def test_closing_an_account_against_all_that_gives_it_a_client(
    ring: Ring, alice: User, bob: User, supervisor: User, department: Department
) -> None:
    status = ClientStatus.objects.filter(department=department).first()
    assert status is not None
    for number in range(ROUNDS):
        leaver = builders.make_user(department, "Lea Leaver")
        maria, deleted = builders.make_client(alice), builders.make_client(leaver)
        routing.end(deleted, CaseAssignment.EndReason.DELETED, builders.minutes_ago(5))
        new = NewClient("New", "One", f"+1801777{number:04d}", status)
        works: dict[str, Work] = {
            "move": transfer(maria.client_id, alice, leaver),
            "text": texts(deleted),
            "add": lambda new=new, by=leaver: add_client(  # type: ignore[misc]
                new=new, by=by, department=department, now=timezone.now()
            ),
        }
        chosen = ring.dice.choice(list(works))
        closing = lambda who=leaver: disable_person(person=who, by=supervisor, now=timezone.now())  # noqa: E731
        ring.race(close=closing, **{chosen: works[chosen]})
        leaver.refresh_from_db()
        has_clients = CaseAssignment.objects.filter(case_manager=leaver, ended_at__isnull=True).exists()
        assert leaver.is_active == has_clients
        judge(maria, texts_in=0)


# --- Merge -----------------------------------------------------------------------------------------------------------


def test_merge_asked_for_twice_against_incoming_texts_from_either_number(ring: Ring, alice: User) -> None:
    for _ in range(ROUNDS):
        one, other = builders.make_client(alice), builders.make_client(alice)
        builders.make_incoming(other)
        kept, given_up = ring.dice.sample([one, other], 2)
        works = {f"merge{n}": merge(kept, given_up, alice, ring.dice.choice([one, other])) for n in (1, 2)}
        came = ring.race(
            **works, from_kept=texts(kept), from_given_up=texts(given_up, ring.dice.choice(["Hi", "STOP"]))
        )
        assert sorted([came["merge1"], came["merge2"]]) == ["NotBothYours", "ok"]
        judge(kept, given_up, texts_in=3)
        assert set(Message.objects.filter(client=kept.client).values_list("assignment", flat=True)) == {kept.pk}


def test_merge_each_into_the_other(ring: Ring, alice: User) -> None:
    for _ in range(ROUNDS):
        one, other = builders.make_client(alice), builders.make_client(alice)
        came = ring.race(there=merge(one, other, alice), back=merge(other, one, alice), text=texts(one))
        assert sorted([came["there"], came["back"]]) == ["NotBothYours", "ok"]
        judge(one, other, texts_in=1)


def test_merge_against_a_person_who_types_to_the_one_given_up(ring: Ring, alice: User) -> None:
    for _ in range(ROUNDS):
        kept, given_up = ring.dice.sample([builders.make_client(alice), builders.make_client(alice)], 2)
        came = ring.race(
            merge=merge(kept, given_up, alice, ring.dice.choice([kept, given_up])),
            to_given_up=writes(given_up.client_id, alice),
            to_kept=writes(kept.client_id, alice),
        )
        assert came["merge"] == came["to_kept"] == "ok"
        assert came["to_given_up"] in ("ok", "NotYours")
        # Typed a moment after the merge looked at its clock, a text counts as one for later until it goes out.
        carrier = Carrier()
        delivery.deliver_due(carrier)
        assert len(carrier.taken) == 1 + (came["to_given_up"] == "ok")
        judge(kept, given_up, texts_in=0, texts_out=len(carrier.taken))


def test_merge_against_reports_the_claim_and_its_outcome(ring: Ring, alice: User) -> None:
    for _ in range(ROUNDS):
        kept, given_up = ring.dice.sample([builders.make_client(alice), builders.make_client(alice)], 2)
        unclear = builders.make_outgoing(given_up, state=State.UNKNOWN, at=builders.minutes_ago(2))
        for assignment in (kept, given_up):
            builders.make_outgoing(assignment)
        carrier = AnyCarrier(ring.dice)
        reason = ring.dice.choice([FailureReason.OPTED_OUT, FailureReason.PHONE_OFF])
        ring.race(
            merge=merge(kept, given_up, alice, ring.dice.choice([kept, given_up])),
            again=merge(kept, given_up, alice),
            loop=loop(carrier),
            other=loop(carrier),
            report=reports(unclear, ReportedState.UNDELIVERED, reason),
            text=texts(given_up),
        )
        judge(kept, given_up, texts_in=1, texts_out=3)
        nothing_is_left(carrier)


def test_merge_against_transfer(ring: Ring, alice: User, bob: User) -> None:
    for _ in range(ROUNDS):
        kept, given_up = ring.dice.sample([builders.make_client(alice), builders.make_client(alice)], 2)
        moved = ring.dice.choice([kept, given_up])
        builders.make_incoming(given_up)
        came = ring.race(
            merge=merge(kept, given_up, alice), move=transfer(moved.client_id, alice, bob), text=texts(given_up)
        )
        allowed = {("ok", "MovedMeanwhile"), ("NotBothYours", "ok")} | ({("ok", "ok")} if moved is kept else set())
        assert (came["merge"], came["move"]) in allowed
        judge(kept, given_up, texts_in=2)
