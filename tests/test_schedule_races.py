"""A person and the dispatch at the same text at the same moment: chaos/schedule_races.py in its short form."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chaos import schedule_races
from chaos.people import Person
from chaos.report import Report
from chaos.schedule_races import NEW, OLD, Round
from messaging import delivery
from messaging.actions import settling
from messaging.tests.carriers import Carrier
from tests import builders
from tests.threads import PATIENCE, in_background, wait_for_locks

ROUNDS = 12


@pytest.fixture
def person(transactional_db: None, alice: User) -> Person:
    assignment = builders.make_client(alice, address="+12125550110")
    return Person(assignment.client_id, assignment.pk, "+12125550110", "+18015550100", alice)


@pytest.mark.parametrize(
    ("act", "allowed"), [(schedule_races.change, (NEW,)), (schedule_races.delete, ())], ids=["edit", "delete"]
)
def test_what_goes_out_is_what_the_person_was_told(
    person: Person, act: schedule_races.Act, allowed: tuple[str, ...]
) -> None:
    report = Report("Races")
    schedule_races.judge(report, "act", schedule_races.race(person, act, ROUNDS), allowed)
    assert report.broken == []


@pytest.mark.parametrize(
    "wrong", [Round(True, (OLD,)), Round(True, (NEW, OLD)), Round(True, ()), Round(False, (NEW,)), Round(False, ())]
)
def test_each_wrong_round_is_found(wrong: Round) -> None:
    report = Report("Races")
    schedule_races.judge(report, "edit", [Round(True, (NEW,)), Round(False, (OLD,)), wrong], (NEW,))
    assert [line.figure for line in report.broken] == ["1"]


@pytest.mark.postgresql
def test_a_text_that_a_person_is_changing_is_passed_over_and_goes_out_with_the_new_words(person: Person) -> None:
    message, when = schedule_races.due(person)
    carrier = Carrier()
    with in_background() as start, transaction.atomic():
        schedule_races.change(message, when)
        assert start(lambda: delivery.deliver_due(carrier)).result(PATIENCE) == 0
    delivery.deliver_due(carrier)
    assert carrier.bodies == [NEW]


@pytest.mark.postgresql
def test_a_change_waits_for_a_claim_in_progress_and_comes_too_late(person: Person) -> None:
    message, when = schedule_races.due(person)
    with in_background() as start:
        with transaction.atomic():
            assert isinstance(delivery.claim_next(timezone.now()), delivery.Claim)
            changing = start(lambda: schedule_races.change(message, when))
            wait_for_locks(1)
        with pytest.raises(settling.TooLate):
            changing.result(PATIENCE)
    message.refresh_from_db()
    assert message.body == OLD
