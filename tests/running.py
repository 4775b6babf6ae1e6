"""Starts the product's own processes for a test, with data of their own, and finds out what became of it.

A test that drives the running product asks for the fixture `installation` (top conftest.py): a fresh database, free
ports, and the environment that `make run` would be given. It runs on PostgreSQL and Redis where the run does.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60.0


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str, *, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {within:.0f} seconds"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 an address on this machine
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass
class Installation:
    """An environment with a database, ports and files of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    phones_port: int = field(default_factory=free_port)
    database_url: str = ""
    redis_url: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def phones_url(self) -> str:
        return f"http://127.0.0.1:{self.phones_port}"

    def environment(self, **settings: str) -> dict[str, str]:
        """What the processes are started with: nothing of the tests' own settings."""
        kept = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
        own = {
            "DJANGO_SETTINGS_MODULE": "clientcomm.settings",
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "PHONES_PORT": str(self.phones_port),
            "PYTHONUNBUFFERED": "1",
        }
        servers_used = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return kept | own | {name: value for name, value in servers_used.items() if value} | settings

    def python(self, *arguments: str, **settings: str) -> str:
        """Runs a Python program of ours to its end and gives what it printed."""
        done = subprocess.run(  # noqa: S603 our own programs
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def in_django(self, program: str, **settings: str) -> str:
        """Runs lines of Python with Django set up on this installation's database."""
        return self.python("-c", f"import django; django.setup()\n{program}", **settings)


_SETTINGS = {*servers.FIXED, *servers.UNSET, "DATABASE_URL", "REDIS_URL", "DATA_DIR", "DJANGO_SETTINGS_MODULE", "PORT"}


@contextmanager
def fresh_installation(folder: Path) -> Iterator[Installation]:
    """On the servers of this run: both, or neither (one alone is no way to run the product)."""
    url, redis_url = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if not (url and redis_url):
        yield Installation(folder)
        return
    name = f"test_clientcomm_{servers.run_id()}_product_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
    on_server(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    try:
        own_url = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        yield Installation(folder, database_url=own_url, redis_url=redis_url)
    finally:
        on_server(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def on_server(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url, connect_timeout=5)) as connection, connection.cursor() as cursor:
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        for statement in statements:
            cursor.execute(statement)


class Running:
    """A process started for a test: what it wrote so far, and its end."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 our own programs
            arguments,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            self._lines.extend(output)

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def process_id(self) -> int:
        return self._process.pid

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        def met_or_over() -> bool:
            assert self._process.poll() is None, f"it ended by itself:\n{self.output}"
            return condition()

        wait_for(met_or_over, what, within=STARTS_WITHIN)

    def wait_until_written(self, text: str) -> None:
        self.wait_until(lambda: text in self.output, f"the line “{text}”")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 40.0) -> int:
        """Asks it to end and gives its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.ended(within=within)

    def ended(self, *, within: float = 40.0) -> int:
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise AssertionError(f"it did not end within {within:.0f} seconds:\n{self.output}") from None
        self._reader.join(5)
        return code


@contextmanager
def running(arguments: list[str], environment: dict[str, str]) -> Iterator[Running]:
    """A process that surely is gone afterwards."""
    process = Running(arguments, environment)
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def running_product(installation: Installation, **settings: str) -> Iterator[Running]:
    """All of it, as `make run` starts it, from its first answer on."""
    arguments = [sys.executable, "-m", "clientcomm.run"]
    with running(arguments, installation.environment(**settings)) as product:
        product.wait_until_written("Ctrl+C stops everything.")
        yield product


def procfile_command(name: str) -> list[str]:
    """A line of the Procfile, for a process without the others."""
    found = re.search(rf"^{name}: (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert found is not None
    return ["/bin/sh", "-c", f"exec {Path(sys.executable).parent}/{found[1]}"]
