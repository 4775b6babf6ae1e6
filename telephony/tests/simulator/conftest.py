"""One set of phones and one stand-in for the product serve all tests of a run; each test begins with both empty."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.simulator.threaded import RunningPhones, phones_in_thread
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA, client_for
from telephony.tests.simulator.product import Product, running_product


@pytest.fixture(scope="session")
def running_product_server() -> Iterator[Product]:
    with running_product() as product:
        yield product


@pytest.fixture(scope="session")
def running_phones(
    running_product_server: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPhones]:
    state = tmp_path_factory.mktemp("phones") / "state.sqlite3"
    with phones_in_thread(product_url=running_product_server.url, state=state) as running:
        yield running


@pytest.fixture
def phones(running_phones: RunningPhones, running_product_server: Product) -> PocketPhones:
    """The switches, all off, and no message anywhere; the product answers with empty TwiML."""
    running_phones.control.reset()
    running_product_server.reset()
    running_phones.control.timing(sent=0.02, delivered=0.12)
    return running_phones.control


@pytest.fixture
def product(running_product_server: Product, phones: PocketPhones) -> Product:
    return running_product_server


@pytest.fixture
def config(running_phones: RunningPhones, phones: PocketPhones) -> PhonesConfig:
    return running_phones.config


@pytest.fixture
def twilio(config: PhonesConfig) -> Iterator[Client]:
    client = client_for(config)
    yield client
    client.http_client.close()


@dataclass
class Sender:
    """Sends a text as the product would, with what a test leaves out filled in."""

    twilio: Client
    product: Product

    def __call__(
        self, body: str = "Hello", to: str = MARIA, from_: str = DEPARTMENT, **more: object
    ) -> MessageInstance:
        more.setdefault("status_callback", f"{self.product.status_url}?m=our-id")
        return self.twilio.messages.create(to=to, from_=from_, body=body, **more)


@pytest.fixture
def send(twilio: Client, product: Product) -> Sender:
    return Sender(twilio, product)
