"""The doctor says what is wrong and what to do about it, and ends with 1 only if something is."""

import io
from collections.abc import Callable, Iterator

import pytest
from django.core import checks
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import Settings

from clientcomm import checks as our_checks
from clientcomm import readiness
from clientcomm.management.commands import doctor
from clientcomm.readiness import Problem
from messaging import gaps, holds
from messaging.failures import FailureReason
from messaging.models import Message
from tests.builders import make_client, make_department, make_outgoing, make_user, number_of
from tests.running import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture(autouse=True)
def well(settings: Settings) -> None:
    """An installation with nothing to complain about."""
    settings.DEBUG = True
    settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
    settings.TWILIO_AUTH_TOKENS = ["token"]
    settings.TWILIO_API_URL = "http://127.0.0.1:8001"
    gaps.tick(now=timezone.now())


def asked(expected_code: int) -> str:
    output = io.StringIO()
    code = 0
    try:
        call_command("doctor", stdout=output)
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == expected_code, output.getvalue()
    return output.getvalue()


@pytest.fixture
def durable(well: None) -> Iterator[None]:
    """As an installation's database: the tests' SQLite doesn't wait for the disk."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")
    yield
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_when_all_is_well_it_says_so_with_the_figures(durable: None) -> None:
    said = asked(0)
    assert "All is well." in said
    assert "unknown_count                      0" in said
    assert "last_text_webhook_age_seconds      -" in said


def test_each_problem_comes_with_what_to_do() -> None:
    holds.put(holds.WHOLE_ACCOUNT, reason=FailureReason.ACCOUNT, error_code=20003, now=timezone.now())
    make_outgoing(make_client(make_user(make_department())), state=Message.State.UNKNOWN)
    said = asked(1)
    for problem in (readiness.STOPPED, readiness.UNCLEAR):
        assert f"! {problem.words}\n  {problem.advice}" in said
    assert "All is well" not in said


def test_it_names_nobody() -> None:
    text = make_outgoing(make_client(make_user(make_department())), "secret words", state=Message.State.UNKNOWN)
    said = asked(1)
    assert "secret" not in said
    assert number_of(text.assignment).address[-7:] not in said


def test_a_setting_that_is_wrong_is_named(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID = "AC"
    said = asked(1)
    assert "! TWILIO_ACCOUNT_SID is missing or malformed" in said
    assert "clientcomm.E005" in said


def test_a_database_that_confirms_before_it_has_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(our_checks, "_is_durable", lambda: False)
    assert "synchronous_commit = on" in asked(1)


def test_what_is_only_a_warning_is_told_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(**_: object) -> list[CheckMessage]:
        return [checks.Warning("A thought.", hint="Think.", id="clientcomm.W999")]

    monkeypatch.setattr(checks, "run_checks", warn)
    assert "? A thought. (clientcomm.W999)\n  Think." in asked(0)


def test_a_database_behind_this_version_is_told_before_it_is_asked_anything() -> None:
    MigrationRecorder.Migration.objects.filter(app="telephony").delete()
    said = asked(1)
    assert "the database is behind this version: telephony 0001_tables" in said
    assert "unknown_count" not in said


def test_a_database_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(doctor, "_pending_migrations", refuse)
    assert f"! {readiness.NO_DATABASE.words}" in asked(1)


def problems() -> list[Problem]:
    return [value for value in vars(readiness).values() if isinstance(value, Problem)]


@pytest.mark.parametrize("problem", problems(), ids=lambda problem: problem.words)
def test_the_page_for_operators_explains_each_problem(problem: Problem, operations: Callable[[], str]) -> None:
    assert problem.words in operations()


@pytest.fixture
def operations() -> Callable[[], str]:
    return lambda: " ".join((ROOT / "docs" / "operations.md").read_text().split())
