"""The product as its own processes: starts, says where to go, stops cleanly, and leaves no text unclear.

The same tests hold for the embedded default and for the production processes on PostgreSQL and Redis.
"""

import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clientcomm import run
from tests.running import (
    Installation,
    Running,
    answers,
    free_port,
    procfile_command,
    running,
    running_product,
    wait_for,
)

pytestmark = pytest.mark.embedded


def has_open_children(process_id: int) -> bool:
    """Whether anything that this process started is left (its session is not theirs, so ask by environment)."""
    marker = f"RUN_OF_TEST={process_id}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker in entry.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_it_starts_tells_where_to_go_and_stops_without_a_trace(installation: Installation) -> None:
    mark = str(os.getpid())
    with running_product(installation, RUN_OF_TEST=mark) as product:
        assert installation.url in product.output
        assert installation.phones_url in product.output
        assert "demo@clientcomm.test" in product.output
        wait_for(lambda: answers(f"{installation.url}/readyz"), "texts flow")
        begun = time.monotonic()
        assert product.stop(signal.SIGINT) == 0
        assert time.monotonic() - begun < 10
    assert product.output.rstrip().endswith("Stopped.")
    assert "Traceback" not in product.output
    assert not has_open_children(os.getpid())


def test_killed_the_hard_way_it_takes_its_processes_along(installation: Installation) -> None:
    with running_product(installation, RUN_OF_TEST=str(os.getpid())) as product:
        product.stop(signal.SIGKILL)
    wait_for(lambda: not has_open_children(os.getpid()), "its processes are gone")


def test_a_process_that_dies_ends_the_whole_with_a_sentence(installation: Installation) -> None:
    with running_product(installation) as product:
        os.kill(process_of("manage.py\0phones", installation), signal.SIGKILL)
        assert product.ended() == 1
    assert "The phones process ended by itself" in product.output
    assert "Traceback" not in product.output


def process_of(words: str, installation: Installation) -> int:
    marker = f"PHONES_PORT={installation.phones_port}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if words.encode() in (folder / "cmdline").read_bytes() and marker in (folder / "environ").read_bytes():
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError(f"no process {words!r}")


