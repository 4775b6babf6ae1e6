"""Fills, starts, asks, and writes down what came of it: at the usual size and with ten times the data."""

import sys
import time
from dataclasses import dataclass

from bench import data, load, machine, product, report, usage
from bench.data import Filled, Size
from bench.figures import Measured, Run, Sized, Spent
from bench.load import Load
from bench.options import Options
from bench.product import Product
from bench.requests import Question, questions
from messaging.models import Message

RUNS = 3
CONNECTIONS = 8
CONNECTIONS_AT_RATE = 32
WARM_UP_SECONDS = 2.0
SETTLING_SECONDS = 2.0


class TextsAreMissingError(Exception):
    """The product said that it took a text, and the database doesn't have it."""


def run(options: Options) -> str:
    """The report, in Markdown."""
    described = machine.describe()  # first: its load average tells whether others are at work
    product.prepare()
    if options.rate:
        return report.at_rate(described, _at_rate(options.rate, options.seconds), options.rate)
    sizes = [_at(size, options) for size in (data.USUAL, data.TENFOLD)]
    return report.markdown(described, sizes, options.seconds)


def _at(size: Size, options: Options) -> Sized:
    _tell(f"{size.clients} clients, {size.messages} messages in one conversation: filling ...")
    filled = data.fill(size)
    with product.running() as running:
        time.sleep(SETTLING_SECONDS)
        idle = running.memory()
        measured = [
            _measured(question, filled, running, options.seconds)
            for question in questions()
            if options.wants(question.group)
        ]
        return Sized(size, measured, idle, running.memory(), data.megabytes())


def _at_rate(rate: float, seconds: float) -> Measured:
    """Incoming texts that come when they come, not when those before are answered."""
    (texts,) = (question for question in questions() if question.group == "webhooks")
    filled = data.fill(data.USUAL)
    with product.running() as running:
        time.sleep(SETTLING_SECONDS)
        _run(texts, filled, running, WARM_UP_SECONDS)
        runs = [_run(texts, filled, running, seconds, rate) for _ in range(RUNS)]
    return Measured(texts, sorted(runs, key=lambda run: run.latency(95), reverse=True))


def _measured(question: Question, filled: Filled, running: Product, seconds: float) -> Measured:
    _run(question, filled, running, min(seconds, WARM_UP_SECONDS))
    runs = []
    for _ in range(RUNS):
        runs.append(_run(question, filled, running, seconds))
        _tell(f"  {question.name}: {runs[-1].rate:.0f} a second")
    return Measured(question, sorted(runs, key=lambda run: run.rate))


def _run(question: Question, filled: Filled, running: Product, seconds: float, rate: float | None = None) -> Run:
    texts = Message.objects.count()
    backends = usage.backends()
    before: list[_Clocks] = []
    answers = load.ask(
        Load(
            port=running.port,
            requests=question.requests(filled, seconds),
            is_right=question.is_right,
            connections=CONNECTIONS if rate is None else CONNECTIONS_AT_RATE,
            seconds=seconds,
            rate=rate,
            at_start=lambda: before.append(_Clocks.read(running, backends)),
        )
    )
    after = _Clocks.read(running, usage.backends())
    if question.group == "webhooks":
        _expect_texts(texts + answers.before + answers.count)
    return Run(
        count=answers.count,
        seconds=answers.seconds,
        latencies=sorted(answers.latencies),
        wire_size=answers.wire_bytes / answers.count,
        plain_size=answers.plain_bytes / answers.count,
        spent=after.since(before[0], answers.own_cpu_seconds),
    )


def _expect_texts(count: int) -> None:
    if (stored := Message.objects.count()) != count:
        raise TextsAreMissingError(f"{count} texts should be stored after what was answered, {stored} are")


@dataclass(frozen=True)
class _Clocks:
    """CPU seconds by process, so far."""

    web: dict[int, float]
    backends: dict[int, float] | None
    machine: float

    @classmethod
    def read(cls, running: Product, backends: list[int] | None) -> "_Clocks":
        return cls(
            {process_id: usage.cpu_seconds(process_id) for process_id in running.web_processes()},
            None if backends is None else {process_id: usage.cpu_seconds(process_id) for process_id in backends},
            usage.machine_cpu_seconds(),
        )

    def since(self, before: "_Clocks", generator: float) -> Spent:
        return Spent(
            web=_differences(before.web, self.web),
            postgresql=sum(_differences(before.backends or {}, self.backends)) if self.backends is not None else None,
            generator=generator,
            machine=self.machine - before.machine,
        )


def _differences(before: dict[int, float], after: dict[int, float]) -> list[float]:
    """A process that started meanwhile counts from its start."""
    return [seconds - before.get(process_id, 0.0) for process_id, seconds in after.items()]


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
