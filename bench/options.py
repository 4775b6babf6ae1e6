"""What a person asks the program to do."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = ("webhooks", "list", "conversation")


@dataclass(frozen=True)
class Options:
    """seconds: how long each of the runs lasts. only: a group of measurements. profile: look inside one instead.

    rate: instead of all that, so many incoming texts a second, and how soon they are answered.
    mass: measure mass messages, and nothing else.
    """

    seconds: float
    only: str | None
    profile: str | None
    rate: float | None = None
    mass: bool = False

    def wants(self, group: str) -> bool:
        return self.only in (None, group)


def read(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures ClientComm. See bench/README.md.")
    parser.add_argument("--seconds", type=_seconds, default=10.0, help="length of each of the three runs (10)")
    parser.add_argument("--only", choices=GROUPS, help="only these")
    parser.add_argument("--profile", choices=GROUPS, help="don't measure: show where one request's time goes")
    parser.add_argument("--rate", type=_rate, help="don't measure: so many incoming texts a second, how soon answered")
    parser.add_argument("--mass", action="store_true", help="mass messages alone: accepting them, making their texts")
    found = parser.parse_args(arguments)
    return Options(found.seconds, found.only, found.profile, found.rate, found.mass)


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
