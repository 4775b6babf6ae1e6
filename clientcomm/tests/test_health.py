"""The probes answer without signing in, whatever the host and scheme, and say plainly what is wrong."""

import socket
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import DatabaseError, InterfaceError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Department, OutgoingEmail
from clientcomm import readiness
from clients.models import CaseAssignment
from messaging import gaps, holds
from messaging.failures import FailureReason
from messaging.models import BeatTick, CarrierWord, Message, SenderNumber
from telephony.models import StrayText
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


@pytest.fixture(params=[DatabaseError, InterfaceError])  # the second: a connection that broke
def broken_database(db: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise request.param("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        patch.setattr(readiness, "delivery_health", refuse)
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
        assert readiness.broker_answers(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") is False
    assert (timezone.now() - begun).total_seconds() < 2


@pytest.mark.skipif(not configured.REDIS_URL, reason="no Redis runs here")
def test_a_broker_that_runs_is_found() -> None:
    assert readiness.broker_answers(configured.REDIS_URL) is True


def test_readyz_counts_refused_webhooks(client: Client, ticking: None) -> None:
    before = client.get("/readyz").json()["webhooks_refused_by_this_process"]
    assert client.post("/webhooks/twilio/sms/", {"From": "+18015550123"}).status_code == 403
    assert client.get("/readyz").json()["webhooks_refused_by_this_process"] == before + 1


def mass_text(assignment: CaseAssignment, *, finish_by: datetime) -> Message:
    return make_outgoing(assignment, at=minutes_ago(120), priority=Message.Priority.MASS, finish_by=finish_by)


def test_a_mass_message_that_keeps_its_pace_is_no_problem(client: Client, ticking: None) -> None:
    assignment = make_client(make_user(make_department(late_limit_minutes=60)))
    mass_text(assignment, finish_by=timezone.now() + timedelta(hours=2))
    mass_text(assignment, finish_by=minutes_ago(50))
    assert problems(client, 200) == []
    assert client.get("/readyz").json()["oldest_due_age_seconds"] is None
    mass_text(assignment, finish_by=minutes_ago(61))
    assert problems(client) == ["texts that are due are not handed over"]


def test_a_text_that_waits_for_the_opening_is_no_problem_until_it_was(client: Client, ticking: None) -> None:
    assignment = make_client(make_user(make_department()))
    opening = timezone.now() + timedelta(hours=1)
    make_outgoing(assignment, at=minutes_ago(300), finish_by=opening, try_at=opening)
    assert problems(client, 200) == []
    Message.objects.update(finish_by=minutes_ago(6), try_at=minutes_ago(6))
    assert problems(client) == ["texts that are due are not handed over"]


def test_readyz_tells_of_a_text_that_backs_off_again_and_again(client: Client, ticking: None) -> None:
    in_a_moment = timezone.now() + timedelta(seconds=40)
    make_outgoing(make_client(make_user(make_department())), at=minutes_ago(6), try_at=in_a_moment)
    assert problems(client) == ["texts that are due are not handed over"]


def test_readyz_tells_of_a_number_that_is_no_longer_compared(client: Client, ticking: None) -> None:
    compared = make_department()
    SenderNumber.objects.create(department=compared, compared_until=minutes_ago(14))
    new = make_department()
    assert problems(client, 200) == []
    SenderNumber.objects.update(compared_until=minutes_ago(16))
    assert problems(client) == ["the carrier's list was not compared for long"]
    SenderNumber.objects.update(compared_until=timezone.now())
    Department.objects.filter(pk=new.pk).update(created_at=minutes_ago(16))
    assert problems(client) == ["the carrier's list was not compared for long"]


def a_mail(**fields: Any) -> OutgoingEmail:
    fields.setdefault("due_at", timezone.now())
    return OutgoingEmail.objects.create(to="a@clientcomm.test", subject="Hello", **fields)


def test_readyz_tells_of_mails_that_stay_and_of_those_given_up(client: Client, ticking: None) -> None:
    a_mail(created_at=minutes_ago(59))
    a_mail(created_at=minutes_ago(90), done_at=minutes_ago(80))
    a_mail(created_at=minutes_ago(5000), given_up_at=minutes_ago(25 * 60))
    assert problems(client, 200) == []
    a_mail(created_at=minutes_ago(61))
    a_mail(created_at=minutes_ago(5000), given_up_at=minutes_ago(60))
    assert problems(client) == ["mails wait and are not sent", "mails were given up within the last day"]


def test_readyz_tells_of_texts_that_could_not_be_stored(client: Client, ticking: None) -> None:
    def stray(reason: StrayText.Reason, at: datetime, **more: Any) -> None:
        StrayText.objects.create(carrier_id=f"SM{uuid.uuid4().hex}", reason=reason, form={}, received_at=at, **more)

    stray(StrayText.Reason.NO_SENDER, minutes_ago(999))
    stray(StrayText.Reason.FAILED, minutes_ago(9))
    stray(StrayText.Reason.FAILED, minutes_ago(999), placed_at=minutes_ago(5))
    assert problems(client, 200) == []
    assert client.get("/readyz").json()["stray_count"] == 2
    stray(StrayText.Reason.FAILED, minutes_ago(11))
    assert problems(client) == ["texts that came in could not be stored"]


def test_readyz_tells_of_texts_that_the_carrier_does_not_forget(client: Client, ticking: None) -> None:
    message = make_outgoing(make_client(make_user(make_department())), state=Message.State.DELIVERED)
    Message.objects.filter(pk=message.pk).update(erase_at=timezone.now(), erase_attempts=5)
    assert problems(client, 200) == []
    Message.objects.filter(pk=message.pk).update(erase_attempts=6)
    assert problems(client) == ["texts could not be erased at the carrier"]


def test_readyz_tells_when_the_carrier_last_reached_us(client: Client, ticking: None) -> None:
    assert client.get("/readyz").json()["last_text_webhook_age_seconds"] is None
    CarrierWord.objects.create(kind=CarrierWord.Kind.TEXT, at=minutes_ago(2))
    CarrierWord.objects.create(kind=CarrierWord.Kind.REPORT, at=minutes_ago(1))
    told = client.get("/readyz").json()
    assert 119 < told["last_text_webhook_age_seconds"] < 130
    assert 59 < told["last_status_webhook_age_seconds"] < 70


def test_readyz_costs_the_same_however_much_there_is(
    client: Client, ticking: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as few:
        client.get("/readyz")
    for _ in range(5):
        make_outgoing(make_client(make_user(make_department())), at=minutes_ago(6))
    with django_assert_num_queries(len(few)):
        client.get("/readyz")


def test_readyz_names_nobody(client: Client, ticking: None) -> None:
    make_outgoing(make_client(make_user(make_department())), "a word that only this text has")
    answer = client.get("/readyz").content.decode()
    assert "Lopez" not in answer
    assert "+1" not in answer
