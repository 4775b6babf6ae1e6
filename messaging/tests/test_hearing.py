"""When the carrier last posted is written down now and then, after the answer, and never in its way."""

from datetime import datetime

import pytest
from django.db import DatabaseError, Error, InterfaceError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging import hearing
from messaging.models import CarrierWord
from tests.builders import minutes_ago

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

Kind = hearing.Kind


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing was heard for long, so the next word is written down."""
    monkeypatch.setattr(hearing, "EVERY_SECONDS", 10.0)
    monkeypatch.setattr(hearing, "_written_at", dict.fromkeys(Kind, float("-inf")))
    return monkeypatch


def heard() -> dict[str, datetime]:
    return dict(CarrierWord.objects.values_list("kind", "at"))


def test_the_first_word_is_written_down_and_the_next_ones_cost_nothing(
    ears: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    at = minutes_ago(1)
    hearing.note(Kind.TEXT, now=at)
    with django_assert_num_queries(0):
        hearing.note(Kind.TEXT, now=timezone.now())
    assert heard() == {"text": at}


def test_later_the_time_moves_on(ears: pytest.MonkeyPatch) -> None:
    hearing.note(Kind.TEXT, now=minutes_ago(1))
    ears.setitem(hearing._written_at, Kind.TEXT, float("-inf"))
    now = timezone.now()
    hearing.note(Kind.TEXT, now=now)
    assert heard() == {"text": now}


def test_texts_and_reports_are_noted_apart(ears: pytest.MonkeyPatch) -> None:
    hearing.note(Kind.TEXT, now=timezone.now())
    hearing.note(Kind.REPORT, now=timezone.now())
    assert set(heard()) == {"text", "report"}


@pytest.mark.parametrize("kind", [DatabaseError, InterfaceError])
def test_a_database_that_is_away_harms_nobody(
    ears: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: type[Error]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise kind("a row with a number in it")

    ears.setattr(CarrierWord.objects, "bulk_create", refuse)
    hearing.note(Kind.TEXT, now=timezone.now())
    assert kind.__name__ in caplog.text
    assert "number in it" not in caplog.text
