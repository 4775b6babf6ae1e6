"""An opt-out and a claim at the same moment, on two connections: nothing is claimed once the word is stored.

Each way of opting out meets each door. Where the claim was first its text goes out, and nothing else.
"""

import random
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging import delivery
from messaging.actions.sending import NotSent, RefusedByGate
from messaging.delivery import Claim, Held
from messaging.failures import HoldReason
from messaging.models import Message
from messaging.tests import doors
from messaging.tests.carriers import Carrier
from messaging.tests.doors import WAYS, Way, alone, claim, everyone, state_of
from tests import builders
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = pytest.mark.django_db(transaction=True)

State = Message.State
each_way = pytest.mark.parametrize("opt_out", WAYS)


@pytest.mark.postgresql
@each_way
def test_between_the_claims_look_and_its_commit_the_claim_was_first(alice: User, opt_out: Way) -> None:
    """The claim has the text and waits for the number; the opt-out waits for the text, and holds what else waits."""
    waiting = everyone(alice, opt_out)
    for maria, text in waiting:
        alone(waiting, text)
        behind = builders.make_outgoing(maria, "One more", priority=text.priority)  # a single one overtakes
        claiming, opting = overtaken(maria, claim, lambda maria=maria: opt_out(maria))  # type: ignore[misc]
        taken = claiming.result()
        assert isinstance(taken, Claim)
        assert taken.message_id == text.pk
        opting.result()
        assert (state_of(text)[0], state_of(behind)) == ("sending", ("held", "opted_out"))
        assert builders.number_of(maria).is_opted_out


def overtaken(
    maria: CaseAssignment, first: Callable[[], object], second: Callable[[], None]
) -> tuple["Future[object]", "Future[None]"]:
    """Both under way: the first stands at the number, which the test has locked, and the second somewhere behind it."""
    with in_background() as start, transaction.atomic():
        PhoneNumber.objects.select_for_update().get(client=maria.client)
        claiming = start(first)
        wait_for_locks(1)
        opting = start(second)
        wait_for_locks(2)
    return claiming, opting


@pytest.mark.postgresql
@each_way
def test_while_the_opt_out_holds_the_texts_a_claim_passes_them_over(alice: User, opt_out: Way) -> None:
    """The opt-out has the text and waits for the number; the claim doesn't wait, and later finds it held."""
    waiting = everyone(alice, opt_out)
    for maria, text in waiting:
        alone(waiting, text)
        with in_background() as start:
            with transaction.atomic():
                PhoneNumber.objects.select_for_update().get(client=maria.client)
                opting = start(lambda maria=maria: opt_out(maria))  # type: ignore[misc]
                wait_for_locks(1)
                assert start(claim).result() is None
            opting.result()
        assert claim() is None
        assert state_of(text) == ("held", "opted_out")


@pytest.mark.postgresql
@each_way
def test_a_claim_that_waits_for_the_number_sees_what_was_written_there(alice: User, opt_out: Way) -> None:
    """The opt-out is written and not committed; past it comes a text that it has not seen."""
    maria = builders.make_client(alice)
    doors.on_the_way(maria)
    text = builders.make_outgoing(maria, state=State.HELD, hold_reason=HoldReason.TOO_LATE)
    unseen = Message.objects.filter(pk=text.pk)
    with in_background() as start:
        with transaction.atomic():
            opt_out(maria)
            start(lambda: unseen.update(state=State.WAITING, hold_reason="")).result()
            claiming = start(claim)
            wait_for_locks(1)
        assert claiming.result() == Held(text.pk)
    assert state_of(text) == ("held", "opted_out")


@pytest.mark.postgresql
@each_way
def test_a_text_that_is_typed_while_it_commits_is_refused(alice: User, opt_out: Way) -> None:
    maria = builders.make_client(alice)
    doors.on_the_way(maria)
    with in_background() as start:
        with transaction.atomic():
            opt_out(maria)
            typing = start(lambda: doors.typed(CaseAssignment.objects.get(pk=maria.pk)))
            wait_for_locks(1)
        with pytest.raises(RefusedByGate):
            typing.result()
    assert not Message.objects.filter(state=State.WAITING).exists()


@pytest.mark.postgresql
@each_way
def test_a_text_that_is_stored_while_the_opt_out_waits_is_held(alice: User, opt_out: Way) -> None:
    maria = builders.make_client(alice)
    doors.on_the_way(maria)
    with in_background() as start:
        with transaction.atomic():
            Client.objects.select_for_update(no_key=True).get(pk=maria.client_id)
            opting = start(lambda: opt_out(maria))
            wait_for_locks(1)
            text = doors.typed(maria)
        opting.result()
    assert state_of(text) == ("held", "opted_out")
    assert claim() is None


@pytest.mark.postgresql
@each_way
def test_it_locks_an_older_conversation_before_the_one_it_came_in(alice: User, bob: User, opt_out: Way) -> None:
    """In order of id, as whoever locks many does: texts that wait may lie in both, and neither side must deadlock."""
    older = builders.make_client(bob)
    text = builders.make_outgoing(older)
    CaseAssignment.objects.filter(pk=older.pk).update(ended_at=timezone.now(), end_reason="deleted")
    maria = CaseAssignment.objects.create(client=older.client, case_manager=alice, started_at=timezone.now())
    doors.on_the_way(maria)
    locked = CaseAssignment.objects.select_for_update(no_key=True)
    with in_background() as start:
        with transaction.atomic():
            locked.get(pk=older.pk)
            opting = start(lambda: opt_out(maria))
            wait_for_locks(1)
            assert locked.filter(pk=maria.pk).select_for_update(no_key=True, nowait=True).get() == maria
        opting.result()
    assert state_of(text) == ("held", "opted_out")


@pytest.mark.postgresql
def test_under_load_nothing_is_claimed_after_the_word_was_stored(alice: User) -> None:
    """Several loops, people who type, and opt-outs in between, by the throw of a die."""
    clients = [builders.make_client(alice) for _ in range(12)]
    for maria in clients:
        doors.on_the_way(maria)
    told: dict[int, datetime] = {}
    todo = [(maria, seed) for seed, maria in enumerate(clients)]

    def live() -> None:
        carrier = Carrier()
        while todo:
            maria, seed = todo.pop()
            dice = random.Random(seed)  # noqa: S311  # a test's dice
            for step in sorted([*["type"] * 4, *["deliver"] * 4, "opt out"], key=lambda _step: dice.random()):
                if step == "opt out":
                    dice.choice(WAYS)(maria)
                    told[maria.client_id] = timezone.now()
                elif step == "deliver":
                    delivery.deliver_due(carrier)
                else:
                    type_in(maria, is_told=maria.client_id in told)

    at_once(live, times=4)
    delivery.deliver_due(Carrier())
    assert len(told) == len(clients)
    claimed = Message.objects.filter(claimed_at__isnull=False).values_list("client_id", "claimed_at")
    assert [client_id for client_id, at in claimed if at is not None and at > told[client_id]] == []
    assert not Message.objects.filter(state__in=[State.WAITING, State.SENDING]).exists()


def type_in(maria: CaseAssignment, *, is_told: bool) -> None:
    try:
        doors.typed(maria)
    except NotSent:
        assert is_told
    else:
        assert not is_told
