"""The phones as a process of their own: the line they print, and how they stop."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import ACCOUNT_SID
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
from pathlib import Path
from telephony.simulator.app import run
from telephony.simulator.config import PhonesConfig

assert "django" not in sys.modules, "the phones don't need Django"
run(PhonesConfig(
    account_sid=sys.argv[1], auth_tokens=["token"], product_url="http://127.0.0.1:9", state=Path(sys.argv[2]),
    find_numbers=lambda: [sys.argv[3]], port=int(sys.argv[4]),
))
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", PocketPhones]]:
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
    command = [sys.executable, "-c", SCRIPT, ACCOUNT_SID, str(tmp_path / "state.sqlite3"), DEPARTMENT, str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)  # noqa: S603
    try:
        yield running, PocketPhones(f"http://127.0.0.1:{port}")
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_says_where_and_stops_at_a_signal(
    process: tuple["subprocess.Popen[str]", PocketPhones], number: signal.Signals
) -> None:
    running, phones = process
    phones.wait_until_ready()
    phones.text(MARIA, DEPARTMENT, "Nobody there")
    started = time.monotonic()
    running.send_signal(number)
    output, _ = running.communicate(timeout=5)
    assert time.monotonic() - started < 2
    assert running.returncode == 0
    assert output == f"Pocket phones on {phones.base_url} (product: http://127.0.0.1:9)\n"
