"""Redis is emptied, frozen, stopped and brought back while people send and clients text."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chaos import carrier, people, product
from chaos.ground import Ground
from chaos.load import Load, Sample
from chaos.options import Options
from chaos.product import Product, Wanted
from chaos.report import Report
from messaging.models import Message

State = Message.State

CLIENTS = 200
HANDED_OVER_WITHIN = 10.0
SETTLES_WITHIN = 90.0
# What a page or webhook may take more than before: the machine is shared; one that waits for Redis takes far longer.
SLOWER_AT_MOST, SLOWER_BY_AT_MOST = 3.0, 0.3
KINDS = {"page": "opening a conversation", "send": "sending from it", "webhook": "incoming webhooks"}


@dataclass(frozen=True)
class Phase:
    """What is done to Redis, then for how long."""

    name: str
    begin: Callable[[], None]
    seconds: float


@dataclass(frozen=True)
class Span:
    """A phase as it was. In seconds since 1970. load: processes that wanted to run in its last minute."""

    name: str
    begun: float
    ended: float
    load: float

    def holds(self, moment: float) -> bool:
        return self.begun <= moment < self.ended


@dataclass(frozen=True)
class Handed:
    """A text: when it was due, and when a worker took it up (None: not yet)."""

    due: float
    taken: float | None

    @property
    def delay(self) -> float:
        return self.taken - self.due if self.taken is not None else float("inf")


def run(ground: Ground, options: Options) -> Report:
    clients = people.fill(CLIENTS)
    with product.running(ground, Wanted()) as running:
        load = Load(ground, clients, options.seed)
        load.start()
        spans = list(_go_through(_phases(ground, options)))
        load.stop()
        settled = _settle(running)
        report = Report(
            "Redis",
            f"{len(load.sent)} texts sent by the pages, {len(load.texted)} came in; "
            f"2 workers, beat, 2 gunicorn processes.",
        )
        report.promise("texts still waiting or in hand at the end", settled, "0", kept=settled == 0)
        _judge(report, ground, load)
        handed = _handed()
        _judge_delays(report, spans, handed)
        _judge_answers(report, spans, load.samples)
        _tell_phases(report, spans, handed, load.samples)
    return report


def _phases(ground: Ground, options: Options) -> list[Phase]:
    seconds, redis = options.sizes.phase, ground.redis
    return [
        Phase("as usual", lambda: None, seconds),
        Phase("after FLUSHALL", redis.flush, seconds),
        Phase("frozen", redis.freeze, seconds),
        Phase("thawed", redis.thaw, seconds),
        Phase("stopped", redis.stop, options.sizes.redis_down),
        Phase("back", redis.start, seconds),
    ]


def _go_through(phases: Sequence[Phase]) -> Iterator[Span]:
    for phase in phases:
        sys.stderr.write(f"  {phase.name}, {phase.seconds:g} s\n")
        phase.begin()
        begun = time.time()
        time.sleep(phase.seconds)
        yield Span(phase.name, begun, time.time(), os.getloadavg()[0])


def _settle(running: Product) -> int:
    """How many are still not with the carrier after a time in which all should be."""
    deadline = time.monotonic() + SETTLES_WITHIN
    pending = Message.objects.filter(state__in=[State.WAITING, State.SENDING])
    while (count := pending.count()) and time.monotonic() < deadline:
        time.sleep(0.2)
    running.control.wait_until_quiet(SETTLES_WITHIN)
    return count


def _judge(report: Report, ground: Ground, load: Load) -> None:
    listed = carrier.listed(ground)
    went_out = Counter(text.body for text in listed if not text.is_incoming)
    came_in = set(Message.objects.filter(direction=Message.Direction.INCOMING).values_list("body", flat=True))
    report.none("texts that the page took and the carrier never got", len(set(load.sent) - set(went_out)))
    report.none("texts twice at the carrier", sum(times > 1 for times in went_out.values()))
    report.none("incoming texts that were answered 200 and are not here", len(set(load.texted) - came_in))
    report.none("requests that failed", sum(not sample.is_good for sample in load.samples))
    states = Counter(Message.objects.filter(direction=Message.Direction.OUTGOING).values_list("state", flat=True))
    report.figure("states here", ", ".join(f"{state} {count}" for state, count in sorted(states.items())))


def _handed() -> list[Handed]:
    rows = Message.objects.filter(direction=Message.Direction.OUTGOING).values_list("due_at", "claimed_at")
    return [Handed(_seconds(due), _seconds(taken) if taken else None) for due, taken in rows]


def _seconds(moment: datetime | None) -> float:
    assert moment is not None
    return moment.astimezone(UTC).timestamp()


def _judge_delays(report: Report, spans: Sequence[Span], handed: Sequence[Handed]) -> None:
    """From its due time on, whatever Redis does: the workers look by themselves."""
    for span in spans:
        longest = max((text.delay for text in handed if span.holds(text.due)), default=0.0)
        report.promise(
            f"longest wait of a text typed, Redis {span.name}",
            f"{longest:.1f} s",
            f"{HANDED_OVER_WITHIN:.0f} s",
            kept=longest <= HANDED_OVER_WITHIN,
        )


def _judge_answers(report: Report, spans: Sequence[Span], samples: Sequence[Sample]) -> None:
    for kind, what in KINDS.items():
        usual, *others = [percentile(_times(span, kind, samples), 95) for span in spans]
        limit = usual * SLOWER_AT_MOST + SLOWER_BY_AT_MOST
        slowest = max(others)
        report.promise(
            f"{what}: p95 in the slowest phase (as usual {usual * 1000:.0f} ms)",
            f"{slowest * 1000:.0f} ms",
            f"{limit * 1000:.0f} ms",
            kept=slowest <= limit,
        )


def _times(span: Span, kind: str, samples: Sequence[Sample]) -> list[float]:
    return [sample.seconds for sample in samples if sample.kind == kind and span.holds(sample.at)]


def percentile(values: Sequence[float], percent: int) -> float:
    """0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def _tell_phases(report: Report, spans: Sequence[Span], handed: Sequence[Handed], samples: Sequence[Sample]) -> None:
    head = [
        "Redis",
        "s",
        "texts typed",
        "taken up in this phase",
        "of those typed in it",
        "wait p50 s",
        "p95 s",
        "max s",
    ]
    head += [*(f"{kind} p95 ms" for kind in KINDS), "load"]
    report.table(head, [_told(span, handed, samples) for span in spans])


def _told(span: Span, handed: Sequence[Handed], samples: Sequence[Sample]) -> list[str]:
    typed = [text for text in handed if span.holds(text.due)]
    taken = [text for text in handed if text.taken is not None and span.holds(text.taken)]
    delays = [text.delay for text in typed]
    return [
        span.name,
        f"{span.ended - span.begun:.0f}",
        str(len(typed)),
        str(len(taken)),
        str(sum(span.holds(text.due) for text in taken)),
        *(f"{percentile(delays, percent):.1f}" for percent in (50, 95, 100)),
        *(f"{percentile(_times(span, kind, samples), 95) * 1000:.0f}" for kind in KINDS),
        f"{span.load:.1f}",
    ]
