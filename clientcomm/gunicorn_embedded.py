"""gunicorn's configuration for the embedded default: `gunicorn --config python:clientcomm.gunicorn_embedded`.

One process, and it must stay one: its broker lives in its memory.
"""

import os
from importlib import import_module
from typing import Any

from clientcomm.gunicorn_web import (
    access_log_format,
    bind,
    control_socket_disable,
    graceful_timeout,
    logconfig_dict,
    timeout,
    worker_tmp_dir,
)

__all__ = [
    "access_log_format",
    "bind",
    "control_socket_disable",
    "graceful_timeout",
    "logconfig_dict",
    "timeout",
    "worker_tmp_dir",
]

wsgi_app = "clientcomm.asgi:application"
worker_class = "asgi"
workers = 1

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clientcomm.settings")


def post_worker_init(worker: Any) -> None:
    _embedded().start(worker)


def worker_exit(server: Any, worker: Any) -> None:
    _embedded().stop()


def _embedded() -> Any:
    """Imported in the worker process: its models need Django, which gunicorn's parent process never sets up."""
    return import_module("clientcomm.embedded")
