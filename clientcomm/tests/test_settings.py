"""Where settings come from, and what they keep to themselves (which there are: tests/contracts/test_settings.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from clientcomm import environment

ROOT = Path(__file__).resolve().parent.parent.parent


def settings_with(**variables: str) -> dict[str, object]:
    """The product's settings as a process with only these variables would have them."""
    program = (
        "import json; from clientcomm import settings as s; "
        "print(json.dumps({n: str(getattr(s, n)) for n in dir(s) if n.isupper()}))"
    )
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_without_any_variable_no_file_is_made(tmp_path: Path) -> None:
    settings_with(DATA_DIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_behind_https_everything_that_can_be_secured_is() -> None:
    found = settings_with(SECRET_KEY="x", PUBLIC_URL="https://texts.example.org/")
    assert found["PUBLIC_URL"] == "https://texts.example.org"
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_PRELOAD"):
        assert found[name] == "True", name


def test_two_tokens_are_taken_while_one_is_rotated() -> None:
    assert settings_with(TWILIO_AUTH_TOKEN="new,old")["TWILIO_AUTH_TOKENS"] == "['new', 'old']"


def test_the_key_of_a_developer_survives_a_restart_and_is_readable_by_nobody_else(tmp_path: Path) -> None:
    first = settings_with(DEBUG="1", DATA_DIR=str(tmp_path))["SECRET_KEY"]
    assert len(str(first)) > 50
    assert settings_with(DEBUG="1", DATA_DIR=str(tmp_path))["SECRET_KEY"] == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_what_is_given_goes_before_what_a_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from the file\n")
    both = settings_with(TWILIO_AUTH_TOKEN_FILE=str(file), TWILIO_AUTH_TOKEN="given")
    assert both["TWILIO_AUTH_TOKENS"] == "['given']"


def test_a_secret_file_that_is_missing_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        environment.load(ROOT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:hidden@db/texts"),
        ("DATABASE_URL", "hidden"),
        ("REDIS_URL", "http://:hidden@redis"),
        ("EMAIL_URL", "mail.example.org:587/hidden"),
        ("WORKER_THREADS", "hidden"),
        ("WEB_CONCURRENCY", "2.5hidden"),
        ("CONN_MAX_AGE", "-1hidden"),
        ("PORT", "http hidden"),
        ("PHONES_PORT", "hidden"),
    ],
)
def test_what_cannot_be_read_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is not") as caught:
        environment.load(ROOT)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://db/texts"),
        ("REDIS_URL", "rediss://redis.example.org:6380/1"),
        ("EMAIL_URL", "consolemail://"),
        ("EMAIL_URL", "smtp://user@mail.example.org:25"),
        ("DATABASE_URL", ""),
        ("PORT", ""),
        ("CONN_MAX_AGE", "0"),
    ],
)
def test_what_can_be_read_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    environment.load(ROOT)


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    assert settings_with(PUBLIC_URL_FILE=str(tmp_path / "nowhere"))["PUBLIC_URL"] == "http://127.0.0.1:8000"
