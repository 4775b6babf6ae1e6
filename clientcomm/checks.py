"""System checks: each setting that can be wrong, said in plain words before it does harm.

`manage.py check` and most commands run those that need no database; `manage.py migrate` and
`manage.py check --database default` the others too; `manage.py check --deploy` adds what a real installation needs.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError, connection

from accounts.models import User

DEMO_DOMAIN = "@clientcomm.test"
DEFAULT_SUPPORT_EMAIL = "support@clientcomm.test"
SQLITE_FULL = 2


def is_loopback(host: str | None) -> bool:
    """Whether the name can only mean this very machine."""
    if not host:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(url: str) -> SplitResult | None:
    """The parts of an address that names a host and nothing below it, else None."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 a bad port is told only when asked for
    except ValueError:
        return None
    is_plain = parts.scheme in ("http", "https") and parts.hostname and not parts.path.strip("/")
    return parts if is_plain and not parts.query and not parts.fragment and not parts.username else None


@register(Tags.security)
def secret_key(**_: Any) -> list[CheckMessage]:
    try:
        settings.SECRET_KEY  # noqa: B018 Django raises when it is empty
    except ImproperlyConfigured:
        return [
            Error(
                "SECRET_KEY is missing: without DEBUG there is no default.",
                hint='Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"',
                id="clientcomm.E001",
            )
        ]
    return []


@register(Tags.compatibility)
def servers(**_: Any) -> list[CheckMessage]:
    if bool(settings.DATABASE_URL) == bool(settings.REDIS_URL):
        return []
    given, missing = ("DATABASE_URL", "REDIS_URL") if settings.DATABASE_URL else ("REDIS_URL", "DATABASE_URL")
    return [
        Error(
            f"{given} is set and {missing} is not.",
            hint="Set both for the production processes, or neither for the one process that needs no server.",
            id="clientcomm.E002",
        )
    ]


@register(Tags.urls)
def public_url(**_: Any) -> list[CheckMessage]:
    parts = _parts(settings.PUBLIC_URL)
    if parts is None:
        return [
            Error(
                f"PUBLIC_URL is not an address like https://texts.example.org: {settings.PUBLIC_URL!r}.",
                hint="Give scheme and host, and the port if it is not the usual one, with nothing after them.",
                id="clientcomm.E003",
            )
        ]
    if "_" in str(parts.hostname):
        return [
            Error(
                "PUBLIC_URL has an underscore in its host: Twilio takes no such address for its reports (error 21609).",
                hint="Give the machine a name of letters, digits and hyphens.",
                id="clientcomm.E014",
            )
        ]
    if parts.scheme == "https" or settings.DEBUG or is_loopback(parts.hostname):
        return []
    return [
        Error(
            "PUBLIC_URL begins with http://: what clients write would cross the network in the open.",
            hint="Put a proxy that speaks https in front, and give its address.",
            id="clientcomm.E004",
        )
    ]


@register(Tags.security)
def carrier(**_: Any) -> list[CheckMessage]:
    return list(_carrier())


def _carrier() -> Iterator[CheckMessage]:
    if not re.fullmatch(r"AC[0-9a-f]{32}", settings.TWILIO_ACCOUNT_SID):
        yield Error(
            "TWILIO_ACCOUNT_SID is missing or malformed: it is AC and 32 characters from 0-9 and a-f.",
            hint="It stands on the first page of the Twilio console.",
            id="clientcomm.E005",
        )
    tokens = settings.TWILIO_AUTH_TOKENS
    if not tokens or any(not token or re.search(r"\s", token) for token in tokens):
        yield Error(
            "TWILIO_AUTH_TOKEN is missing, or holds an empty token or a space.",
            hint="It stands below the account SID in the Twilio console. While it is rotated: new,old.",
            id="clientcomm.E006",
        )
    api = _parts(settings.TWILIO_API_URL)
    if api is None or (api.scheme != "https" and not is_loopback(api.hostname)):
        yield Error(
            "TWILIO_API_URL is not an https address (http is for the pocket phones on this machine only).",
            hint="Leave it out to use Twilio itself.",
            id="clientcomm.E007",
        )


@register(Tags.security)
def hosts(**_: Any) -> list[CheckMessage]:
    parts = _parts(settings.PUBLIC_URL)
    if settings.DEBUG or parts is None or parts.hostname is None:
        return []
    if not any(_covers(pattern, parts.hostname) for pattern in settings.ALLOWED_HOSTS):
        return [
            Error(
                f"ALLOWED_HOSTS does not name the host of PUBLIC_URL, {parts.hostname}: every page would be refused.",
                hint=f"Set ALLOWED_HOSTS={parts.hostname}",
                id="clientcomm.E009",
            )
        ]
    return []


def _covers(pattern: str, host: str) -> bool:
    pattern = pattern.lower().strip("[]")
    return pattern in ("*", host) or (pattern.startswith(".") and (host == pattern[1:] or host.endswith(pattern)))


@register(Tags.compatibility)
def addresses_and_folders(**_: Any) -> list[CheckMessage]:
    return list(_addresses_and_folders())


