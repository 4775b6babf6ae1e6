"""How fast texts are handed over, by how many connections to the carrier; how even the pace is; how soon a text leaves.

`python -m bench --handover`. Beat and worker processes as the Procfile starts them, and bench/carrier.py.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Department, User
from bench import machine, product, report, usage
from bench.figures import Handed, Paced
from bench.options import Options
from bench.product import Product
from clientcomm.embedded import TASK_THREADS
from clientcomm.run import ROOT
from clients.models import CaseAssignment
from messaging.actions import sending
from messaging.loops import SPARE
from messaging.models import Message
from tests import builders
from tests.running import free_port

PACE = 10
PACED_TEXTS, TYPED, TYPED_EVERY = 300, 30, 1.0
PACED_THREADS = 16
CONNECTIONS_LEFT = 10  # of PostgreSQL's, for this program and whoever else works on the machine
SETTLING_SECONDS = 4.0  # the tick was heard by one worker; the others are up a moment later
SLOWEST_RATE = 10.0  # texts a second; below it something is stuck
BATCH = 1_000

MASS, SINGLE = Message.Priority.MASS, Message.Priority.SINGLE


class StuckError(Exception):
    """The texts don't come to an end."""


class CountsDifferError(Exception):
    """The carrier was asked for another number of texts than were to go out, or for one of them twice."""


def run(options: Options) -> str:
    """The report, in Markdown."""
    described = machine.describe()
    product.prepare()
    handed = [_handed(wanted, options) for wanted in options.connections]
    paced = _paced(options.delay) if options.paced else None
    return report.handover(described, handed, paced, options.delay)