@pytest.mark.parametrize("name", ["PORT", "PHONES_PORT"])
def test_a_port_in_use_is_named_with_a_way_out(installation: Installation, name: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        with running([sys.executable, "-m", "clientcomm.run"], installation.environment(**{name: port})) as product:
            assert product.ended() == 1
    assert f"Port {port} is already in use" in product.output
    assert f"make run {name}=" in product.output
    assert "Traceback" not in product.output


def test_a_port_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("PHONES_PORT", str(free_port()))
    with pytest.raises(run.CannotRunError, match="PORT must be a number"):
        run.refuse_taken_ports()


def test_only_half_of_the_servers_is_refused_in_words(installation: Installation) -> None:
    settings = {"DATABASE_URL": "", "REDIS_URL": "redis://127.0.0.1:1/0"}
    with running([sys.executable, "-m", "clientcomm.run"], installation.environment(**settings)) as product:
        assert product.ended() == 1
    assert "REDIS_URL is set and DATABASE_URL is not." in product.output
    assert "could not be prepared" in product.output


def test_demo_data_and_the_real_carrier_are_refused(installation: Installation) -> None:
    installation.python("-m", "clientcomm.prepare", DEBUG="1", TWILIO_API_URL=installation.phones_url)
    elsewhere = installation.environment(DEBUG="1", TWILIO_API_URL="https://192.0.2.1")
    with running([sys.executable, "-m", "clientcomm.run"], elsewhere) as product:
        assert product.ended() == 1
    assert "The database holds demo data" in product.output
    with ExitStack() as stack:
        workers = [stack.enter_context(running(command, elsewhere)) for command in worker_commands(installation)[:1]]
        assert workers[0].ended() != 0
    assert "The database holds demo data" in workers[0].output


class SlowCarrier(ThreadingHTTPServer):
    """Takes every text, and takes its time about it."""

    daemon_threads = True

    def __init__(self, seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _SlowAnswer)
        self.seconds = seconds
        self.asked = 0
        self.answered = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _SlowAnswer(BaseHTTPRequestHandler):
    server: SlowCarrier

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        carrier_id = f"SM{self.server.asked:032x}"
        time.sleep(self.server.seconds)
        body = json.dumps({"sid": carrier_id, "status": "queued", "error_code": None}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.answered += 1

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow_carrier() -> Iterator[SlowCarrier]:
    with SlowCarrier(seconds=2.0) as carrier:
        threading.Thread(target=carrier.serve_forever, daemon=True).start()
        yield carrier
        carrier.shutdown()


def worker_commands(installation: Installation) -> list[list[str]]:
    """The processes that hand texts over: the worker and beat, or the one that holds everything."""
    if installation.database_url:
        return [procfile_command("worker"), procfile_command("beat")]
    return [[sys.executable, "-m", "gunicorn", "--config", "python:clientcomm.gunicorn_embedded"]]


@contextmanager
def working(installation: Installation, **settings: str) -> Iterator[list[Running]]:
    with ExitStack() as stack:
        environment = installation.environment(**settings)
        yield [stack.enter_context(running(command, environment)) for command in worker_commands(installation)]


MAKE_TEXTS = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable")
from tests.builders import make_client, make_department, make_outgoing, make_user
alice = make_user(make_department(), email="alice@example.org")
for number in range(40):
    make_outgoing(make_client(alice), f"text {number}")
"""
MAKE_ONE_MORE = """
from clients.models import CaseAssignment
from tests.builders import make_outgoing
make_outgoing(CaseAssignment.objects.order_by("pk").first())
"""
COUNT_STATES = """
import json, collections
from messaging.models import Message
print(json.dumps(collections.Counter(Message.objects.values_list("state", flat=True))))
"""


def test_told_to_stop_it_finishes_the_text_in_hand_and_takes_no_other(
    installation: Installation, slow_carrier: SlowCarrier
) -> None:
    settings = {"DEBUG": "1", "TWILIO_API_URL": slow_carrier.url, "WORKER_THREADS": "3"}
    installation.in_django(MAKE_TEXTS, **settings)
    with working(installation, **settings) as processes:
        wait_for(lambda: slow_carrier.asked >= 2, "texts are on their way")
        begun = time.monotonic()
        for process in processes:
            os.kill(process.process_id, signal.SIGTERM)
        codes = [process.ended() for process in processes]
        assert time.monotonic() - begun < 10
    assert codes == [0] * len(processes), processes[0].output
    assert slow_carrier.answered == slow_carrier.asked < 40
    states = json.loads(installation.in_django(COUNT_STATES, **settings))
    assert states == {"accepted": slow_carrier.answered, "waiting": 40 - slow_carrier.answered}
    assert not any("Traceback" in process.output for process in processes)


def test_what_is_due_leaves_within_a_second_or_two_of_the_start(installation: Installation) -> None:
    with SlowCarrier(seconds=0.0) as carrier:
        threading.Thread(target=carrier.serve_forever, daemon=True).start()
        settings = {"DEBUG": "1", "TWILIO_API_URL": carrier.url}
        installation.in_django(MAKE_TEXTS, **settings)
        with working(installation, **settings):
            wait_for(lambda: carrier.answered == 40, "all texts left")
        carrier.shutdown()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server to stop and start")
def test_after_a_restart_of_redis_texts_leave_again_within_seconds(installation: Installation, tmp_path: Path) -> None:
    if not installation.database_url:
        pytest.skip("the embedded default has no Redis")
    port = free_port()
    redis = [str(shutil.which("redis-server")), "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with SlowCarrier(seconds=0.0) as carrier, ExitStack() as stack:
        threading.Thread(target=carrier.serve_forever, daemon=True).start()
        settings = {"DEBUG": "1", "TWILIO_API_URL": carrier.url, "REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        with running(redis, dict(os.environ)) as first:
            first.wait_until_written("Ready to accept connections")
            installation.in_django(MAKE_TEXTS, **settings)
            stack.enter_context(working(installation, **settings))
            wait_for(lambda: carrier.answered == 40, "the first texts left")
        time.sleep(4)  # long enough for kombu's own waits to have grown
        installation.in_django(MAKE_ONE_MORE, **settings)
        with running(redis, dict(os.environ)) as second:
            second.wait_until_written("Ready to accept connections")
            wait_for(lambda: carrier.answered == 41, "the text left", within=8)
        carrier.shutdown()


def test_the_release_lines_prepare_an_empty_database(installation: Installation, tmp_path: Path) -> None:
    """The Procfile's release command, in an environment like production's."""
    if not installation.database_url:
        pytest.skip("a release needs PostgreSQL")
    settings = {
        "SECRET_KEY": "x1y2z3" * 12,
        "PUBLIC_URL": "https://texts.example.org",
        "ALLOWED_HOSTS": "texts.example.org",
        "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
        "TWILIO_AUTH_TOKEN": "0123456789abcdef" * 2,
        "EMAIL_URL": "smtp+tls://user:password@mail.example.org:587",
        "SUPPORT_EMAIL": "help@example.org",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    environment = installation.environment(**settings)
    release = ["/bin/sh", "-c", procfile_command("release")[2].removeprefix(f"exec {Path(sys.executable).parent}/")]
    with running(release, environment) as released:
        assert released.ended(within=120) == 0, released.output
    assert (tmp_path / "static" / "staticfiles.json").exists()
    with running(procfile_command("web"), environment) as web:
        web.wait_until(lambda: answers(f"{installation.url}/healthz"), "the pages answer")
        request = urllib.request.Request(  # noqa: S310 an address on this machine
            f"{installation.url}/accounts/login/",
            headers={"Host": "texts.example.org", "X-Forwarded-Proto": "https"},
        )
        with urllib.request.urlopen(request, timeout=10) as page:  # noqa: S310
            assert b'name="login"' in page.read()
        assert web.stop() == 0
    assert json.loads(next(line for line in web.output.splitlines() if "/accounts/login/" in line))["level"] == "info"
