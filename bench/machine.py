"""On what it was measured: figures mean nothing without."""

import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from bench import usage


@dataclass(frozen=True)
class Machine:
    """load: processes that wanted to run during the last minute before. versions: by name, for people."""

    host: str
    day: str
    cores: int
    cpu: str
    memory_gigabytes: float
    load: float
    versions: dict[str, str]


def describe() -> Machine:
    return Machine(
        host=platform.node(),
        day=f"{timezone.now():%Y-%m-%d}",
        cores=usage.cores(),
        cpu=_found(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine(),
        memory_gigabytes=int(_found(r"MemTotal:\s*(\d+)", "/proc/meminfo")) * 1024 / 1e9,
        load=os.getloadavg()[0],
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in ("Django", "gunicorn", "psycopg2-binary", "celery")},
            "PostgreSQL": _postgresql_version(),
            "Redis": _redis_version(),
        },
    )


def _found(pattern: str, path: str) -> str:
    match = re.search(pattern, Path(path).read_text())
    return match[1] if match else ""


def _postgresql_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).split()[0]


def _redis_version() -> str:
    with Redis.from_url(settings.REDIS_URL) as redis:
        return str(redis.info("server")["redis_version"])