def _handed(wanted: int, options: Options) -> Handed:
    processes = min(usage.cores(), max(1, wanted // 8))  # Python works on one core in each
    threads = _threads_for(wanted, processes)
    people = _fill(options.texts, pace=None)
    with _working(processes, threads, options.delay) as (running, carrier):
        before = _Clocks.read(running, carrier)
        _put(people, SINGLE)
        moments = [at for at, _words in carrier.notes(options.texts)]
        _wait_until_written_down()
        spent = _Clocks.read(running, carrier)
    sys.stderr.write(f"{wanted} connections, {processes} x {threads}: done\n")
    return Handed(
        wanted=wanted,
        processes=processes,
        threads=threads,
        texts=options.texts,
        seconds=moments[-1] - moments[0],
        middle_rate=_middle_rate(moments),
        workers=[now - then for now, then in zip(spent.workers, before.workers, strict=True)],
        postgresql=sum(now - before.postgresql.get(pid, 0.0) for pid, now in spent.postgresql.items()),
        carrier=spent.carrier - before.carrier,
        busy_cores=(spent.machine - before.machine) / (spent.at - before.at),
    )


def _threads_for(wanted: int, processes: int) -> int:
    """Calls at a time in each process: as many as come to the number, or as PostgreSQL has connections for.

    Each sending thread holds one, of which there are some more than calls, and each task.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity")
        free = int(cursor.fetchone()[0]) - CONNECTIONS_LEFT
    threads = free // processes - TASK_THREADS
    return max(1, min(-(-wanted // processes), threads * SPARE // (SPARE + 1)))


def _middle_rate(moments: Sequence[float]) -> float:
    """Of the middle half: without the beginning, and without the end, when threads run dry."""
    middle = moments[len(moments) // 4 : len(moments) * 3 // 4 + 1]
    return (len(middle) - 1) / (middle[-1] - middle[0])


def _paced(delay: float) -> Paced:
    """Texts of a mass message at their pace, and others typed meanwhile."""
    people = _fill(PACED_TEXTS + TYPED, pace=PACE)
    with _working(usage.cores(), PACED_THREADS, delay) as (_running, carrier):
        _put(people[:PACED_TEXTS], MASS)
        carrier.notes(PACE)  # they are under way
        typed_at = _type(people[PACED_TEXTS:])
        notes = carrier.notes(PACED_TEXTS + TYPED)
    gaps = [
        later - earlier
        for (earlier, before), (later, after) in pairwise(notes)
        if before not in typed_at and after not in typed_at
    ]
    return Paced(
        pace=PACE,
        texts=PACED_TEXTS,
        mean_gap=(notes[-1][0] - notes[0][0]) / (len(notes) - 1),
        deviations=sorted(abs(gap - 1 / PACE) for gap in gaps),
        delays=sorted(at - typed_at[words] for at, words in notes if words in typed_at),
    )


def _type(people: Sequence[CaseAssignment]) -> dict[str, float]:
    """By the action that the page calls. When each was typed, by its words."""
    typed_at = {}
    author = User.objects.get()
    for serial, assignment in enumerate(people):
        words = f"Typed {serial}"
        typed_at[words] = time.monotonic()
        sending.send_message(
            client_id=assignment.client_id, body=words, by=author, submission_key=uuid.uuid4(), now=timezone.now()
        )
        time.sleep(max(0.0, typed_at[words] + TYPED_EVERY - time.monotonic()))
    return typed_at


def _fill(count: int, *, pace: int | None) -> list[CaseAssignment]:
    """One case manager with so many clients."""
    call_command("flush", interactive=False, verbosity=0)
    department = builders.make_department(phone_number="+18015550100", segments_per_second=pace)
    people = builders.make_caseload(builders.make_user(department), count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return people


def _put(people: Sequence[CaseAssignment], priority: int) -> None:
    """A text to each, due now. Nobody rings: beat's tick finds them."""
    now, department = timezone.now(), Department.objects.get()
    rows = [
        Message(
            department=department,
            client_id=assignment.client_id,
            assignment=assignment,
            author_id=assignment.case_manager_id,
            direction=Message.Direction.OUTGOING,
            state=Message.State.WAITING,
            priority=priority,
            body=f"Text {serial}",
            placed_at=now,
            due_at=now,
            state_at=now,
        )
        for serial, assignment in enumerate(people)
    ]
    Message.objects.bulk_create(rows, batch_size=BATCH)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")  # as autovacuum does within a minute


def _wait_until_written_down() -> None:
    deadline = time.monotonic() + 30
    while Message.objects.filter(state__in=[Message.State.WAITING, Message.State.SENDING]).exists():
        if time.monotonic() > deadline:
            raise StuckError("texts that the carrier has are not written down as accepted")
        time.sleep(0.1)


@dataclass(frozen=True)
class _Carrier:
    process: subprocess.Popen[bytes]
    path: Path

    def notes(self, count: int) -> list[tuple[float, str]]:
        """Moment and words of each text so far, in the order in which they came; waits until there are so many.

        Raises StuckError, CountsDifferError.
        """
        deadline = time.monotonic() + 60 + count / SLOWEST_RATE
        while len(found := self.path.read_text().splitlines()) < count:
            if time.monotonic() > deadline:
                raise StuckError(f"{len(found)} of {count} texts were handed over")
            time.sleep(0.2)
        notes = [line.split(" ", 1) for line in found]
        if len({words for _at, words in notes}) != len(notes):
            raise CountsDifferError
        return sorted((float(at), words) for at, words in notes)


@contextmanager
def _working(processes: int, threads: int, delay: float) -> Iterator[tuple[Product, _Carrier]]:
    """Beat, so many workers of so many threads, and the carrier."""
    port, path = free_port(), Path(settings.DATA_DIR) / f"carrier-{uuid.uuid4().hex}"
    path.touch()
    os.environ.update(TWILIO_API_URL=f"http://127.0.0.1:{port}", WORKER_THREADS=str(threads))
    arguments = [sys.executable, "-m", "bench.carrier", str(port), str(delay), str(path)]
    with subprocess.Popen(arguments, cwd=ROOT, start_new_session=True) as process:  # noqa: S603  # our own
        try:
            with product.sending(processes) as running:
                time.sleep(SETTLING_SECONDS)
                yield running, _Carrier(process, path)
        finally:
            process.terminate()


@dataclass(frozen=True)
class _Clocks:
    """CPU seconds so far. postgresql: by process, of those that serve the product; empty if it runs elsewhere."""

    workers: list[float]
    postgresql: dict[int, float]
    carrier: float
    machine: float
    at: float

    @classmethod
    def read(cls, running: Product, carrier: _Carrier) -> "_Clocks":
        return cls(
            [usage.cpu_seconds(process_id) for process_id in running.workers()],
            {process_id: usage.cpu_seconds(process_id) for process_id in usage.backends() or ()},
            usage.cpu_seconds(carrier.process.pid),
            usage.machine_cpu_seconds(),
            time.monotonic(),
        )
