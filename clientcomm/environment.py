"""Reads settings from the environment; NAME_FILE names a file that holds the value of NAME (for secrets)."""

import os
import re
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured


def load(base_dir: Path) -> environ.Env:
    """The environment, with every NAME_FILE replaced by what its file holds.

    Raises OSError when such a file can't be read: to start without a secret that was meant to be there is worse.
    Raises ImproperlyConfigured for what can't be read as it is meant, naming the variable and never its value.
    """
    for name in [name for name in os.environ if name.endswith("_FILE") and name.removesuffix("_FILE") in _SECRETS]:
        os.environ.setdefault(name.removesuffix("_FILE"), Path(os.environ[name]).read_text().strip())
    for name, (pattern, example) in _FORMS.items():
        if not re.fullmatch(pattern, os.environ.get(name, "")):
            raise ImproperlyConfigured(f"{name} is not {example}")
    return environ.Env()


_SECRETS = frozenset({"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "TWILIO_AUTH_TOKEN", "EMAIL_URL", "SENTRY_DSN"})

# What would otherwise fail later, in words that name no variable. Each may be empty, as if it were not set.
_NUMBER = (r"\d*", "a whole number, like 8")
_FORMS = {
    "DATABASE_URL": (r"(postgres(ql)?://.+)?", "like postgres://user:password@host:5432/name"),
    "REDIS_URL": (r"(rediss?://.+)?", "like redis://host:6379/0"),
    "EMAIL_URL": (
        r"((smtp(s|\+tls|\+ssl)?|(console|file|memory|dummy)mail)://.*)?",
        "like smtp+tls://user:password@host:587",
    ),
    **dict.fromkeys(("PORT", "PHONES_PORT", "WEB_CONCURRENCY", "WORKER_THREADS", "CONN_MAX_AGE"), _NUMBER),
}


def development_secret_key(data_dir: Path) -> str:
    """A random key kept in the data directory, so that sign-ins on a developer's machine survive a restart."""
    key_file = data_dir / "secret_key"
    if not key_file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        key_file.write_text(secrets.token_urlsafe(50))
        key_file.chmod(0o600)
    return key_file.read_text()
