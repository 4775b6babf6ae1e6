"""bench/handover.py with a few texts, so that it still works when somebody wants its figures."""

import os
import subprocess
import sys

import pytest

from tests.running import ROOT

ANSWERS_WITHIN = 120


@pytest.mark.postgresql
@pytest.mark.skipif("REDIS_URL" not in os.environ, reason="needs Redis, none runs here")
def test_the_handover_is_measured() -> None:
    arguments = ["--handover", "--texts", "20", "--connections", "4", "--delay", "0.01", "--no-pace"]
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("CLIENTCOMM_")},
        capture_output=True,
        text=True,
        timeout=ANSWERS_WITHIN,
    )
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[-1].split("|")
    assert [cell.strip() for cell in row[1:4]] == ["4", "1 x 4", "20"]
