"""What holds for every test: the servers it says it uses, no sockets to elsewhere, what is skipped and why.

And who is asked: Alice, Bob and a supervisor in one department, Charlie in another, a visitor; as_… is their browser.
"""

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import Client as Browser

from accounts.models import Department, User
from messaging import hearing
from tests import builders, running, servers

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

# A machine that several people use is slow now and then: that says nothing about an example.
hypothesis.settings.register_profile("clientcomm", deadline=None)
hypothesis.settings.load_profile("clientcomm")


def pytest_report_header() -> str:
    return f"servers: {servers.found()}"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        servers.drop_leftovers()
    servers.scratch_dir().mkdir(parents=True, exist_ok=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(servers.scratch_dir(), ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    on_postgresql = "DATABASE_URL" in os.environ
    for item in items:
        if "browser" in item.keywords and not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason="no Chromium found"))
        if "postgresql" in item.keywords and not on_postgresql:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL, none runs here"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not terminalreporter.showheader:
        terminalreporter.write_line(f"servers: {servers.found()}")
    if not CHROMIUM:
        terminalreporter.write_line("browser journeys: not run, no Chromium found (apt-get install chromium)")


class SocketToElsewhereError(Exception):
    """A test tried to reach another machine."""


def _refuse_elsewhere(address: object) -> None:
    if not isinstance(address, tuple):
        return
    host = address[0]
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise SocketToElsewhereError(f"tests reach only this machine, not {host}")


class LoopbackSocket(socket.socket):
    """Connects to this machine only."""

    def connect(self, address: Any) -> None:
        _refuse_elsewhere(address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        _refuse_elsewhere(address)
        return super().connect_ex(address)


@pytest.fixture(autouse=True, scope="session")
def only_loopback_sockets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", LoopbackSocket)
        yield


@pytest.fixture(autouse=True)
def carriers_words_are_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written down every ten seconds, they would be one statement more in a test now and then."""
    monkeypatch.setattr(hearing, "EVERY_SECONDS", float("inf"))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[running.Installation]:
    """A database, ports and files for a product that runs as its own processes (tests/running.py)."""
    with running.fresh_installation(tmp_path) as fresh:
        yield fresh


@pytest.fixture
def department(db: None) -> Department:
    """Where Alice, Bob and the supervisor work."""
    return builders.make_department(phone_number="+18015550100")


@pytest.fixture
def elsewhere(db: None) -> Department:
    """Another department, Charlie's."""
    return builders.make_department(phone_number="+13035550100")


@pytest.fixture
def alice(department: Department) -> User:
    return builders.make_user(department, "Alice Adams")


@pytest.fixture
def bob(department: Department) -> User:
    return builders.make_user(department, "Bob Brown")


@pytest.fixture
def charlie(elsewhere: Department) -> User:
    return builders.make_user(elsewhere, "Charlie Clark")


@pytest.fixture
def supervisor(department: Department) -> User:
    return builders.make_user(department, "Sue Stone", role=User.Role.SUPERVISOR)


def signed_in(user: User) -> Browser:
    """A browser in which this person has signed in."""
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def as_alice(alice: User) -> Browser:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Browser:
    return signed_in(bob)


@pytest.fixture
def as_charlie(charlie: User) -> Browser:
    return signed_in(charlie)


@pytest.fixture
def as_supervisor(supervisor: User) -> Browser:
    return signed_in(supervisor)


@pytest.fixture
def anonymous() -> Browser:
    """A browser in which nobody has signed in."""
    return Browser()
