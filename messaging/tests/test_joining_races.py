"""A merge while the texts of a mass message to both are made, dropped or stopped: no deadlock, nobody gets it twice."""

import pytest
from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment
from messaging import mass_filling
from messaging.actions import mass_messages, merging
from messaging.actions.merging import Choice
from messaging.actions.settling import TooLate
from messaging.models import MassMessage, Message
from messaging.tests.mass import confirm, make_draft
from tests import builders
from tests.threads import ROUNDS, in_background

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def test_a_merge_while_a_mass_message_to_both_is_made_dropped_and_stopped(alice: User, department: Department) -> None:
    Department.objects.update(segments_per_second=None)
    for round_ in range(ROUNDS):
        maria, double, other = (builders.make_client(alice) for _ in range(3))
        mass = confirm(make_draft(alice, [maria, double, other]))
        if round_ % 2:
            mass_filling.fill(now=timezone.now())
        with in_background() as start:
            merged = start(lambda: merge(maria, double, alice))  # noqa: B023  # ended before the next round
            filled = start(lambda: mass_filling.fill(now=timezone.now()))
            dropped = start(lambda: drop(mass, double))  # noqa: B023
            stopped = start(lambda: mass_messages.stop(mass=mass, now=timezone.now()))  # noqa: B023
            for happening in (merged, filled, dropped, stopped):
                happening.result()
        mass_messages.resume(mass=mass, now=timezone.now())
        mass_filling.fill(now=timezone.now())
        going = Message.objects.filter(mass_message=mass, client=maria.client, state=Message.State.WAITING)
        assert going.count() <= 1
        assert not Message.objects.filter(client=double.client).exists()


def merge(kept: CaseAssignment, given_up: CaseAssignment, by: User) -> None:
    choice = Choice(name_of=kept.client_id, number_of=kept.client_id)
    merging.merge_clients(
        kept_id=kept.client_id, given_up_id=given_up.client_id, choice=choice, by=by, now=timezone.now()
    )


def drop(mass: MassMessage, assignment: CaseAssignment) -> None:
    try:
        mass_messages.drop(mass=mass, client_id=assignment.client_id, now=timezone.now())
    except TooLate:
        return
