"""A Redis of this run's own, that can be emptied, frozen, stopped and brought back."""

import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

from redis import Redis, RedisError

from chaos.ports import free_port
from chaos.postgresql import NotInstalledError
from chaos.processes import Process

STARTS_WITHIN = 20.0


class RedisServer:
    """Keeps nothing on the disk, as docs/operations.md allows it."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise NotInstalledError("redis-server is needed (apt-get install redis-server).")
        self.port = free_port()
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command = [program, *place, "--save", "", "--appendonly", "no"]
        self._server = Process("redis", command, folder=folder, log=folder / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._server.start()
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            self._server.refuse_loss()
            if time.monotonic() > deadline:
                raise TimeoutError("redis-server does not answer")
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.stop(within=10)

    def flush(self) -> None:
        with closing(Redis.from_url(self.url)) as redis:
            redis.flushall()

    def freeze(self) -> None:
        """It keeps its connections, and answers nobody."""
        self._server.tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._server.tell(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with closing(Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1)) as redis:
                return bool(redis.ping())
        except RedisError:
            return False
