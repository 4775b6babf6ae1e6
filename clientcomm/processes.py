"""Several processes as one: started together, their lines shown with a name in front, stopped in order."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1


class EndedByItselfError(Exception):
    """One of the processes is gone though nobody asked it to end. Its name."""


@dataclass(frozen=True)
class Group:
    """Shell commands by name, and the seconds after which those that were asked to stop are killed."""

    commands: dict[str, str]
    stop_within: float


class Processes:
    """Groups of processes: started in order, stopped in the opposite one, a group at a time."""

    def __init__(self, folder: Path) -> None:
        self.stopping = threading.Event()
        self._folder = folder
        self._groups: list[tuple[dict[str, subprocess.Popen[str]], float]] = []
        self._readers: list[threading.Thread] = []
        self._signals = 0

    def on_signal(self, _number: int, _frame: object) -> None:
        """The first and second ask to stop; the third no longer waits for a text on its way."""
        self._signals += 1
        self.stopping.set()
        if self._signals > 2:
            for process in self._all().values():
                os.killpg(process.pid, signal.SIGKILL)

    def start(self, groups: Iterable[Group]) -> None:
        for group in groups:
            started: dict[str, subprocess.Popen[str]] = {}
            self._groups.append((started, group.stop_within))
            for name, command in group.commands.items():
                started[name] = _start(command, self._folder)
        for name, process in self._all().items():  # only now: no threads while there is something to fork
            reader = threading.Thread(target=_show, args=(name.ljust(8), process.stdout or ()), daemon=True)
            reader.start()
            self._readers.append(reader)

    def refuse_losses(self) -> None:
        for name, process in self._all().items():
            if process.poll() is not None and not self.stopping.is_set():
                raise EndedByItselfError(name)

    def wait(self) -> None:
        """Until asked to stop. Raises EndedByItselfError."""
        while not self.stopping.wait(0.2):
            self.refuse_losses()

    def stop(self) -> None:
        self.stopping.set()
        for group, within in reversed(self._groups):
            _stop_together(group.values(), within)
        for reader in self._readers:
            reader.join(1)

    def _all(self) -> dict[str, subprocess.Popen[str]]:
        return {name: process for group, _ in self._groups for name, process in group.items()}


def _start(command: str, folder: Path) -> subprocess.Popen[str]:
    """In a session of its own: Ctrl+C at the terminal reaches only us, and we ask the others in our order."""
    return subprocess.Popen(  # noqa: S603 the commands are ours and the Procfile's
        ["/bin/sh", "-c", f"exec {command}"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_die_with_parent(),
    )


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux a child is told to end when we are killed the hard way. Elsewhere it would be left behind."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _show(name: str, output: IO[str] | Iterable[str]) -> None:
    for line in output:
        sys.stdout.write(f"{name} | {line}")
        sys.stdout.flush()


def _stop_together(processes: Iterable[subprocess.Popen[str]], within: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + within
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
