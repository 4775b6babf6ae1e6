"""The production processes, each as its line in the Procfile starts it."""

import ctypes
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from bench import usage
from clientcomm.processes import PR_SET_PDEATHSIG
from clientcomm.run import ROOT, product_commands
from messaging.sending_status import delivery_health

STARTS_WITHIN = 60.0
STOPS_WITHIN = 40.0


class DidNotStartError(Exception):
    """With what the processes wrote."""


@dataclass(frozen=True)
class Product:
    """The processes that run, by their names in the Procfile."""

    port: int
    started: dict[str, subprocess.Popen[bytes]]

    def web_processes(self) -> list[int]:
        """gunicorn's master first, then its workers."""
        return usage.family(self.started["web"].pid)

    def workers(self) -> list[int]:
        return [process.pid for name, process in self.started.items() if name.startswith("worker")]

    def memory(self) -> dict[str, usage.Memory]:
        """Each process by a name for people, in the order they were started."""
        found = {}
        for name, process in self.started.items():
            first, *others = usage.family(process.pid)
            found[f"{name} (master)" if others else name] = usage.memory(first)
            for serial, process_id in enumerate(others, 1):
                found[f"{name} (process {serial})"] = usage.memory(process_id)
        return found


def running() -> AbstractContextManager[Product]:
    """From the moment they answer and tick."""
    return _running(product_commands())


def sending(workers: int) -> AbstractContextManager[Product]:
    """Without pages: beat, and so many workers."""
    commands = product_commands()
    return _running({"beat": commands["beat"], **{f"worker {n}": commands["worker"] for n in range(1, workers + 1)}})


@contextmanager
def _running(commands: dict[str, str]) -> Iterator[Product]:
    """What they write goes to a file, shown only if they don't come up."""
    product = Product(int(os.environ["PORT"]), {})
    log_path = Path(settings.DATA_DIR) / "processes.log"
    with log_path.open("ab") as log:
        try:
            for name, command in commands.items():
                product.started[name] = _start(command, log)
            _wait_until_running(product, log_path)
            yield product
        finally:
            _stop(product)


def _start(command: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl+C at the terminal reaches only us. Ends with us even if we are killed."""
    libc = ctypes.CDLL(None)
    return subprocess.Popen(  # noqa: S603 the Procfile's commands
        ["/bin/sh", "-c", f"exec {command}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )


def _wait_until_running(product: Product, log_path: Path) -> None:
    begun, deadline = timezone.now(), time.monotonic() + STARTS_WITHIN
    while not (("web" not in product.started or _answers(product.port)) and _ticked_since(begun.timestamp())):
        ended = [name for name, process in product.started.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            what = f"{', '.join(ended)} ended" if ended else f"not up within {STARTS_WITHIN:.0f} s"
            raise DidNotStartError(f"{what}:\n{log_path.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _ticked_since(moment: float) -> bool:
    """Beat ticks, and a worker heard it."""
    last_tick_at = delivery_health(timezone.now()).last_tick_at
    return last_tick_at is not None and last_tick_at.timestamp() > moment


def _stop(product: Product) -> None:
    for process in product.started.values():
        process.terminate()
    deadline = time.monotonic() + STOPS_WITHIN
    for process in product.started.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def prepare() -> None:
    """What the Procfile's release line does before a release, but for its checks."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
