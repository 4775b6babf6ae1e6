"""Where a run happens: a folder, a PostgreSQL, a Redis, an environment, all its own and all gone when it ends."""

import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from chaos.ports import free_port
from chaos.postgresql import Cluster
from chaos.redis_server import RedisServer
from tests.servers import UNSET

_PREFIX = "clientcomm-chaos-"


@dataclass(frozen=True)
class Ground:
    """The servers that run, and the ports for what will run on them. keep: set if the logs are to stay behind."""

    folder: Path
    database: Cluster
    redis: RedisServer
    port: int
    phones_port: int
    account_sid: str
    token: str
    keep: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def phones_url(self) -> str:
        return f"http://127.0.0.1:{self.phones_port}"

    @property
    def calls(self) -> Path:
        """Where the workers note their calls to the carrier (chaos.backends)."""
        return self.folder / "calls"


@contextmanager
def prepared() -> Iterator[Ground]:
    """Starts the servers and sets what clientcomm.settings and the processes read."""
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)  # PostgreSQL's user must be able to reach its own folder inside
    database, redis = Cluster(folder), RedisServer(folder)
    ground = Ground(
        folder, database, redis, free_port(), free_port(), f"AC{secrets.token_hex(16)}", secrets.token_hex(16)
    )
    try:
        redis.start()
        database.create()
        ground.calls.mkdir()
        _set_environment(ground)
        yield ground
    finally:
        database.stop()
        redis.stop()
        shutil.rmtree(folder / "postgresql" if ground.keep.is_set() else folder, ignore_errors=True)


def _set_environment(ground: Ground) -> None:
    """As in production but for https, which would need a proxy in front."""
    for name in (*UNSET, "HOST", "WEB_CONCURRENCY", "WORKER_THREADS"):
        os.environ.pop(name, None)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "clientcomm.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "PUBLIC_URL": ground.url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": ground.database.url,
            "REDIS_URL": ground.redis.url,
            "DATA_DIR": str(ground.folder),
            "PORT": str(ground.port),
            "PHONES_PORT": str(ground.phones_port),
            "TWILIO_ACCOUNT_SID": ground.account_sid,
            "TWILIO_AUTH_TOKEN": ground.token,
            "TWILIO_API_URL": ground.phones_url,
            "SUPPORT_EMAIL": "support@chaos.example.org",
            "CHAOS_CALLS": str(ground.calls),
            "PYTHONUNBUFFERED": "1",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }
    )


def _remove_leftovers() -> None:
    """Folders of runs that were killed before they could tidy up; their servers ended with them."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        match = re.fullmatch(rf"{_PREFIX}(\d+)-.*", path.name)
        if match and Path("/proc/self").exists() and not Path(f"/proc/{match[1]}").exists():
            shutil.rmtree(path, ignore_errors=True)
