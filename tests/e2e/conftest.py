"""One product and one browser for the journeys of a run; each journey has a browser window of its own.

CLIENTCOMM_SCREENSHOTS=<folder> keeps pictures of the screens, for people to look at.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from conftest import CHROMIUM
from tests.e2e.browsing import DESKTOP, Opener, sign_in
from tests.e2e.product import (
    DEMO,
    Product,
    embedded_installation,
    servers_installation,
    started,
    usual_kind,
)

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 15_000  # milliseconds


@pytest.fixture(scope="session")
def products() -> Iterator[Callable[[str], Product]]:
    """Starts a product of the kind asked for, once, and keeps it until the run ends."""
    with ExitStack() as stack:
        running: dict[str, Product] = {}

        def product(kind: str) -> Product:
            if kind not in running:
                installation = embedded_installation() if kind == "embedded" else servers_installation()
                running[kind] = stack.enter_context(started(stack.enter_context(installation)))
            return running[kind]

        yield product


@pytest.fixture
def product(products: Callable[[str], Product]) -> Product:
    """As `make run` would start it here, with no fault switched on."""
    found = products(usual_kind())
    found.phones.clear_faults()
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """For this package only: while Playwright's event loop runs in it, a process can't use Django's database."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Problems:
    """What goes wrong in a window without being seen: errors of scripts, refused resources, server errors."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.expected: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script: {error.error}"))
        context.on("response", self._response)

    def expect(self, pattern: str) -> None:
        """A journey that provokes something says so."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [it for it in self.found if not any(re.search(pattern, it) for pattern in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console: {message.text} ({message.location.get('url')})")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.found.append(f"{response.status} {response.url}")


@pytest.fixture
def problems() -> Iterator[Problems]:
    """Fails the journey for anything that nobody expected."""
    problems = Problems()
    yield problems
    assert problems.unexpected() == []


@pytest.fixture
def open_window(browser: Browser, problems: Problems) -> Iterator[Opener]:
    """Opens a window: nobody is signed in. `options` as for Playwright's new_context."""
    contexts = []

    def window(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
        context.set_default_timeout(PATIENCE)
        problems.watch(context)
        contexts.append(context)
        return context.new_page()

    yield window
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def sessions(browser: Browser) -> dict[tuple[str, str], Any]:
    """Cookies by product and person: signing in is one journey, the others need not repeat it."""
    return {}


@pytest.fixture
def signed_in(open_window: Opener, product: Product, sessions: dict[tuple[str, str], Any]) -> Opener:
    """Opens a window in which a person has signed in."""

    def window(email: str = DEMO, **options: Any) -> Page:
        key = (product.url, email)
        if key not in sessions:
            page = open_window()
            sign_in(page, product, email)
            sessions[key] = page.context.storage_state()
            page.context.close()
        return open_window(storage_state=sessions[key], **options)

    return window