def _addresses_and_folders() -> Iterator[CheckMessage]:
    for name, address in (
        ("SUPPORT_EMAIL", settings.SUPPORT_EMAIL),
        ("DEFAULT_FROM_EMAIL", _bare(settings.DEFAULT_FROM_EMAIL)),
    ):
        try:
            validate_email(address)
        except ValidationError:
            yield Error(
                f"{name} holds no e-mail address.",
                hint="Like: ClientComm <texts@example.org>" if name.startswith("DEFAULT") else "Like: help@example.org",
                id="clientcomm.E010",
            )
    for name in ("DATA_DIR", "MEDIA_ROOT", "STATIC_ROOT"):
        if not Path(getattr(settings, name)).is_absolute():
            yield Error(
                f"{name} is not a full path: what it means would depend on where a process was started.",
                hint="Begin it with /.",
                id="clientcomm.E011",
            )
    if settings.WORKER_THREADS < 1:
        yield Error(
            "WORKER_THREADS is less than 1: nothing would be sent.",
            hint="Leave it out for 8.",
            id="clientcomm.E012",
        )


def _bare(address: str) -> str:
    return address.rsplit("<", 1)[-1].rstrip(">").strip()


@register(Tags.compatibility, deploy=True)
def ready_for_people(**_: Any) -> list[CheckMessage]:
    return list(_ready_for_people())


def _ready_for_people() -> Iterator[CheckMessage]:
    """What a default that suits a developer leaves open in a real installation."""
    if not settings.DATABASE_URL and not settings.REDIS_URL:
        yield Warning(
            "DATABASE_URL and REDIS_URL are not set: one process does everything, over SQLite.",
            hint="That is for trying it. Set both for a real installation.",
            id="clientcomm.W004",
        )
    public, api = _parts(settings.PUBLIC_URL), _parts(settings.TWILIO_API_URL)
    if public is None or api is None:
        return  # said by the checks of their forms
    is_public, is_real_carrier = not is_loopback(public.hostname), not is_loopback(api.hostname)
    if is_real_carrier and not is_public:
        yield Warning(
            "PUBLIC_URL is not set, or is this machine: neither people nor Twilio can reach it.",
            hint="Like: PUBLIC_URL=https://texts.example.org",
            id="clientcomm.W005",
        )
    if is_public and not is_real_carrier:
        yield Warning(
            "TWILIO_API_URL is on this machine: texts reach the pocket phones and nobody else.",
            hint="Leave it out to use Twilio itself.",
            id="clientcomm.W006",
        )


@register(Tags.security, deploy=True)
def hosts_are_named(**_: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS is *: any name that points here is taken for ours.",
            hint="Name the host of PUBLIC_URL.",
            id="clientcomm.W001",
        )
    ]


@register(Tags.compatibility, deploy=True)
def mail(**_: Any) -> list[CheckMessage]:
    return list(_mail())


def _mail() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")):
        yield Warning(
            "EMAIL_URL is not set: mails are written to the log instead of sent.",
            hint="Like: EMAIL_URL=smtp+tls://user:password@mail.example.org:587",
            id="clientcomm.W002",
        )
    if settings.SUPPORT_EMAIL == DEFAULT_SUPPORT_EMAIL:
        yield Warning(
            "SUPPORT_EMAIL is not set: people who need help are given an address that does not exist.",
            hint="Set it to an address that somebody reads.",
            id="clientcomm.W003",
        )


@register(Tags.database)
def demo_data_stays_here(databases: Iterable[str] | None = None, **_: Any) -> Sequence[CheckMessage]:
    """Demo numbers are fictitious, but nobody promises that for ever: they reach the pocket phones and nothing else."""
    parts = _parts(settings.TWILIO_API_URL)
    if "default" not in (databases or ()) or (parts is not None and is_loopback(parts.hostname)):
        return []
    if not _has_demo_people():
        return []
    return [
        Error(
            "The database holds demo data and TWILIO_API_URL is not on this machine: invented clients would be texted.",
            hint="Use an empty database for a real installation, or the pocket phones for this one.",
            id="clientcomm.E008",
        )
    ]


def _has_demo_people() -> bool:
    if User._meta.db_table not in connection.introspection.table_names():
        return False  # before the first migrate
    return User.objects.filter(email__iendswith=DEMO_DOMAIN).exists()


@register(Tags.database)
def what_is_stored_stays_stored(databases: Iterable[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The carrier is told "taken" once a text is committed: a power cut must not take it back."""
    if "default" not in (databases or ()):
        return []
    try:
        is_durable = _is_durable()
    except DatabaseError:
        return []  # Django itself says that the database does not answer
    if not is_durable:
        return [
            Error(
                "The database confirms before it has written: a power cut would lose texts the carrier handed over.",
                hint="PostgreSQL: synchronous_commit = on. SQLite: PRAGMA synchronous=FULL.",
                id="clientcomm.E013",
            )
        ]
    return []


def _is_durable() -> bool:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            return int(cursor.fetchone()[0]) >= SQLITE_FULL
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0]) != "off"
