"""Ports for servers that are stopped and come back at the same place."""

import random
import socket
from contextlib import closing

# Below the ports that Linux gives to outgoing connections (from 32768 on): one of those could take a server's port
# while it is down, or even connect to itself there.
_CHOICE = range(20_000, 32_000)
_TRIES = 200


def free_port() -> int:
    for _ in range(_TRIES):
        port = random.choice(_CHOICE)  # noqa: S311  # spreads runs, guards nothing
        if _is_free(port):
            return port
    raise OSError("no free port between 20000 and 32000")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
