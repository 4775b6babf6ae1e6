"""What is measured, and the figures that are told of it."""

from dataclasses import dataclass

from bench.data import Size
from bench.requests import Question
from bench.usage import Memory


@dataclass(frozen=True)
class Spent:
    """CPU seconds. web: of each gunicorn process; postgresql: None if it runs elsewhere; machine: of all processes."""

    web: list[float]
    postgresql: float | None
    generator: float
    machine: float


@dataclass(frozen=True)
class Run:
    """Latencies in seconds, sorted; sizes in bytes an answer, on the wire with its head, and the body uncompressed."""

    count: int
    seconds: float
    latencies: list[float]
    wire_size: float
    plain_size: float
    spent: Spent

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds

    def latency(self, percent: float) -> float:
        """Seconds within which that many percent of the answers came."""
        return self.latencies[min(self.count - 1, int(self.count * percent / 100))]


@dataclass(frozen=True)
class Measured:
    """All runs of one question, slowest first."""

    question: Question
    runs: list[Run]

    @property
    def median(self) -> Run:
        return self.runs[len(self.runs) // 2]


@dataclass(frozen=True)
class Sized:
    """What was found at one size. Memory by process: before the first request, and after the last."""

    size: Size
    measured: list[Measured]
    idle: dict[str, Memory]
    loaded: dict[str, Memory]
    database_megabytes: float


@dataclass(frozen=True)
class Handed:
    """One hand-over of so many texts. CPU in seconds; postgresql: 0 if it runs elsewhere.

    wanted: connections that were asked for; there were as many as processes x threads. middle_rate: texts a second.
    """

    wanted: int
    processes: int
    threads: int
    texts: int
    seconds: float
    middle_rate: float
    workers: list[float]
    postgresql: float
    carrier: float
    busy_cores: float

    @property
    def connections(self) -> int:
        return self.processes * self.threads


@dataclass(frozen=True)
class Paced:
    """At a pace, in segments a second. Seconds, sorted: what the gaps deviate by, and from typing to the carrier."""

    pace: int
    texts: int
    mean_gap: float
    deviations: list[float]
    delays: list[float]
