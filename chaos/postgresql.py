"""A PostgreSQL cluster of this run's own, as Debian and initdb configure it, so that it may be stopped the hard way."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import closing
from enum import Enum
from pathlib import Path

import psycopg2

from chaos.ports import free_port
from chaos.processes import Process

STARTS_WITHIN = 60.0
OS_USER = "postgres"  # PostgreSQL refuses to run as root
DATABASE = "clientcomm"


class NotInstalledError(Exception):
    """Said to the person at the terminal as it is."""


class Manner(Enum):
    """How the server is stopped, in pg_ctl's words. Immediate is a crash: the next start recovers from its log."""

    FAST = signal.SIGINT
    IMMEDIATE = signal.SIGQUIT


def programs() -> Path:
    """Where initdb and postgres are: of several versions the newest. Raises NotInstalledError."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise NotInstalledError("PostgreSQL's server programs are needed (apt-get install postgresql).")


class Cluster:
    """Made in a folder that its operating-system user can reach. The postmaster is our own child, so it ends with us;

    `pg_ctl restart -m …` would start one that doesn't. The signals are the same.
    """

    def __init__(self, folder: Path) -> None:
        self._programs, self._data, self.port = programs(), folder / "postgresql", free_port()
        self._user = OS_USER if os.geteuid() == 0 else None
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._server = Process(
            "postgresql",
            command,
            folder=folder,
            log=folder / "postgresql.log",
            environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            user=self._user,
            on_our_death=signal.SIGQUIT,
        )

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{DATABASE}"

    def create(self) -> None:
        """Makes the cluster, starts it, and makes an empty database in it."""
        self._data.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self._data, self._user, self._user)
        initdb = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(  # noqa: S603 our own command
            [*initdb, "--locale=C.UTF-8", "--no-sync"],
            cwd=self._data,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.start()
        with closing(psycopg2.connect(self._url_of("postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {DATABASE}")

    def start(self) -> None:
        self._server.start()
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                psycopg2.connect(self._url_of("postgres"), connect_timeout=2).close()
                return
            except psycopg2.OperationalError:
                self._server.refuse_loss()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def restart(self, manner: Manner) -> float:
        """Stops and starts it; gives the seconds during which nobody was let in."""
        begun = time.monotonic()
        self._server.stop(manner.value)
        self.start()
        return time.monotonic() - begun

    def stop(self) -> None:
        self._server.stop(Manner.IMMEDIATE.value, within=10)

    def _url_of(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"
