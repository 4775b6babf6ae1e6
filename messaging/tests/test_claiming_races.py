"""An unclaimed client at the same moment as something else, on connections of their own, again and again.

After each round: no message in two places, none where nobody sees it. A deadlock would fail the round.
CLIENTCOMM_RACE_ROUNDS=500 for the long run.
"""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Barrier

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from messaging import delivery
from messaging.actions import caseload, claiming
from messaging.actions.caseload import ColleaguesClient, NewClient
from messaging.actions.claiming import Details, NotUnclaimed
from messaging.actions.receiving import receive_text
from messaging.actions.sending import NotYours, send_message
from messaging.known_numbers import SAME_PERSON
from messaging.models import Message
from messaging.tests.carriers import Carrier
from tests import builders
from tests.threads import PATIENCE, ROUNDS

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

THREADS = 3
Act = Callable[[], object]


@dataclass
class Scene:
    """One round's unclaimed client, with one unread text, and the people of the department."""

    department: Department
    alice: User
    bob: User
    supervisor: User
    stranger: CaseAssignment
    address: str

    def claim(self, by: User) -> Act:
        return lambda: claiming.claim(
            client_id=self.stranger.client_id, details=Details("Maria", "Lopez", self.status), by=by, now=timezone.now()
        )

    def give(self) -> object:
        details = Details("Maria", "Lopez", self.status)
        return claiming.claim(
            client_id=self.stranger.client_id, details=details, by=self.supervisor, to=self.bob, now=timezone.now()
        )

    def add(self, by: User) -> Act:
        new = NewClient("Maria", "Lopez", self.address, self.status)
        return lambda: caseload.add_client(
            new=new, by=by, department=self.department, now=timezone.now(), answer=SAME_PERSON
        )

    def join(self, by: User, own: CaseAssignment) -> Act:
        return lambda: claiming.join_to_own(
            client_id=self.stranger.client_id,
            own_client_id=own.client_id,
            texts_new_number=bool(self.stranger.client_id % 2),
            by=by,
            now=timezone.now(),
        )

    def dismiss(self) -> object:
        return claiming.dismiss(client_id=self.stranger.client_id, by=self.supervisor, now=timezone.now())

    def text(self) -> object:
        inbound = builders.inbound_text(
            None, "in the same moment", from_address=self.address, to_number=self.department.phone_number
        )
        return receive_text(text=inbound, now=timezone.now())

    def answer(self, by: User) -> Act:
        return lambda: send_message(
            client_id=self.stranger.client_id,
            body="Who is this?",
            by=by,
            submission_key=uuid.uuid4(),
            now=timezone.now(),
        )

    @property
    def status(self) -> ClientStatus:
        return ClientStatus.objects.get(department=self.department, name="Active")


@pytest.fixture
def scenes(department: Department, alice: User, bob: User, supervisor: User) -> Callable[[], Scene]:
    serial = iter(range(10_000))

    def scene() -> Scene:
        address = f"+1801555{next(serial):04d}"
        stranger = builders.make_client(None, department=department, address=address, first_name="", last_name="")
        builders.make_incoming(stranger, "Hello")
        return Scene(department, alice, bob, supervisor, stranger, address)

    return scene


Outcome = list[BaseException | None]


