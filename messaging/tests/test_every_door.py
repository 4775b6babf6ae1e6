"""Nothing goes to a client who has opted out: whichever way the word came, by whichever door the text."""

import pytest

from accounts.models import User
from messaging import delivery
from messaging.actions.sending import RefusedByGate
from messaging.delivery import Claim, Held
from messaging.failures import HoldReason
from messaging.models import Message
from messaging.sms import NotTaken
from messaging.tests import doors
from messaging.tests.carriers import Carrier
from messaging.tests.doors import WAYS, Door, Way, alone, claim, everyone, state_of
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

each_way = pytest.mark.parametrize("opt_out", WAYS)


@each_way
def test_nothing_is_claimed_after_it(alice: User, opt_out: Way) -> None:
    waiting = everyone(alice, opt_out)
    for maria, _text in waiting:
        opt_out(maria)
    assert claim() is None
    assert {state_of(text) for _maria, text in waiting} == {("held", "opted_out")}


@each_way
@pytest.mark.parametrize("door", [doors.typed, doors.tried_again, doors.released])
def test_a_person_is_refused_after_it(alice: User, opt_out: Way, door: Door) -> None:
    maria = builders.make_client(alice)
    doors.on_the_way(maria)
    opt_out(maria)
    with pytest.raises(RefusedByGate) as refusal:
        door(maria)
    assert refusal.value.reason is HoldReason.OPTED_OUT
    assert claim() is None


@each_way
@pytest.mark.parametrize("door", [doors.scheduled, doors.of_a_mass_message])
def test_a_text_that_a_program_makes_after_it_is_held(alice: User, opt_out: Way, door: Door) -> None:
    maria = builders.make_client(alice)
    doors.on_the_way(maria)
    opt_out(maria)
    text = door(maria)
    assert claim() == Held(text.pk)
    assert state_of(text) == ("held", "opted_out")


@each_way
def test_a_text_that_was_not_taken_does_not_go_out_the_second_time(alice: User, opt_out: Way) -> None:
    """Claimed before the word came, turned away by the network, waiting again after it."""
    waiting = everyone(alice, opt_out)
    for maria, text in waiting:
        alone(waiting, text)
        taken = claim()
        assert isinstance(taken, Claim)
        opt_out(maria)
        delivery.hand_over(taken, Carrier(NotTaken()))
    Message.objects.update(try_at=None)
    assert {claim() for _ in waiting} == {Held(text.pk) for _maria, text in waiting}
    assert claim() is None
