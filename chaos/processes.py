"""A process that is started, killed and started again, and that never outlives this run."""

import ctypes
import itertools
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clientcomm.processes import PR_SET_PDEATHSIG

_serials = itertools.count(1)

STOPS_WITHIN = 40.0  # a call to the carrier may take 20 seconds, and gunicorn allows its workers 30


class DidNotStartError(Exception):
    """With what the process wrote last."""


class Process:
    """One command, in a session of its own (Ctrl+C at the terminal reaches only us); what it says goes to a file.

    serial: its name among all that this run starts; process ids come again. Start it from the main thread: it is told
    to end when the thread that started it does, so that a run that is killed leaves nothing behind.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        on_our_death: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name, self._command, self._folder, self._log = name, list(command), folder, log
        self._environment = dict(environment) if environment is not None else dict(os.environ)
        self._user, self._on_our_death = user, on_our_death
        self._process: subprocess.Popen[bytes] | None = None
        self.serial = 0

    def start(self) -> None:
        account = pwd.getpwnam(self._user) if self._user else None
        self.serial = next(_serials)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own commands
                self._command,
                cwd=self._folder,
                env={**self._environment, "CHAOS_PROCESS": str(self.serial)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=_ends_with_us(self._on_our_death),
            )

    def another(self) -> "Process":
        """The same command, not started yet."""
        return Process(
            self.name,
            self._command,
            folder=self._folder,
            log=self._log,
            environment=self._environment,
            user=self._user,
            on_our_death=self._on_our_death,
        )

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def refuse_loss(self) -> None:
        """Raises DidNotStartError if it ended by itself."""
        if not self.is_running:
            raise DidNotStartError(f"{self.name} ended by itself:\n{self.last_words()}")

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-4000:] if self._log.exists() else ""

    def tell(self, number: signal.Signals) -> None:
        if self.is_running:
            os.kill(self.process_id, number)

    def kill(self) -> None:
        """As by the machine: at once, and whatever it had in hand."""
        if self.is_running:
            os.killpg(self.process_id, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def ended(self, *, within: float = STOPS_WITHIN) -> int | None:
        """Waits for its end and gives its exit code; None if it had to be killed."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = STOPS_WITHIN) -> int | None:
        self.tell(signal.SIGCONT)  # a frozen process hears nothing else
        self.tell(number)
        return self.ended(within=within)


def stop_together(processes: Sequence[Process]) -> None:
    for process in processes:
        process.tell(signal.SIGCONT)
        process.tell(signal.SIGTERM)
    for process in processes:
        process.ended()


def children_of(process_id: int) -> list[int]:
    """The processes that this one started, from /proc (Linux): gunicorn's workers."""
    path = Path(f"/proc/{process_id}/task/{process_id}/children")
    try:
        return [int(child) for child in path.read_text().split()]
    except OSError:
        return []


def _ends_with_us(number: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, number)
