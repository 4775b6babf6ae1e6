"""The account's own numbers, asked from the product, which may be away or slow to know."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from telephony.simulator.carrier.numbers import OwnNumbers
from telephony.simulator.config import PhonesConfig
from telephony.tests.simulator.carrier_client import DEPARTMENT, SECOND_DEPARTMENT


class Answers:
    """A product that gives these answers one after the other; an exception is raised, the last answer stays."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self) -> Sequence[str]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def own_numbers(answers: Answers, kept_for: float) -> OwnNumbers:
    return OwnNumbers(
        PhonesConfig(
            account_sid="AC",
            auth_tokens=["token"],
            product_url="http://127.0.0.1:9",
            state=Path("unused"),
            find_numbers=answers,
            numbers_kept_for=kept_for,
        )
    )


async def ask_twice(numbers: OwnNumbers, expecting: str = "") -> list[tuple[str, ...]]:
    return [await numbers.all(), await numbers.all(expecting=expecting)]


def test_answer_is_kept_for_a_while() -> None:
    answers = Answers([DEPARTMENT, DEPARTMENT, ""])
    assert asyncio.run(ask_twice(own_numbers(answers, 60))) == [(DEPARTMENT,)] * 2
    assert answers.asked == 1


def test_answer_that_is_old_is_asked_anew() -> None:
    answers = Answers([DEPARTMENT], [DEPARTMENT, SECOND_DEPARTMENT])
    assert asyncio.run(ask_twice(own_numbers(answers, 0)))[1] == (DEPARTMENT, SECOND_DEPARTMENT)


def test_number_that_was_just_added_is_found_at_once() -> None:
    answers = Answers([DEPARTMENT], [DEPARTMENT, SECOND_DEPARTMENT])
    found = asyncio.run(ask_twice(own_numbers(answers, 60), SECOND_DEPARTMENT))
    assert found[1] == (DEPARTMENT, SECOND_DEPARTMENT)


def test_last_answer_holds_while_asking_fails(caplog: pytest.LogCaptureFixture) -> None:
    answers = Answers([DEPARTMENT], OSError("database is away"))
    assert asyncio.run(ask_twice(own_numbers(answers, 0))) == [(DEPARTMENT,)] * 2
    assert "database is away" in caplog.text
