"""The background tasks: each makes one call, with the carrier that the settings name."""

from collections.abc import Iterator

import pytest
from celery import current_app
from django.utils import timezone
from pytest_django import Settings

from accounts.models import OutgoingEmail, User
from clients.models import CaseAssignment
from messaging import sms, tasks
from messaging.models import BeatTick, Message
from messaging.tests.carriers import CarrierOfTheSettings
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def carrier(settings: Settings) -> Iterator[CarrierOfTheSettings]:
    """The one that the settings name; the process's own comes back afterwards."""
    settings.SMS_BACKEND = "messaging.tests.carriers.CarrierOfTheSettings"
    sms._carrier.cache_clear()
    backend = sms.get_backend()
    assert isinstance(backend, CarrierOfTheSettings)
    yield backend
    sms._carrier.cache_clear()


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def test_the_carrier_is_one_for_the_process(carrier: CarrierOfTheSettings) -> None:
    assert sms.get_backend() is carrier
    assert sms.get_carrier_list() is carrier  # type: ignore[comparison-overlap]  # whoever it is, it is the same


def test_a_ring_hands_over_what_is_due_and_writes_no_tick(
    carrier: CarrierOfTheSettings, client_of_alice: CaseAssignment
) -> None:
    builders.make_outgoing(client_of_alice, "Hello")
    tasks.deliver_due()
    assert carrier.bodies == ["Hello"]
    assert not BeatTick.objects.exists()


def test_beats_tick_is_written_down_and_hands_over_too(
    carrier: CarrierOfTheSettings, client_of_alice: CaseAssignment
) -> None:
    builders.make_outgoing(client_of_alice, "Hello")
    tasks.deliver_due(from_beat=True)
    assert carrier.bodies == ["Hello"]
    assert (timezone.now() - BeatTick.objects.get().at).total_seconds() < 5


def test_the_sweep_names_what_is_unclear(client_of_alice: CaseAssignment) -> None:
    stuck = builders.make_outgoing(client_of_alice, state=Message.State.SENDING, at=builders.minutes_ago(2))
    tasks.sweep_unclear()
    stuck.refresh_from_db()
    assert stuck.state == "unknown"


def test_new_texts_are_mailed_about(client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice)
    Message.objects.update(state_at=builders.minutes_ago(1))
    CaseAssignment.objects.update(started_at=builders.minutes_ago(2))
    User.objects.update(notifications_from=builders.minutes_ago(2))
    tasks.tell_at_once()
    tasks.tell_summaries()
    assert OutgoingEmail.objects.count() == 1


@pytest.mark.parametrize("name", ["messaging.deliver_due", "messaging.sweep_unclear"])
def test_the_tasks_are_known_by_the_names_that_are_rung(name: str) -> None:
    assert name in current_app.tasks
