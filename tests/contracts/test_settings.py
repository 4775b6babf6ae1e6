"""The variables of the environment that docs/operations.md names are read, and mean what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clientcomm.environment import _SECRETS
from tests.running import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
PROGRAM = """
import json
from clientcomm import settings
print(json.dumps({name: value for name, value in vars(settings).items() if name.isupper()}, default=str))
"""


def settings_with(**environment: str) -> dict[str, Any]:
    """What clientcomm.settings holds in a process with this environment and nothing else."""
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def production() -> Mapping[str, Any]:
    return settings_with(
        SECRET_KEY="a secret",
        ALLOWED_HOSTS="texts.example.org,other.example.org",
        PUBLIC_URL="https://texts.example.org/",
        DATABASE_URL="postgres://user:p%40ss@db.example.org:5433/texts",
        REDIS_URL="redis://redis.example.org:6380/1",
        TWILIO_ACCOUNT_SID="AC1",
        TWILIO_AUTH_TOKEN="new,old",
        TWILIO_API_URL="https://proxy.example.org/",
        EMAIL_URL="smtp+tls://user:password@mail.example.org:587",
        DEFAULT_FROM_EMAIL="Texts <texts@example.org>",
        SUPPORT_EMAIL="help@example.org",
        MEDIA_ROOT="/srv/media",
        STATIC_ROOT="/srv/static",
        DATA_DIR="/srv/data",
        WORKER_THREADS="3",
        CONN_MAX_AGE="60",
    )


@pytest.fixture(scope="module")
def bare() -> Mapping[str, Any]:
    """Neither DEBUG nor anything else is set."""
    return settings_with()


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return settings_with(DEBUG="1", DATA_DIR=str(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", False),
        ("SECRET_KEY", "a secret"),
        ("ALLOWED_HOSTS", ["texts.example.org", "other.example.org"]),
        ("PUBLIC_URL", "https://texts.example.org"),
        ("REDIS_URL", "redis://redis.example.org:6380/1"),
        ("CELERY_BROKER_URL", "redis://redis.example.org:6380/1"),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKENS", ["new", "old"]),
        ("TWILIO_API_URL", "https://proxy.example.org"),
        ("EMAIL_HOST", "mail.example.org"),
        ("EMAIL_USE_TLS", True),
        ("DEFAULT_FROM_EMAIL", "Texts <texts@example.org>"),
        ("SUPPORT_EMAIL", "help@example.org"),
        ("MEDIA_ROOT", "/srv/media"),
        ("STATIC_ROOT", "/srv/static"),
        ("DATA_DIR", "/srv/data"),
        ("WORKER_THREADS", 3),
        ("EMBEDDED", False),
        # The protection that https brings.
        ("SESSION_COOKIE_SECURE", True),
        ("CSRF_COOKIE_SECURE", True),
        ("SECURE_HSTS_SECONDS", 365 * 24 * 3600),
        ("SECURE_SSL_REDIRECT", True),
    ],
)
def test_each_variable_is_read(production: Mapping[str, Any], name: str, value: object) -> None:
    assert production[name] == value


def test_the_database_is_the_one_named_and_its_connections_are_kept_and_looked_at(
    production: Mapping[str, Any],
) -> None:
    database = production["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.org", 5433, "texts")
    assert database["PASSWORD"] == "p@ss"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)


def test_without_debug_nothing_is_filled_in(bare: Mapping[str, Any]) -> None:
    assert bare["DEBUG"] is False
    assert (bare["SECRET_KEY"], bare["ALLOWED_HOSTS"]) == ("", [])
    assert (bare["TWILIO_ACCOUNT_SID"], bare["TWILIO_AUTH_TOKENS"]) == ("", [])
    assert bare["TWILIO_API_URL"] == "https://api.twilio.com"
    assert bare["EMBEDDED"] is True


def test_with_debug_a_developer_needs_to_set_nothing(developer: Mapping[str, Any]) -> None:
    assert developer["SECRET_KEY"]
    assert "127.0.0.1" in developer["ALLOWED_HOSTS"]
    assert developer["TWILIO_ACCOUNT_SID"].startswith("AC")
    assert developer["TWILIO_AUTH_TOKENS"] == ["development-token"]
    assert developer["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert "synchronous=FULL" in developer["DATABASES"]["default"]["OPTIONS"]["init_command"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "TWILIO_AUTH_TOKEN", "DATABASE_URL"])
def test_a_secret_can_be_read_from_a_file(tmp_path: Path, name: str) -> None:
    secret = "postgres://user@db.example.org/texts" if name == "DATABASE_URL" else "from the file"
    (tmp_path / "secret").write_text(secret + "\n")
    found = settings_with(**{f"{name}_FILE": str(tmp_path / "secret")})
    expected = {"TWILIO_AUTH_TOKEN": ("TWILIO_AUTH_TOKENS", [secret])}.get(name, (name, secret))
    assert found[expected[0]] == expected[1]


def documented() -> dict[str, bool]:
    """The variables in the table of docs/operations.md, and whether NAME_FILE is said to work for each."""
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*)( •)? \|", OPERATIONS, re.MULTILINE)
    return {name: bool(mark) for names, mark in rows for name in re.findall(r"[A-Z_]+", names)}


def read_by_the_product() -> set[str]:
    """Every variable that the product's own modules ask the environment for."""
    sources = [*(ROOT / "clientcomm").glob("*.py"), *(ROOT / "telephony" / "management").rglob("*.py")]
    pattern = re.compile(r"""\b(?:env|environ|environ\.Env\(\))\.[a-z_]+\(\s*["']([A-Z_]+)["']""")
    return {name for source in sources for name in pattern.findall(source.read_text())}


def test_every_variable_is_documented_and_none_that_is_not_there() -> None:
    assert read_by_the_product() - {"DJANGO_SETTINGS_MODULE", "PATH"} == set(documented())


# Django's own check names it (security.W018); gunicorn names an address where nobody can listen.
CHECKED_ELSEWHERE = {"DEBUG", "HOST"}


def test_every_variable_has_a_check_that_names_it() -> None:
    checks = "".join((ROOT / "clientcomm" / module).read_text() for module in ("checks.py", "environment.py"))
    assert {name for name in documented() if f'"{name}' not in checks} <= CHECKED_ELSEWHERE


def test_those_that_can_come_from_a_file_are_marked() -> None:
    assert {name for name, marked in documented().items() if marked} == _SECRETS & set(documented())
