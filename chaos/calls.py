"""Reads what the watched workers noted of their calls to the carrier (chaos.backends)."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """Nanoseconds of the machine's monotonic clock, the same for all processes. ended: None if it was cut off."""

    public_id: str
    begun: int
    ended: int | None


def of_process(folder: Path, serial: int) -> list[Call]:
    path = folder / str(serial)
    return list(read(path.read_text().splitlines())) if path.exists() else []


def of_all(folder: Path) -> list[Call]:
    """In the order in which they began."""
    found = [call for path in folder.iterdir() for call in read(path.read_text().splitlines())]
    return sorted(found, key=lambda call: call.begun)


def open_calls(folder: Path, serial: int) -> int:
    """How many calls the process has in hand; of one that was killed: had."""
    return sum(call.ended is None for call in of_process(folder, serial))


def forget(folder: Path) -> None:
    """The files stay: who has one open goes on to write into it."""
    for path in folder.iterdir():
        os.truncate(path, 0)


def read(lines: Iterable[str]) -> Iterator[Call]:
    """A process may call for one text several times, one call after the other. A half-written line is left out."""
    begun: dict[str, int] = {}
    for line in lines:
        match line.split():
            case ["+", public_id, nanoseconds]:
                begun[public_id] = int(nanoseconds)
            case ["-", public_id, nanoseconds]:
                yield Call(public_id, begun.pop(public_id), int(nanoseconds))
    yield from (Call(public_id, moment, None) for public_id, moment in begun.items())
