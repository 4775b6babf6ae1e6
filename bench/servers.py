"""A database, a Redis database and a folder that belong to this run alone, and are gone when it ends."""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from redis import Redis, RedisError

from tests.running import free_port
from tests.servers import POSTGRESQL_HERE, REDIS_HERE, UNSET

HOST = "bench.example.org"
OWNER_KEY = "clientcomm-bench"
OWNED_FOR = 6 * 3600  # seconds, should a run be killed before it could tidy up
SMALLEST_REDIS = 16  # databases of a Redis that nobody configured


class NoServerError(Exception):
    """Said to the person at the terminal as it is."""


@contextmanager
def prepared_environment() -> Iterator[None]:
    """Sets what clientcomm.settings and the processes read: as in production, behind a proxy that speaks https.

    Raises NoServerError.
    """
    with _own_database() as database_url, _own_redis() as redis_url, _own_folder() as folder:
        for name in (*UNSET, "HOST"):
            os.environ.pop(name, None)
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": "clientcomm.settings",
                "SECRET_KEY": secrets.token_urlsafe(50),
                "PUBLIC_URL": f"https://{HOST}",
                "ALLOWED_HOSTS": HOST,
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "DATA_DIR": str(folder),
                "PORT": str(free_port()),
                "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
                "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
                "TWILIO_API_URL": "http://127.0.0.1:9",  # nobody: what is measured sends no text
                "SUPPORT_EMAIL": f"support@{HOST}",
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            }
        )
        yield


def is_on_this_machine(url: str) -> bool:
    """Whether the server's processes can be looked at in /proc."""
    return urlsplit(url).hostname in (None, "", "127.0.0.1", "localhost", "::1")


@contextmanager
def _own_database() -> Iterator[str]:
    url = os.environ.get("DATABASE_URL") or POSTGRESQL_HERE
    name = f"clientcomm_bench_{os.getpid()}"
    try:
        with closing(psycopg2.connect(url, connect_timeout=2)) as connection:
            connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
            with connection.cursor() as cursor:
                _drop_leftovers(cursor, url)
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg2.Error as error:
        reason = str(error).splitlines()[0]
        raise NoServerError(f"PostgreSQL is needed; DATABASE_URL says which. It answered: {reason}") from error
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
            connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
            with connection.cursor() as cursor:
                _drop(cursor, name)


def _drop(cursor: psycopg2.extensions.cursor, name: str) -> None:
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_leftovers(cursor: psycopg2.extensions.cursor, url: str) -> None:
    """Drops the databases of runs on this machine that were killed before they could tidy up."""
    if not is_on_this_machine(url):
        return
    cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'clientcomm\_bench\_%'")
    for (name,) in cursor.fetchall():
        match = re.fullmatch(r"clientcomm_bench_(\d+)", name)
        if match and not Path(f"/proc/{match[1]}").exists():
            _drop(cursor, name)


@contextmanager
def _own_redis() -> Iterator[str]:
    """The last of Redis's databases that nobody uses: developers and tests begin with the first."""
    url = os.environ.get("REDIS_URL") or REDIS_HERE
    for number in reversed(range(1, SMALLEST_REDIS)):
        own_url = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
        try:
            with closing(Redis.from_url(own_url, socket_connect_timeout=2)) as redis:
                if not _is_free(redis, number) or not redis.set(OWNER_KEY, os.getpid(), nx=True, ex=OWNED_FOR):
                    continue
                try:
                    yield own_url
                finally:
                    redis.flushdb()
                return
        except RedisError as error:
            raise NoServerError(f"Redis is needed; REDIS_URL says which. It answered: {error}") from error
    raise NoServerError("Each of Redis's databases is in use. Set REDIS_URL to another Redis.")


def _is_free(redis: Redis, number: int) -> bool:
    """Whether it is empty, or holds only the queue that a run of this product left behind and nobody looks at now."""
    connected = sum(client["db"] == str(number) for client in redis.client_list())
    return connected == 1 and all(key == b"bells" or key.startswith(b"_kombu.binding") for key in redis.scan_iter())


@contextmanager
def _own_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="clientcomm-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
