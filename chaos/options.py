"""What a person asks the program to do."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

SCENARIOS = (
    *("outgoing", "outgoing-term", "incoming", "redis", "claims", "restore", "restore-erased"),
    *("schedule-races", "one-minute"),
    *("mass", "mass-races"),
)


@dataclass(frozen=True)
class Sizes:
    """How much of everything. phase: the seconds that each state of Redis lasts but for its stop. with_worker: whether

    incoming has worker and beat as well, which take their time to start.
    """

    texts: int
    kills: int
    incoming: int
    clients: int
    web_kills: int
    phase: float
    redis_down: float
    with_worker: bool
    rows: int
    pairs: int
    races: int
    recipients: int


SHORT = Sizes(
    texts=16,
    kills=2,
    incoming=300,
    clients=20,
    web_kills=2,
    phase=4.0,
    redis_down=4.0,
    with_worker=False,
    rows=600,
    pairs=150,
    races=40,
    recipients=300,
)
USUAL = Sizes(
    texts=200,
    kills=40,
    incoming=2_000,
    clients=100,
    web_kills=8,
    phase=15.0,
    redis_down=20.0,
    with_worker=True,
    rows=4_000,
    pairs=1_000,
    races=200,
    recipients=1_000,
)
FULL = Sizes(
    texts=1_000,
    kills=200,
    incoming=10_000,
    clients=500,
    web_kills=40,
    phase=60.0,
    redis_down=120.0,
    with_worker=True,
    rows=20_000,
    pairs=5_000,
    races=1_000,
    recipients=5_000,
)


@dataclass(frozen=True)
class Options:
    """seed: what is left to chance is the same again with it (but for how the machine's processes take turns)."""

    scenarios: tuple[str, ...]
    sizes: Sizes
    seed: int
    keep: bool
    log: Path | None


def read(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Breaks ClientComm and counts. See README.md.")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one (repeatable)")
    parser.add_argument("--full", action="store_true", help="as much as is promised; the default is a fifth of it")
    parser.add_argument("--short", action="store_true", help="a minute's worth, for tests")
    parser.add_argument("--texts", type=_count, help="texts of outgoing and outgoing-term")
    parser.add_argument("--kills", type=_count, help="workers killed in outgoing, or asked to end in outgoing-term")
    parser.add_argument("--incoming", type=_count, help="texts of incoming")
    parser.add_argument("--clients", type=_count, help="clients of incoming")
    parser.add_argument("--redis-down", type=float, help="seconds for which Redis is stopped")
    parser.add_argument("--rows", type=_count, help="backlog of claims")
    parser.add_argument("--pairs", type=_count, help="pairs of claims")
    parser.add_argument("--races", type=_count, help="rounds of schedule-races, of each kind, and of mass-races")
    parser.add_argument("--recipients", type=_count, help="of the mass message of mass")
    parser.add_argument("--seed", type=int, default=1, help="for what is left to chance (1)")
    parser.add_argument("--keep", action="store_true", help="leave the processes' logs in the temporary folder")
    parser.add_argument("--log", type=Path, help="write everything there as well")
    given = parser.parse_args(arguments)
    sizes = SHORT if given.short else FULL if given.full else USUAL
    names = ("texts", "kills", "incoming", "clients", "redis_down", "rows", "pairs", "races", "recipients")
    chosen = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    return Options(tuple(given.scenario or SCENARIOS), replace(sizes, **chosen), given.seed, given.keep, given.log)


def _count(typed: str) -> int:
    count = int(typed)
    if not 1 <= count <= 1_000_000:
        raise argparse.ArgumentTypeError("from 1 to 1,000,000")
    return count
