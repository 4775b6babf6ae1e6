"""What `make run` does: prepares the database, starts the processes and the pocket phones, says where to go, stops all.

Not for production: there each process is started by its own line in the Procfile. With DATABASE_URL and REDIS_URL set
this starts those same lines; with neither, one process that holds everything (clientcomm/embedded.py).
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
ANSWERS_WITHIN = 60.0
PRODUCT_STOPS_WITHIN = 35.0  # a call to the carrier may take 20 seconds, and gunicorn allows its workers 30
PHONES_STOP_WITHIN = 5.0
PR_SET_PDEATHSIG = 1


class CannotRunError(Exception):
    """Said to the person at the terminal as it is."""


def main() -> int:
    set_defaults()
    stop = threading.Event()
    processes = Processes(stop)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, processes.on_signal)
    try:
        refuse_taken_ports()
        prepare_database()
        processes.start_all(commands())
        announce(processes)
        processes.wait()
    except CannotRunError as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1
    finally:
        processes.stop_all()
    return processes.exit_code


# --- What runs, and with which settings ------------------------------------------------------------------------------


def set_defaults() -> None:
    """Gives a developer's machine what it needs and leaves alone what was given."""
    os.environ.setdefault("DEBUG", "1")
    os.environ.setdefault("PORT", "8000")
    os.environ.setdefault("PHONES_PORT", "8001")
    os.environ.setdefault("PUBLIC_URL", product_url())
    os.environ.setdefault("TWILIO_API_URL", phones_url())
    os.environ["DJANGO_SETTINGS_MODULE"] = "clientcomm.settings"
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def product_url() -> str:
    return f"http://127.0.0.1:{os.environ['PORT']}"


def phones_url() -> str:
    return f"http://127.0.0.1:{os.environ['PHONES_PORT']}"


def is_embedded() -> bool:
    return not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL")


def commands() -> dict[str, str]:
    """Name to shell command: the product's processes first, the phones last."""
    own = {"product": "gunicorn --config python:clientcomm.gunicorn_embedded"} if is_embedded() else production()
    return {**own, "phones": "python manage.py phones"}


def production() -> dict[str, str]:
    """The lines of the Procfile, but for the one that a deployment runs once."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    found = dict(match.groups() for line in lines if (match := re.fullmatch(r"([a-z]+):\s*(.+)", line)))
    return {name: str(command) for name, command in found.items() if name != "release"}


def refuse_taken_ports() -> None:
    for name, what in (("PORT", "ClientComm"), ("PHONES_PORT", "the pocket phones")):
        value = os.environ[name]
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise CannotRunError(f"{name} must be a number from 1 to 65535, not “{value}”.")
        if is_taken(int(value)):
            raise CannotRunError(
                f"Port {value} is already in use, perhaps by another `make run`. Stop that one, or choose another port "
                f"for {what}: make run {name}={int(value) + 10}"
            )


def is_taken(port: int) -> bool:
    with closing(socket.socket()) as attempt:
        # As servers do: a port whose last connections are still fading away is free.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def prepare_database() -> None:
    """In a process of its own, so that this one holds no database connection and forks without threads."""
    print("Preparing the database ...", flush=True)
    done = subprocess.run([sys.executable, "-m", "clientcomm.prepare"], cwd=ROOT, start_new_session=True)
    if done.returncode:
        raise CannotRunError("The database could not be prepared; the lines above say why.")


def announce(processes: "Processes") -> None:
    """Says where to go once both pages answer."""
    wait_until_answering(processes, f"{product_url()}/healthz")
    wait_until_answering(processes, phones_url())
    if processes.stopping.is_set():
        return
    servers = "one process, SQLite in var/" if is_embedded() else "the production processes on your servers"
    print(
        f"""
  ClientComm runs ({servers}).

    Case managers    {os.environ["PUBLIC_URL"]}
    Pocket phones    {phones_url()}    (text as a client, see what arrives)

    Sign in as       demo@clientcomm.test         a case manager with a desk phone
                     colleague@clientcomm.test    a case manager without
                     supervisor@clientcomm.test   their supervisor
                     other@clientcomm.test        another department
                     admin@clientcomm.test        the operator
    Password         clientcomm-demo

  Ctrl+C stops everything.
""",
        flush=True,
    )


def wait_until_answering(processes: "Processes", url: str) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN
    while not processes.stopping.is_set():
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 our own address
                return
        except OSError:
            if time.monotonic() > deadline:
                raise CannotRunError(f"{url} did not answer within {ANSWERS_WITHIN:.0f} seconds.") from None
            time.sleep(0.05)


# --- The processes ---------------------------------------------------------------------------------------------------


class Processes:
    """Started together, stopped in order: the phones last, so that a text on its way still finds its carrier."""

    def __init__(self, stopping: threading.Event) -> None:
        self.stopping = stopping
        self.exit_code = 0
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._signals = 0

    def on_signal(self, number: int, _frame: object) -> None:
        """The first asks to stop; the third no longer waits for a text on its way."""
        self._signals += 1
        self.stopping.set()
        if self._signals > 2:
            for process in self._running.values():
                process.kill()

    def start_all(self, named: dict[str, str]) -> None:
        width = max(map(len, named))
        for name, command in named.items():
            # A session each: Ctrl+C reaches only us, and we ask them in our order.
            process = subprocess.Popen(  # noqa: S603 the commands are ours and the Procfile's
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
            self._running[name] = process
        for name, process in self._running.items():
            reader = threading.Thread(target=show_lines, args=(name.ljust(width), process.stdout), daemon=True)
            reader.start()
            self._readers.append(reader)

    def wait(self) -> None:
        """Until asked to stop, or until one ends by itself."""
        while not self.stopping.wait(0.2):
            for name, process in self._running.items():
                if process.poll() is not None:
                    self.exit_code = 1
                    raise CannotRunError(
                        f"The {name} process ended by itself; the lines above say why. All is stopped."
                    )

    def stop_all(self) -> None:
        if not self._running:
            return
        self.stopping.set()
        print("Stopping ...", flush=True)
        product = [process for name, process in self._running.items() if name != "phones"]
        stop_together(product, PRODUCT_STOPS_WITHIN)
        stop_together([process for process in self._running.values() if process not in product], PHONES_STOP_WITHIN)
        for reader in self._readers:
            reader.join(1)
        print("Stopped.", flush=True)


def stop_together(processes: list[subprocess.Popen[str]], within: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + within
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def show_lines(name: str, output: IO[str] | None) -> None:
    for line in output or ():
        print(f"{name} | {line}", end="", flush=True)


def die_with_parent() -> Callable[[], None] | None:
    """On Linux: a child is told to stop when this process is killed the hard way. Elsewhere it would be left behind."""
    if not sys.platform.startswith("linux") or shutil.which("sh") is None:
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
