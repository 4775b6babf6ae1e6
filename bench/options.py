"""What a person asks the program to do."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = ("webhooks", "list", "conversation")
CONNECTIONS = (8, 32, 64, 128)


@dataclass(frozen=True)
class Options:
    """seconds: how long each of the runs lasts. only: a group of measurements. profile: look inside one instead.

    rate: instead of all that, so many incoming texts a second, and how soon they are answered.
    mass, lists, importing: measure mass messages, My clients whatever is asked of it, or a file of clients, and nothing
    else. handover: measure the hand-over instead, of so many texts, by so many connections each time, with a carrier
    that takes so many seconds (delay) a call; and without paced the rate alone.
    """

    seconds: float
    only: str | None
    profile: str | None
    rate: float | None = None
    mass: bool = False
    lists: bool = False
    importing: bool = False
    handover: bool = False
    texts: int = 2_000
    connections: tuple[int, ...] = CONNECTIONS
    delay: float = 0.1
    paced: bool = True

    def wants(self, group: str) -> bool:
        return self.only in (None, group)


def read(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures ClientComm. See bench/README.md.")
    parser.add_argument("--seconds", type=_seconds, default=10.0, help="length of each of the three runs (10)")
    parser.add_argument("--only", choices=GROUPS, help="only these")
    parser.add_argument("--profile", choices=GROUPS, help="don't measure: show where one request's time goes")
    parser.add_argument("--rate", type=_rate, help="don't measure: so many incoming texts a second, how soon answered")
    parser.add_argument("--mass", action="store_true", help="mass messages alone: accepting them, making their texts")
    parser.add_argument("--lists", action="store_true", help="My clients alone: list, search, each filter and order")
    parser.add_argument("--import", dest="importing", action="store_true", help="a file of clients alone")
    parser.add_argument("--handover", action="store_true", help="the hand-over alone: texts a second, pace, delay")
    parser.add_argument("--texts", type=_count, default=2_000, help="of the hand-over, each time (2000)")
    parser.add_argument(
        "--connections", type=_count, nargs="+", default=CONNECTIONS, help="of the hand-over, each time"
    )
    parser.add_argument("--delay", type=float, default=0.1, help="seconds the carrier takes for a text (0.1)")
    parser.add_argument("--no-pace", dest="paced", action="store_false", help="of the hand-over only the rate")
    found = vars(parser.parse_args(arguments))
    return Options(**found | {"connections": tuple(found["connections"])})


def _count(typed: str) -> int:
    count = int(typed)
    if not 1 <= count <= 100_000:
        raise argparse.ArgumentTypeError("from 1 to 100000")
    return count


def _rate(typed: str) -> float:
    rate = float(typed)
    if not 1 <= rate <= 2_000:
        raise argparse.ArgumentTypeError("from 1 to 2000")
    return rate


def _seconds(typed: str) -> float:
    seconds = float(typed)
    if not 0.5 <= seconds <= 600:
        raise argparse.ArgumentTypeError("from 0.5 to 600")
    return seconds
