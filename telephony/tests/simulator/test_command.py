"""`manage.py phones`: what it hands to the phones."""

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.models import Department
from telephony.management.commands import phones
from telephony.simulator.config import PhonesConfig


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[PhonesConfig]:
    configs: list[PhonesConfig] = []
    monkeypatch.setattr(phones, "run", configs.append)
    return configs


def test_settings_are_the_defaults(started: list[PhonesConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONES_PORT", "8123")
    call_command("phones")
    (config,) = started
    assert (config.account_sid, config.auth_tokens) == (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKENS)
    assert (config.host, config.port, config.product_url) == ("127.0.0.1", 8123, settings.PUBLIC_URL)
    assert config.state == Path(settings.DATA_DIR) / "phones.sqlite3"
    assert config.find_numbers is phones.department_numbers


def test_options_go_before_settings(started: list[PhonesConfig], tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    options = ["--port", "8124", "--product-url", "http://127.0.0.1:9", "--state", str(state)]
    call_command("phones", *options, "--number", "+18015550100", "--number", "+18015550101")
    (config,) = started
    assert (config.port, config.product_url, config.state) == (8124, "http://127.0.0.1:9", state)
    assert config.find_numbers() == ["+18015550100", "+18015550101"]


@pytest.mark.django_db(transaction=True)
def test_numbers_are_those_of_the_departments_now() -> None:
    found: list[list[str]] = []

    def ask() -> None:
        thread = threading.Thread(target=lambda: found.append(phones.department_numbers()))
        thread.start()
        thread.join()

    ask()
    Department.objects.create(name="Pretrial Services", phone_number="+18015550100")
    Department.objects.create(name="Probation", phone_number="+18015550101")
    ask()
    assert found == [[], ["+18015550100", "+18015550101"]]
