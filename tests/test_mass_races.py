""" "Stop the rest" and the hand-over at the same moment: chaos/mass_races.py in its short form."""

import pytest

from accounts.models import User
from chaos import mass_races
from chaos.mass_races import Round
from chaos.report import Report
from tests import builders

ROUNDS = 12


def test_the_record_says_what_went_out(transactional_db: None, alice: User) -> None:
    builders.make_client(alice)
    mass_races.unhurried()
    report = Report("Races")
    mass_races.judge(report, mass_races.race(alice, ROUNDS))
    assert report.broken == []


@pytest.mark.parametrize(
    "wrong",
    [Round(True, 1, "cancelled"), Round(True, 0, "waiting"), Round(False, 0, "cancelled"), Round(False, 2, "sent")],
)
def test_each_wrong_round_is_found(wrong: Round) -> None:
    report = Report("Races")
    mass_races.judge(report, [Round(True, 0, "cancelled"), Round(False, 1, "accepted"), wrong])
    assert [line.figure for line in report.broken] == ["1"]