class Together:
    """Threads that keep their connections from round to round: to open one takes longer than what is tried."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, *acts: Act) -> Outcome:
        """What each of them was refused with; they begin at the same moment."""
        start = Barrier(len(acts))

        def run(act: Act) -> BaseException | None:
            start.wait(PATIENCE)
            try:
                act()
            except Exception as error:
                return error
            return None

        running = [self._pool.submit(run, act) for act in acts]
        return [future.result(PATIENCE) for future in running]

    def close(self) -> None:
        self(*[connections.close_all] * THREADS)


@pytest.fixture
def at_once(transactional_db: None) -> Iterator[Together]:
    with ThreadPoolExecutor(THREADS) as pool:
        together = Together(pool)
        yield together
        together.close()


def refused(outcome: Outcome, *kinds: type[Exception]) -> int:
    """How many were refused; for no other reason than these."""
    errors = [error for error in outcome if error is not None]
    for error in errors:
        if not isinstance(error, kinds):
            raise error
    return len(errors)


@contextmanager
def nothing_lost(scene: Scene, texts: int) -> Iterator[None]:
    """Every text of the round is there once, in the one open conversation of its client, and the list knows of it."""
    before = set(Message.objects.values_list("pk", flat=True)) - set(
        Message.objects.filter(client=scene.stranger.client_id).values_list("pk", flat=True)
    )
    yield
    fresh = Message.objects.exclude(pk__in=before).filter(direction="in")
    assert fresh.count() == texts
    number = PhoneNumber.objects.get(department=scene.department, address=scene.address)
    open_one = CaseAssignment.objects.get(client=number.client_id, ended_at__isnull=True)
    assert set(fresh.values_list("assignment", "client")) == {(open_one.pk, number.client_id)}
    assert (
        open_one.unread_count
        == Message.objects.filter(assignment=open_one, direction="in", read_at__isnull=True).count()
    )
    assert not Message.objects.exclude(client=F("assignment__client")).exists()
    stale = CaseAssignment.objects.filter(ended_at__isnull=False).exclude(unread_count=0, held_count=0)
    assert not stale.exists()


def test_of_several_claims_at_once_one_wins_and_the_others_are_refused(
    at_once: Together, scenes: Callable[[], Scene]
) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        with nothing_lost(scene, texts=1):
            outcome = at_once(scene.claim(scene.alice), scene.claim(scene.bob), scene.give)
            assert refused(outcome, NotUnclaimed) == 2


def test_a_claim_and_an_incoming_text(at_once: Together, scenes: Callable[[], Scene]) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        with nothing_lost(scene, texts=2):
            assert refused(at_once(scene.claim(scene.alice), scene.text)) == 0
        mine = CaseAssignment.objects.get(client=scene.stranger.client, ended_at__isnull=True)
        assert (mine.case_manager, mine.unread_count) == (scene.alice, 2)


def test_a_claim_and_an_answer_and_the_delivery(at_once: Together, scenes: Callable[[], Scene]) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        builders.make_outgoing(scene.stranger, "from before")
        with nothing_lost(scene, texts=1):
            outcome = at_once(
                scene.claim(scene.alice), scene.answer(scene.bob), partial(delivery.deliver_due, Carrier())
            )
            assert refused(outcome, NotYours) <= 1
        outgoing = Message.objects.filter(client=scene.stranger.client, direction="out")
        mine = CaseAssignment.objects.get(client=scene.stranger.client, ended_at__isnull=True)
        assert set(outgoing.values_list("assignment", flat=True)) == {mine.pk}
        delivery.deliver_due(Carrier())
        assert set(outgoing.values_list("state", flat=True)) == {"accepted"}


def test_a_join_and_an_incoming_text(at_once: Together, scenes: Callable[[], Scene], alice: User) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        own = builders.make_client(alice)
        with nothing_lost(scene, texts=2):
            assert refused(at_once(scene.join(alice, own), scene.text)) == 0
        own.refresh_from_db()
        assert (own.unread_count, own.is_open) == (2, True)


def test_a_join_a_claim_and_a_new_client_by_number(
    at_once: Together, scenes: Callable[[], Scene], alice: User, bob: User
) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        own = builders.make_client(alice)
        with nothing_lost(scene, texts=1):
            outcome = at_once(scene.join(alice, own), scene.claim(bob), scene.add(bob))
            assert refused(outcome, NotUnclaimed, ColleaguesClient) <= 2
        assert Client.objects.filter(pk=own.client_id, merged_into=None).exists()


def test_a_dismissal_and_an_incoming_text(at_once: Together, scenes: Callable[[], Scene]) -> None:
    """Whichever is first: either it is back by the text, or the text is among the dismissed, which supervisors see."""
    for _ in range(ROUNDS):
        scene = scenes()
        assert refused(at_once(scene.dismiss, scene.text)) == 0
        only = CaseAssignment.objects.get(client=scene.stranger.client)
        assert set(Message.objects.filter(client=only.client).values_list("assignment", flat=True)) == {only.pk}
        assert (only.is_open, only.unread_count) in [(True, 2), (False, 2)]


def test_a_dismissal_a_claim_and_an_answer(at_once: Together, scenes: Callable[[], Scene]) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        outcome = at_once(scene.dismiss, scene.claim(scene.alice), scene.answer(scene.bob))
        assert refused(outcome, NotUnclaimed, NotYours) in (1, 2)
        ends = CaseAssignment.objects.filter(client=scene.stranger.client).order_by("pk")
        assert [a.end_reason for a in ends] in (["dismissed"], ["claimed", ""])
        where = ends.last()
        assert where is not None
        assert set(Message.objects.filter(client=where.client).values_list("assignment", flat=True)) == {where.pk}
        assert not Message.objects.filter(client=where.client, assignment__end_reason="dismissed", state="waiting")


def test_two_people_join_the_same_number(
    at_once: Together, scenes: Callable[[], Scene], alice: User, bob: User
) -> None:
    for _ in range(ROUNDS):
        scene = scenes()
        of_alice, of_bob = builders.make_client(alice), builders.make_client(bob)
        with nothing_lost(scene, texts=1):
            outcome = at_once(scene.join(alice, of_alice), scene.join(bob, of_bob))
            assert refused(outcome, NotUnclaimed) == 1
