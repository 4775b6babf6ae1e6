"""What people do in a browser, in one line each."""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.product import DEMO, PASSWORD, Product

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
POCKET: ViewportSize = {"width": 390, "height": 844}

Opener = Callable[..., Page]


def sign_in(page: Page, product: Product, email: str = DEMO) -> None:
    page.goto(f"{product.url}/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{product.url}/")


def open_conversation(page: Page, product: Product, last_name: str) -> None:
    page.goto(f"{product.url}/conversations/{product.client_id(last_name)}/")


def look_again(page: Page) -> None:
    """What the page does by itself every few seconds, now."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def shoot(page: Page, name: str) -> None:
    """Keeps a picture of the window if somebody wants to look at them."""
    if folder := os.environ.get("CLIENTCOMM_SCREENSHOTS"):
        size = page.viewport_size or DESKTOP
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png")


def write(page: Page, body: str) -> None:
    """Types a text into the composer and sends it."""
    box = page.get_by_role("textbox", name="Message to")
    box.fill(body)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(bubble(page, body)).to_be_visible()


def bubble(page: Page, body: str) -> Locator:
    """The message with these words, with what stands below it."""
    return page.locator("[data-item]").filter(has_text=body)
