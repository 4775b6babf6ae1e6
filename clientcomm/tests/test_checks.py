"""Each setting of the contract that can be wrong is named before it does harm, with a hint of what to do."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db import connection
from pytest_django import Settings

from clientcomm import checks
from tests.builders import make_department, make_user

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def production(settings: Settings) -> Settings:
    """What a real installation would be set to: nothing to complain about."""
    settings.DEBUG = False
    settings.SECRET_KEY = "x" * 60
    settings.DATABASE_URL, settings.REDIS_URL = "postgres://db/clientcomm", "redis://broker/0"
    settings.PUBLIC_URL = "https://texts.example.org"
    settings.ALLOWED_HOSTS = ["texts.example.org"]
    settings.TWILIO_ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
    settings.TWILIO_AUTH_TOKENS = ["0123456789abcdef" * 2]
    settings.TWILIO_API_URL = "https://api.twilio.com"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SUPPORT_EMAIL = "help@example.org"
    settings.DEFAULT_FROM_EMAIL = "ClientComm <texts@example.org>"
    settings.MEDIA_ROOT = "/srv/media"
    settings.WORKER_THREADS = 8
    return settings


def ids(messages: Sequence[CheckMessage]) -> list[str]:
    for message in messages:
        assert message.hint, f"{message.id} gives no hint"
    return [str(message.id).removeprefix("clientcomm.") for message in messages]


SETTING_CHECKS = [
    checks.secret_key,
    checks.servers,
    checks.public_url,
    checks.carrier,
    checks.hosts,
    checks.addresses_and_folders,
    checks.ready_for_people,
    checks.hosts_are_named,
    checks.mail,
]


def complaints() -> list[str]:
    return [found for check in SETTING_CHECKS for found in ids(check())]


def test_a_real_installation_has_nothing_to_complain_about(production: Settings) -> None:
    assert complaints() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "", "E001"),
        ("REDIS_URL", "", "E002"),
        ("DATABASE_URL", "", "E002"),
        ("PUBLIC_URL", "texts.example.org", "E003"),
        ("PUBLIC_URL", "https://texts.example.org/clientcomm", "E003"),
        ("PUBLIC_URL", "https://texts.example.org?x=1", "E003"),
        ("PUBLIC_URL", "https://texts.example.org:99999", "E003"),
        ("PUBLIC_URL", "https://user@texts.example.org", "E003"),
        ("PUBLIC_URL", "ftp://texts.example.org", "E003"),
        ("PUBLIC_URL", "", "E003"),
        ("PUBLIC_URL", "http://texts.example.org", "E004"),
        ("TWILIO_API_URL", "http://127.0.0.1:8001", "W006"),
        ("TWILIO_ACCOUNT_SID", "", "E005"),
        ("TWILIO_ACCOUNT_SID", "AC123", "E005"),
        ("TWILIO_AUTH_TOKENS", [], "E006"),
        ("TWILIO_AUTH_TOKENS", ["good", ""], "E006"),
        ("TWILIO_AUTH_TOKENS", ["with space"], "E006"),
        ("TWILIO_API_URL", "http://api.example.org", "E007"),
        ("TWILIO_API_URL", "nonsense", "E007"),
        ("ALLOWED_HOSTS", [], "E009"),
        ("ALLOWED_HOSTS", ["other.example.org"], "E009"),
        ("SUPPORT_EMAIL", "nobody", "E010"),
        ("DEFAULT_FROM_EMAIL", "ClientComm", "E010"),
        ("MEDIA_ROOT", "media", "E011"),
        ("DATA_DIR", Path("data"), "E011"),
        ("STATIC_ROOT", "static", "E011"),
        ("WORKER_THREADS", 0, "E012"),
        ("ALLOWED_HOSTS", ["*"], "W001"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "W002"),
        ("SUPPORT_EMAIL", checks.DEFAULT_SUPPORT_EMAIL, "W003"),
    ],
)
def test_a_wrong_setting_is_named(production: Settings, name: str, value: Any, expected: str) -> None:
    setattr(production, name, value)
    assert complaints() == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "https://texts.example.org:8443"),
        ("ALLOWED_HOSTS", [".example.org"]),
        ("ALLOWED_HOSTS", ["TEXTS.example.org"]),
        ("TWILIO_AUTH_TOKENS", ["new", "old"]),
        ("DEFAULT_FROM_EMAIL", "texts@example.org"),
    ],
)
def test_what_is_right_in_another_way_is_left_alone(production: Settings, name: str, value: Any) -> None:
    setattr(production, name, value)
    assert complaints() == []


def test_neither_server_is_as_right_as_both(production: Settings) -> None:
    production.DATABASE_URL = production.REDIS_URL = ""
    assert ids(checks.servers()) == []


def test_neither_server_is_for_trying_only(production: Settings) -> None:
    production.DATABASE_URL = production.REDIS_URL = ""
    assert complaints() == ["W004"]


@pytest.mark.parametrize(
    ("url", "expected"), [("https://our_texts.example.org", "E014"), ("http://127.0.0.1:8000", "W005")]
)
def test_an_address_that_twilio_cannot_use_is_named(production: Settings, url: str, expected: str) -> None:
    production.PUBLIC_URL, production.ALLOWED_HOSTS = url, ["our_texts.example.org", "127.0.0.1"]
    assert complaints() == [expected]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://[::1]:8001"])
def test_the_pocket_phones_may_be_spoken_to_in_the_open(production: Settings, url: str) -> None:
    production.TWILIO_API_URL = url
    assert ids(checks.carrier()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_plain_http_is_for_this_machine_only(production: Settings, url: str) -> None:
    production.PUBLIC_URL = url
    assert ids(checks.public_url()) == []


def test_with_debug_plain_http_and_no_hosts_are_fine(production: Settings) -> None:
    production.DEBUG, production.PUBLIC_URL, production.ALLOWED_HOSTS = True, "http://my-laptop:8000", []
    assert ids([*checks.public_url(), *checks.hosts()]) == []


@pytest.mark.embedded
@pytest.mark.django_db
def test_demo_people_and_the_real_carrier_do_not_go_together(production: Settings) -> None:
    make_user(make_department(), email="demo@clientcomm.test")
    assert ids(checks.demo_data_stays_here(databases=["default"])) == ["E008"]
    production.TWILIO_API_URL = "https://127.0.0.1.example.org"
    assert ids(checks.demo_data_stays_here(databases=["default"])) == ["E008"]
    production.TWILIO_API_URL = "http://127.0.0.1:8001"
    assert ids(checks.demo_data_stays_here(databases=["default"])) == []


@pytest.mark.django_db
def test_real_people_may_use_the_real_carrier(production: Settings) -> None:
    make_user(make_department(), email="alice@example.org")
    assert ids(checks.demo_data_stays_here(databases=["default"])) == []


@pytest.mark.django_db
def test_demo_data_is_not_asked_for_before_the_first_migrate(
    production: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(make_department(), email="demo@clientcomm.test")
    monkeypatch.setattr(connection.introspection, "table_names", list)
    assert ids(checks.demo_data_stays_here(databases=["default"])) == []


def test_checks_without_a_database_touch_none(production: Settings) -> None:
    assert [*checks.demo_data_stays_here(databases=None), *checks.what_is_stored_stays_stored(databases=None)] == []


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("durable", "expected"), [(True, []), (False, ["E013"])])
def test_a_database_that_confirms_too_early_is_refused(durable: bool, expected: list[str]) -> None:
    settle = {
        "sqlite": "PRAGMA synchronous={}".format("FULL" if durable else "NORMAL"),
        "postgresql": "SET synchronous_commit = {}".format("on" if durable else "off"),
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(settle[connection.vendor])
        assert ids(checks.what_is_stored_stays_stored(databases=["default"])) == expected
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_loopback_is_this_machine(host: str) -> None:
    assert checks.is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "", None, "localhost.example.org", "127.0.0.1.example.org"])
def test_loopback_is_nothing_that_looks_like_it(host: str | None) -> None:
    assert not checks.is_loopback(host)


def test_every_check_has_an_id_of_its_own() -> None:
    found = re.findall(r"clientcomm\.[EW]\d{3}", Path(checks.__file__).read_text())
    assert len(found) == len(set(found))
