"""Several worker processes take texts off one backlog: how fast, none twice, none before the one typed before it."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from chaos import calls, people, product
from chaos.calls import Call
from chaos.ground import Ground
from chaos.options import Options
from chaos.people import Person
from chaos.product import Wanted
from chaos.report import Report
from messaging.models import BeatTick, Message

WORKERS = (2, 4)
MOST_CLIENTS = 5_000
CALL_SECONDS = 0.03  # for the pairs: calls that take time, and not all the same, are what could overtake each other
LEAST_SHARE = 0.1  # of what each would have taken, had all taken as many
SLOWEST_RATE = 15.0  # rows a second; below it something is stuck
BATCH = 1_000
DUE_SINCE = timedelta(minutes=5)


class StuckError(Exception):
    """The backlog doesn't come to an end."""


@dataclass(frozen=True)
class Worked:
    """What the workers did. oldest_tick: how long beat's tick was not heard at most, in seconds.

    shares: calls by worker, the fewest first.
    """

    calls: list[Call]
    shares: list[int]
    oldest_tick: float

    @property
    def seconds(self) -> float:
        return (max(call.ended or call.begun for call in self.calls) - self.calls[0].begun) / 1e9

    @property
    def rate(self) -> float:
        return len(self.calls) / self.seconds

    @property
    def steady_rate(self) -> float:
        """Of the middle half: without the beginning, and without the end, when threads run dry."""
        middle = self.calls[len(self.calls) // 4 : len(self.calls) * 3 // 4]
        return len(middle) / ((middle[-1].begun - middle[0].begun) / 1e9)


def run(ground: Ground, options: Options) -> Report:
    sizes = options.sizes
    report = Report("Claims", "Workers of 8 threads on one backlog; the carrier's side only takes notes.")
    for workers in WORKERS:
        clients = people.fill(min(sizes.rows, MOST_CLIENTS))
        rows = [clients[serial % len(clients)] for serial in range(sizes.rows)]
        worked = _work_off(ground, rows, Wanted(workers=workers, web=False, backend="Recording"), step_ms=1)
        _judge(report, f"{workers} workers, {sizes.rows} rows", worked, sizes.rows)
        report.figure(
            f"{workers} workers: claimed rows a second, in all and with all threads at work",
            f"{worked.rate:.0f}, {worked.steady_rate:.0f} ({worked.seconds:.0f} s)",
        )
        _judge_shares(report, workers, worked)
        report.figure(f"{workers} workers: longest silence of beat's tick meanwhile", f"{worked.oldest_tick:.0f} s")
    for workers in WORKERS:
        pairs = [person for person in people.fill(sizes.pairs) for _ in range(2)]
        slow = (("CHAOS_CALL_SECONDS", str(CALL_SECONDS)),)
        wanted = Wanted(workers=workers, web=False, backend="Recording", environment=slow)
        worked = _work_off(ground, pairs, wanted, step_ms=0)
        _judge(report, f"{workers} workers, {sizes.pairs} pairs", worked, len(pairs))
        order = list(Message.objects.order_by("pk").values_list("public_id", "client_id"))
        reversed_ones = reversed_pairs([(str(public_id), client_id) for public_id, client_id in order], worked.calls)
        report.none(f"{workers} workers: pairs of {sizes.pairs} reversed or at the same time", reversed_ones)
    return report


def _work_off(ground: Ground, addressees: Sequence[Person], wanted: Wanted, *, step_ms: int) -> Worked:
    """One text to each, in this order, due step_ms after each other (0: at once; their ids tell the order)."""
    with product.running(ground, wanted) as running:
        calls.forget(ground.calls)
        since = timezone.now() - DUE_SINCE
        rows = (
            _row(person, serial, since + timedelta(milliseconds=step_ms * serial))
            for serial, person in enumerate(addressees)
        )
        Message.objects.bulk_create(rows, batch_size=BATCH)
        oldest_tick = _wait(len(addressees))
        shares = sorted(len(calls.of_process(ground.calls, worker.serial)) for worker in running.workers)
    return Worked(calls.of_all(ground.calls), shares, oldest_tick)


def _row(person: Person, serial: int, due_at: datetime) -> Message:
    return Message(
        department=person.case_manager.department,
        client_id=person.client_id,
        assignment_id=person.assignment_id,
        author=person.case_manager,
        direction=Message.Direction.OUTGOING,
        state=Message.State.WAITING,
        body=f"Text {serial}",
        placed_at=due_at,
        due_at=due_at,
        state_at=due_at,
    )


def _wait(count: int) -> float:
    """Until all are with the carrier. Gives the longest time for which beat's tick was not heard."""
    deadline, oldest = time.monotonic() + 120 + count / SLOWEST_RATE, 0.0
    pending = Message.objects.filter(state__in=[Message.State.WAITING, Message.State.SENDING])
    while pending.exists():
        if time.monotonic() > deadline:
            states = Counter(Message.objects.values_list("state", flat=True))
            raise StuckError(f"the backlog doesn't come to an end: {states}")
        tick = BeatTick.objects.get()
        oldest = max(oldest, (timezone.now() - tick.at).total_seconds())
        time.sleep(0.5)
    return oldest


def _judge(report: Report, what: str, worked: Worked, count: int) -> None:
    claimed = Counter(call.public_id for call in worked.calls)
    report.none(f"{what}: claimed twice", sum(times > 1 for times in claimed.values()))
    states = Counter(Message.objects.values_list("state", flat=True))
    accepted = states[Message.State.ACCEPTED]
    kept = accepted == len(claimed) == count
    report.promise(f"{what}: handed over once and written down", accepted, str(count), kept=kept)


def _judge_shares(report: Report, workers: int, worked: Worked) -> None:
    """Nobody sits by: each worker looks by itself, whoever is rung for (messaging/loops.py)."""
    least = len(worked.calls) / workers * LEAST_SHARE
    shares = ", ".join(str(count) for count in worked.shares)
    report.promise(f"{workers} workers: rows of each", shares, f"{least:.0f} or more", kept=worked.shares[0] >= least)


def reversed_pairs(typed: Sequence[tuple[str, int]], made: Sequence[Call]) -> int:
    """How often the call for a text began before that for the text typed before it, to the same client, had ended.

    typed: public id and client, in order.
    """
    by_id = {call.public_id: call for call in made}
    last: dict[int, Call] = {}
    found = 0
    for public_id, client_id in typed:
        call, before = by_id[public_id], last.get(client_id)
        found += before is not None and (before.ended is None or call.begun < before.ended)
        last[client_id] = call
    return found
