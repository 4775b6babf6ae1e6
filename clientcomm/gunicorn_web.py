"""gunicorn's configuration for the production web process: `gunicorn --config python:clientcomm.gunicorn_web`."""

import os
from pathlib import Path

import environ

from clientcomm import logs

wsgi_app = "clientcomm.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
# Two threads each: more wait for each other's interpreter lock. Pages a second on two cores: 2 x 2 660, 2 x 4 380.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 2
graceful_timeout = 30
timeout = 60
# On a disk that is really memory, where there is one: a worker's heartbeat must not wait for a busy disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 only a file without a name goes there
control_socket_disable = True
access_log_format = logs.ACCESS_FORMAT
logconfig_dict = logs.configuration(debug=environ.Env().bool("DEBUG", default=False))
