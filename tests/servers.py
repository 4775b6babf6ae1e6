"""Which servers a test run uses: PostgreSQL and Redis where they run, else what the embedded default runs on.

Found once, by the process that starts the run; the parallel workers inherit the answer through the environment.
Databases are named by the run's process id, so that several people's runs on one machine never meet.
"""

import os
import re
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

PROBE_SECONDS = 0.3
POSTGRESQL_HERE = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_HERE = "redis://127.0.0.1:6379/"
RUN = "CLIENTCOMM_TEST_RUN"
FOUND = "CLIENTCOMM_TEST_FOUND"
EMBEDDED = "CLIENTCOMM_TEST_EMBEDDED"

# Everything settings.py reads: a developer's own environment must not change what a test sees.
FIXED = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PUBLIC_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "TWILIO_AUTH_TOKEN": "token-of-the-tests",
    "TWILIO_API_URL": "http://127.0.0.1:9",
    "SUPPORT_EMAIL": "support@clientcomm.test",
}
UNSET = ("DEBUG", "DEFAULT_FROM_EMAIL", "EMAIL_URL", "LIVE_URL", "MEDIA_ROOT", "SENTRY_DSN", "CONN_MAX_AGE")


def prepare_environment() -> None:
    """Sets what clientcomm.settings reads. Call it before that module is imported."""
    for name in UNSET:
        os.environ.pop(name, None)
    os.environ.update(FIXED)
    if RUN not in os.environ:
        os.environ[RUN] = str(os.getpid())
        _find_servers()
    os.environ["DATA_DIR"] = str(scratch_dir())


def run_id() -> str:
    """The process id of the run: part of every name that could collide with another run's."""
    return os.environ[RUN]


def scratch_dir() -> Path:
    """Where this run's files go (databases, media). Removed when the run ends."""
    return Path(tempfile.gettempdir()) / f"clientcomm-test-{run_id()}"


def found() -> str:
    """The sentence for the head of a run."""
    return os.environ[FOUND]


def _find_servers() -> None:
    database_url, redis_url = os.environ.pop("DATABASE_URL", ""), os.environ.pop("REDIS_URL", "")
    if os.environ.get(EMBEDDED, "") not in ("", "0"):
        os.environ[FOUND] = "SQLite (embedded default, as asked)"
        return
    postgresql = _postgresql_version(database_url or POSTGRESQL_HERE)
    redis = _answers(redis_url or REDIS_HERE, 6379)
    if postgresql:
        os.environ["DATABASE_URL"] = database_url or POSTGRESQL_HERE
    if redis:
        # A database of its own, as far as sixteen go round; names carry the run's id as well.
        os.environ["REDIS_URL"] = redis_url or f"{REDIS_HERE}{1 + os.getpid() % 15}"
    os.environ[FOUND] = ", ".join(
        (
            f"PostgreSQL {postgresql} at {_place(os.environ['DATABASE_URL'])}"
            if postgresql
            else "SQLite (embedded default)",
            f"Redis at {_place(os.environ['REDIS_URL'])}" if redis else "no Redis",
        )
    )


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


def _answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    try:
        with closing(
            socket.create_connection((parts.hostname or "127.0.0.1", parts.port or default_port), PROBE_SECONDS)
        ):
            return True
    except OSError:
        return False


def _postgresql_version(url: str) -> str:
    """The server's version, or "" when there is none or it lets us not in."""
    if not _answers(url, 5432):
        return ""
    try:
        with closing(psycopg2.connect(url, connect_timeout=2)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            row = cursor.fetchone()
    except psycopg2.OperationalError:
        return ""
    return str(row[0]).split()[0] if row else ""


def drop_leftovers() -> None:
    """Drops the databases of runs on this machine whose process is gone (killed before it could tidy up)."""
    url = os.environ.get("DATABASE_URL", "")
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        return
    with closing(psycopg2.connect(url, connect_timeout=2)) as connection, connection.cursor() as cursor:
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_clientcomm\_%'")
        for name in of_dead_runs(row[0] for row in cursor.fetchall()):
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def of_dead_runs(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        match = re.fullmatch(r"test_clientcomm_(\d+)(_[a-z0-9_]+)?", name)
        if match and not Path(f"/proc/{match[1]}").exists() and Path("/proc/self").exists():
            yield name
