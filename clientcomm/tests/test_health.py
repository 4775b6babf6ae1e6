"""The probes answer without signing in, whatever the host and scheme, and say plainly what is wrong."""

import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from django.conf import settings as configured
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from clientcomm import health
from messaging import gaps, holds
from messaging.failures import FailureReason
from messaging.models import BeatTick, Message
from tests.builders import make_client, make_department, make_outgoing, make_user, minutes_ago

pytestmark = pytest.mark.embedded


@pytest.fixture
def ticking(db: None) -> None:
    tick(timezone.now())


def tick(at: datetime) -> None:
    BeatTick.objects.update_or_create(pk=1, defaults={"at": at})


def problems(client: Client, expected_status: int = 503) -> list[str]:
    answer = client.get("/readyz")
    assert answer.status_code == expected_status
    return list(answer.json()["problems"])


@pytest.mark.django_db
def test_healthz_says_ok_to_any_host_over_http_without_a_session(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert not answer.cookies


@pytest.mark.django_db
def test_healthz_costs_one_query(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        client.get("/healthz")


@pytest.fixture
def broken_database(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise DatabaseError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        patch.setattr(health, "delivery_health", refuse)
        yield


def test_without_a_database_both_probes_say_so(client: Client, broken_database: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"the database does not answer\n")
    assert problems(client) == ["the database does not answer"]


def test_readyz_is_well_when_texts_flow(client: Client, ticking: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["well"] is True
    assert answer.json()["last_tick_age_seconds"] < 10


@pytest.mark.parametrize("age", [None, timedelta(minutes=2)])
def test_readyz_tells_of_a_beat_that_does_not_tick(client: Client, db: None, age: timedelta | None) -> None:
    if age is not None:
        tick(timezone.now() - age)
    assert problems(client) == ["beat does not tick, or no worker hears it"]


def test_readyz_tells_of_texts_that_wait_too_long(client: Client, ticking: None) -> None:
    assignment = make_client(make_user(make_department()))
    make_outgoing(assignment, at=minutes_ago(4))
    make_outgoing(assignment, at=timezone.now() + timedelta(days=1))
    assert problems(client, 200) == []
    make_outgoing(assignment, at=minutes_ago(6))
    assert problems(client) == ["texts that are due are not handed over"]


def test_readyz_tells_of_texts_that_are_unclear(client: Client, ticking: None) -> None:
    make_outgoing(make_client(make_user(make_department())), state=Message.State.UNKNOWN)
    assert problems(client) == ["it is unclear whether some texts were sent"]


def test_readyz_tells_that_the_carrier_refuses_us(client: Client, ticking: None) -> None:
    holds.put(holds.WHOLE_ACCOUNT, reason=FailureReason.ACCOUNT, error_code=20003, now=timezone.now())
    assert problems(client) == ["the carrier refuses the account or a number"]


def test_readyz_tells_of_a_gap_that_nobody_compared(client: Client, ticking: None) -> None:
    gaps.declare(since=timezone.now())
    assert problems(client) == ["nothing is sent until the carrier's list was compared"]


def test_readyz_tells_of_a_broker_that_is_away(client: Client, ticking: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert problems(client) == ["the broker does not answer"]


def test_a_broker_that_accepts_and_says_nothing_holds_nobody_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        begun = timezone.now()
        assert health.broker_answers(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") is False
    assert (timezone.now() - begun).total_seconds() < 2


@pytest.mark.skipif(not configured.REDIS_URL, reason="no Redis runs here")
def test_a_broker_that_runs_is_found() -> None:
    assert health.broker_answers(configured.REDIS_URL) is True


def test_readyz_counts_refused_webhooks(client: Client, ticking: None) -> None:
    before = client.get("/readyz").json()["webhooks_refused_by_this_process"]
    assert client.post("/webhooks/twilio/sms/", {"From": "+18015550123"}).status_code == 403
    assert client.get("/readyz").json()["webhooks_refused_by_this_process"] == before + 1


def test_readyz_names_nobody(client: Client, ticking: None) -> None:
    make_outgoing(make_client(make_user(make_department())), "a word that only this text has")
    answer = client.get("/readyz").content.decode()
    assert "Lopez" not in answer
    assert "+1" not in answer
