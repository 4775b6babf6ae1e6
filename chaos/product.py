"""The production processes as the Procfile starts them, and the pocket phones as their carrier."""

import os
import signal
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from chaos import calls
from chaos.ground import Ground
from chaos.processes import DidNotStartError, Process, children_of, stop_together
from clientcomm.run import ROOT, product_commands
from messaging.sending_status import delivery_health
from telephony.simulator.control import PocketPhones

STARTS_WITHIN = 90.0


@dataclass
class Product:
    """What runs. retired: workers that were asked to end and may still finish the text in hand."""

    ground: Ground
    phones: Process
    web: Process | None
    beat: Process | None
    workers: list[Process]
    retired: list[Process] = field(default_factory=list)

    @property
    def control(self) -> PocketPhones:
        return PocketPhones(self.ground.phones_url, timeout=60)

    def all(self) -> list[Process]:
        return [process for process in (self.phones, self.web, self.beat, *self.workers, *self.retired) if process]

    def replace_worker(self, place: int, number: signal.Signals) -> None:
        """Ends a worker by this signal and starts another at once, as whoever looks after processes would."""
        worker = self.workers[place]
        if number is signal.SIGKILL:
            worker.kill()
        else:
            worker.tell(number)
            self.retired.append(worker)
        self.workers[place] = worker.another()
        self.workers[place].start()

    def end_workers(self) -> None:
        """In peace: what they have in hand is finished."""
        stop_together(self.workers)
        self.retired += self.workers

    def start_workers(self) -> None:
        self.workers = [worker.another() for worker in self.workers]
        for worker in self.workers:
            worker.start()

    def wait_for_a_tick(self) -> None:
        """Until beat was heard once more: a worker has begun to work. Raises DidNotStartError."""
        begun, deadline = timezone.now(), time.monotonic() + STARTS_WITHIN
        while not _ticked_since(self, begun.timestamp()):
            if time.monotonic() > deadline:
                raise DidNotStartError(f"no tick within {STARTS_WITHIN:.0f} s:\n{self.log()[-4000:]}")
            time.sleep(0.1)

    def worker_in_a_call(self) -> int | None:
        """The place of a worker that has a call to the carrier in hand."""
        for place, worker in enumerate(self.workers):
            if calls.open_calls(self.ground.calls, worker.serial):
                return place
        return None

    def web_workers(self) -> list[int]:
        return children_of(self.web.process_id) if self.web else []

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.ground.folder.glob("product-*.log")))


@dataclass(frozen=True)
class Wanted:
    """Which processes run. backend: a class in chaos.backends for the workers; without, the product's own."""

    workers: int = 2
    web: bool = True
    beat: bool = True
    backend: str = ""
    environment: tuple[tuple[str, str], ...] = ()


@contextmanager
def running(ground: Ground, wanted: Wanted) -> Iterator[Product]:
    """From the moment they answer and tick."""
    calls.forget(ground.calls)
    for path in (*ground.folder.glob("product-*.log"), *ground.folder.glob("phones.sqlite3*")):
        path.unlink()
    ground.redis.flush()
    product = Product(
        ground,
        _process(ground, "phones", "python manage.py phones"),
        _process(ground, "web", product_commands()["web"]) if wanted.web else None,
        _process(ground, "beat", product_commands()["beat"]) if wanted.beat else None,
        [_worker(ground, wanted) for _ in range(wanted.workers)],
    )
    try:
        for process in product.all():
            process.start()
        _wait_until_running(product)
        yield product
    finally:
        stop_together([process for process in product.all() if process is not product.phones])
        product.phones.stop(within=10)


def prepare(*, with_pages: bool) -> None:
    """What the Procfile's release line does before a release, but for its checks."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    if with_pages:
        call_command("collectstatic", interactive=False, verbosity=0)


def _process(ground: Ground, name: str, command: str, environment: Sequence[tuple[str, str]] = ()) -> Process:
    return Process(
        name,
        ["/bin/sh", "-c", f"exec {command}"],
        folder=ROOT,
        log=ground.folder / f"product-{name}.log",
        environment={**os.environ, **dict(environment)},
    )


def _worker(ground: Ground, wanted: Wanted) -> Process:
    environment = list(wanted.environment)
    if wanted.backend:
        settings = [("DJANGO_SETTINGS_MODULE", "chaos.settings"), ("CHAOS_BACKEND", f"chaos.backends.{wanted.backend}")]
        environment += [*settings, ("PYTHONPATH", str(ROOT))]
    return _process(ground, "worker", product_commands()["worker"], environment)


def _wait_until_running(product: Product) -> None:
    begun, deadline = timezone.now(), time.monotonic() + STARTS_WITHIN
    product.control.wait_until_ready(STARTS_WITHIN)
    while not (_web_answers(product) and _ticked_since(product, begun.timestamp())):
        for process in product.all():
            process.refuse_loss()
        if time.monotonic() > deadline:
            raise DidNotStartError(f"not up within {STARTS_WITHIN:.0f} s:\n{product.log()[-4000:]}")
        time.sleep(0.1)


def _web_answers(product: Product) -> bool:
    if product.web is None:
        return True
    try:
        with urllib.request.urlopen(f"{product.ground.url}/healthz", timeout=2) as answer:  # noqa: S310 our own address
            return bool(answer.status == 200)
    except OSError:
        return False


def _ticked_since(product: Product, moment: float) -> bool:
    """Beat ticks, and a worker heard it."""
    if product.beat is None or not product.workers:
        return True
    last_tick_at = delivery_health(timezone.now()).last_tick_at
    return last_tick_at is not None and last_tick_at.timestamp() > moment


def reconnect() -> None:
    """After a restart of the database: our own connection is gone with it."""
    connection.close()
    try:
        connection.ensure_connection()
    except OperationalError:
        time.sleep(0.5)
        connection.ensure_connection()
