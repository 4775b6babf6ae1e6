"""The web server was down for an hour: what clients wrote meanwhile is found at the carrier, within one comparison."""

import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from clients.models import CaseAssignment
from messaging import reconciliation
from messaging.models import Message, Orphan, SenderNumber
from telephony.backends import TwilioBackend
from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import phones_in_thread
from tests.builders import make_client, make_department, make_user, number_of
from tests.running import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

OURS = "+18015550100"
TEXTS, CLIENTS = 500, 50


@pytest.fixture
def phones(settings: Settings, tmp_path: Path) -> Iterator[PocketPhones]:
    """The phones; nobody answers their webhooks."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    with phones_in_thread(product_url=nowhere, state=tmp_path / "phones.sqlite3", numbers=[OURS]) as running:
        settings.TWILIO_API_URL = running.config.base_url
        settings.TWILIO_ACCOUNT_SID = running.config.account_sid
        settings.TWILIO_AUTH_TOKENS = list(running.config.auth_tokens)
        yield running.control


@pytest.fixture
def clients() -> list[CaseAssignment]:
    case_manager = make_user(make_department(phone_number=OURS))
    return [make_client(case_manager) for _ in range(CLIENTS)]


def write_while_nobody_answers(phones: PocketPhones, clients: list[CaseAssignment]) -> dict[str, list[str]]:
    """Each client's texts, in the order in which the carrier got them."""
    written: dict[str, list[str]] = defaultdict(list)

    def write(client: str) -> None:
        for number in range(TEXTS // CLIENTS):
            written[client].append(phones.text(client, OURS, f"text {number} of {client}").sid)

    addresses = [number_of(client).address for client in clients]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, addresses))
    return written


def test_after_an_outage_of_an_hour_one_comparison_brings_all_texts_in_their_order(
    phones: PocketPhones, clients: list[CaseAssignment]
) -> None:
    department = clients[0].client.department
    an_hour_later = timezone.now() + timedelta(minutes=59)
    SenderNumber.objects.create(department=department, compared_until=timezone.now(), looked_back_at=timezone.now())
    written = write_while_nobody_answers(phones, clients)
    begun = time.monotonic()
    reconciliation.compare_all(TwilioBackend(), now=an_hour_later)
    seconds = time.monotonic() - begun
    print(f"{TEXTS} texts found and stored in {seconds:.1f} s")  # noqa: T201  the figure (pytest -s)
    assert seconds < 180, "the next comparison would begin meanwhile"
    assert Message.objects.count() == TEXTS
    for client, sids in written.items():
        stored = Message.objects.filter(their_number=client).order_by("placed_at", "pk")
        assert list(stored.values_list("carrier_id", flat=True)) == sids
    assert SenderNumber.objects.get().late_arrivals == TEXTS
    assert not Orphan.objects.exists()
    reconciliation.compare_all(TwilioBackend(), now=an_hour_later)
    assert Message.objects.count() == TEXTS
