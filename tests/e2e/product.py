"""The running product of a journey: its processes, the phones beside it, and what its database holds."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from telephony.simulator.control import PocketPhones
from tests import servers
from tests.running import Installation, Running, on_server, running_product, wait_for

SALT_LAKE = "+18015550100"
PASSWORD = "clientcomm-demo"
DEMO, SUPERVISOR, OTHER = "demo@clientcomm.test", "supervisor@clientcomm.test", "other@clientcomm.test"


@dataclass
class Product:
    """Started as `make run` does it, with the demo data."""

    installation: Installation
    process: Running
    phones: PocketPhones

    @property
    def url(self) -> str:
        return self.installation.url

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Asks the product's database, past the product."""
        return rows(self.installation, query)

    def client_id(self, last_name: str) -> int:
        ((client_id,),) = self.rows(f"SELECT id FROM clients_client WHERE last_name = '{last_name}'")  # noqa: S608
        return int(client_id)

    def number(self, last_name: str) -> str:
        query = f"SELECT address FROM clients_phonenumber WHERE client_id = {self.client_id(last_name)}"  # noqa: S608
        ((number,),) = self.rows(query)
        return str(number)

    def state_of(self, body: str) -> str:
        """The state of the one text with these words."""
        ((state,),) = self.rows(f"SELECT state FROM messaging_message WHERE body = '{body}'")  # noqa: S608
        return str(state)

    def is_read(self, body: str) -> bool:
        ((read_at,),) = self.rows(f"SELECT read_at FROM messaging_message WHERE body = '{body}'")  # noqa: S608
        return read_at is not None

    def wait_for_state(self, body: str, *states: str) -> None:
        query = f"SELECT state FROM messaging_message WHERE body = '{body}'"  # noqa: S608
        wait_for(
            lambda: any(state in states for (state,) in self.rows(query)),
            f"“{body}” in the state {' or '.join(states)}",
        )


def rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    with closing(_connect(installation)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _connect(installation: Installation) -> Any:
    if installation.database_url:
        return psycopg2.connect(installation.database_url, connect_timeout=5)
    return sqlite3.connect(f"file:{installation.folder}/clientcomm.sqlite3?mode=ro", uri=True, timeout=10)


@contextmanager
def started(installation: Installation) -> Iterator[Product]:
    """The product from its first answer on; the phones are quick, so that nobody waits for them."""
    with running_product(installation) as process:
        phones = PocketPhones(installation.phones_url)
        phones.timing(sent=0.05, delivered=0.1)
        yield Product(installation, process, phones)


@contextmanager
def embedded_installation() -> Iterator[Installation]:
    with _folder() as folder:
        yield Installation(folder)


@contextmanager
def servers_installation() -> Iterator[Installation]:
    """A database of its own on this run's PostgreSQL, and one of Redis's sixteen that the run's tests don't use."""
    url, redis_url = os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    name = f"test_clientcomm_{servers.run_id()}_journeys_{worker}"
    on_server(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    try:
        with _folder() as folder:
            yield Installation(
                folder,
                database_url=urlunsplit(urlsplit(url)._replace(path=f"/{name}")),
                redis_url=_another_database(redis_url, int(worker.removeprefix("gw"))),
            )
    finally:
        on_server(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def usual_kind() -> str:
    """How `make run` would start it here: "servers" (the production processes) or "embedded"."""
    return "servers" if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL") else "embedded"


def _another_database(redis_url: str, worker: int) -> str:
    """Two products on one queue would hear each other's bells."""
    parts = urlsplit(redis_url)
    number = int(parts.path.strip("/") or "0")
    return urlunsplit(parts._replace(path=f"/{(number + 1 + worker) % 16}"))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="clientcomm-journey-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
