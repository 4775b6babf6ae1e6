"""Each kind of fault: it lies in wait for one number or for all, for some requests or for all, so often and no oftener.

What each of them does is tried one by one in the other modules; here it is made sure that none is left out there.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.simulator.api.errors import ERRORS
from telephony.simulator.carrier import faults
from telephony.simulator.carrier.faults import TRAITS, Faults, Kind, Point
from telephony.simulator.database import Database
from telephony.tests.simulator.carrier_client import ALI, MARIA

OF_THE_API = [kind for kind in Kind if TRAITS[kind].point in (Point.BEFORE, Point.AFTER)]


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Faults]:
    database = Database(tmp_path / "state.sqlite3", [faults.SCHEMA])
    yield Faults(database)
    database.close()


def taken(waiting: Faults, kind: Kind, number: str, operation: str = "create") -> int:
    """How many faults strike who passes."""
    point = TRAITS[kind].point
    if point == Point.CALLBACK:
        return len(waiting.take_all(point, number=number))
    return int(waiting.take(point, number=number, operation=operation) is not None)


@pytest.mark.parametrize("kind", Kind)
def test_it_strikes_its_number_only_and_as_often_as_asked(waiting: Faults, kind: Kind) -> None:
    waiting.add(kind, number=MARIA, times=2)
    assert [taken(waiting, kind, number) for number in (ALI, MARIA, ALI, MARIA, MARIA)] == [0, 1, 0, 1, 0]


@pytest.mark.parametrize("kind", Kind)
def test_without_a_number_and_a_count_it_strikes_everybody_until_it_is_switched_off(
    waiting: Faults, kind: Kind
) -> None:
    fault = waiting.add(kind, times=None)
    assert [taken(waiting, kind, number) for number in (MARIA, ALI, MARIA)] == [1, 1, 1]
    waiting.remove(fault.id)
    assert taken(waiting, kind, MARIA) == 0


@pytest.mark.parametrize("kind", OF_THE_API)
def test_it_strikes_the_requests_it_is_meant_for(waiting: Faults, kind: Kind) -> None:
    waiting.add(kind, operation="list", times=None)
    assert [taken(waiting, kind, MARIA, operation) for operation in ("create", "list")] == [0, 1]
    waiting.clear()
    waiting.add(kind, operation="", times=None)
    assert [taken(waiting, kind, MARIA, operation) for operation in ("create", "list")] == [1, 1]


def other_tests() -> str:
    modules = Path(__file__).parent.glob("test_*.py")
    return "".join(module.read_text() for module in modules if module != Path(__file__))


def test_what_each_fault_does_is_tried_over_the_wire() -> None:
    assert [kind for kind in Kind if f'"{kind}"' not in other_tests()] == []


def test_each_refusal_that_the_api_knows_is_tried_over_the_wire() -> None:
    assert [code for code in ERRORS if str(code) not in other_tests()] == []
