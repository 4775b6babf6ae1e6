"""One text to many: written, chosen, checked, sent, followed; taken back; scheduled, changed, deleted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, shoot, sign_in
from tests.e2e.product import Product
from tests.e2e.test_accessibility import TWO_LOOKS, inspect
from tests.e2e.test_keyboard import tab_to

pytestmark = pytest.mark.browser

# To Castillo, Christensen, Thompson alone: other journeys count the texts that their clients get.
TEXT = "Hi {first name}, the office is closed on "


def begin(page: Page, product: Product, text: str) -> None:
    page.goto(product.url)
    page.get_by_role("link", name="Mass message").click()
    page.get_by_label("Message", exact=True).fill(text)


def search(page: Page, name: str) -> None:
    """Without a script by its button, with one as one types."""
    page.get_by_role("searchbox").fill(name)
    if page.get_by_role("button", name="Search", exact=True).last.is_visible():
        page.get_by_role("button", name="Search", exact=True).last.click()
    rows = page.locator("[data-mass-list] > li")
    expect(rows.filter(has_not_text=name)).to_have_count(0)
    expect(rows).to_have_count(1)


def choose(page: Page, *names: str) -> None:
    for name in names:
        search(page, name)
        page.locator("[data-tick]").check()


def confirm(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name="Recipients")).to_be_visible()


def figure(page: Page, words: str) -> None:
    expect(page.get_by_role("list", name="Progress")).to_contain_text(words)


@pytest.mark.parametrize("viewport", [DESKTOP, POCKET], ids=["on a desk", "in a pocket"])
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_from_the_text_to_the_record(
    open_window: Opener, product: Product, viewport: dict[str, int], *, script: bool
) -> None:
    page = open_window(viewport=viewport, java_script_enabled=script)
    sign_in(page, product)
    where = f"{viewport['width']}{'' if script else ' without script'}"
    begin(page, product, f"{TEXT}{where}.")
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"^0 of "))
    choose(page, "Castillo", "Christensen")
    search(page, "Thompson")
    page.locator("[data-tick]").check()
    shoot(page, f"mass-choose-{'script' if script else 'plain'}")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mass message")
    expect(page.get_by_role("main")).to_contain_text(re.compile(f"Hi (Rosa|Dylan), the office is closed on {where}"))
    expect(page.get_by_role("main")).to_contain_text(f"Hi, the office is closed on {where}.")
    shoot(page, f"mass-check-{'script' if script else 'plain'}")
    page.get_by_role("link", name="Back to the text").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value(f"{TEXT}{where}.")
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"^3 of "))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Send 3 text messages").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Going out to 3 people"))
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    product.phones.wait_for(product.number("Castillo"), f"Hi Rosa, the office is closed on {where}.", timeout=60)
    product.phones.wait_for(product.number("Thompson"), f"Hi, the office is closed on {where}.", timeout=60)
    if not script:
        page.reload()
    figure(page, "3 Handed over")
    shoot(page, f"mass-record-{'script' if script else 'plain'}")
    received = [text.body for text in product.phones.received(product.number("Christensen"))]
    assert sum(body.endswith(f"closed on {where}.") for body in received) == 1


def test_select_all_undo_and_the_ticks_are_back(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    begin(page, product, "Never sent")
    page.get_by_label("Select all").check()
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"^[1-9]\d+ of \d+ chosen"))  # others add clients
    page.locator("[data-tick]:checked").first.uncheck()
    expect(page.get_by_label("Select all")).not_to_be_checked()
    chosen = page.locator("[data-chosen]").inner_text()
    search(page, "Castillo")
    expect(page.locator("[data-chosen]")).to_have_text(chosen)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("main")).to_contain_text("opted out")
    confirm(page, f"Send {chosen.split()[0]} text messages")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Never sent")
    expect(page.locator("[data-chosen]")).to_have_text(chosen)
    assert all(text.body != "Never sent" for text in product.phones.received(product.number("Castillo")))


def test_problems_are_named_and_nothing_is_lost(signed_in: Opener, product: Product) -> None:
    page = signed_in(viewport=POCKET)
    begin(page, product, "Hi {nickname}")
    choose(page, "Castillo")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("“{nickname}” can't be filled in.")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hi {nickname}")
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"^1 of "))
    inspect(page, "mass-problems", TWO_LOOKS)


def test_scheduled_changed_and_deleted(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    begin(page, product, "Scheduled words")
    choose(page, "Castillo")
    page.get_by_label("Send later").check()
    page.get_by_role("button", name="Tomorrow 9:00 am").click()
    expect(page.get_by_text("9:00 am (Denver time)")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    inspect(page, "mass-check-scheduled", TWO_LOOKS)
    confirm(page, "Schedule 1 text message")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scheduled for 1 person")
    page.get_by_role("button", name="Change").click()
    page.get_by_label("Message", exact=True).fill("Changed words")
    page.get_by_role("button", name="Continue").click()
    confirm(page, "Schedule 1 text message")
    page.goto(f"{product.url}/mass-messages/?show=scheduled")
    expect(page.get_by_role("main")).to_contain_text("Changed words")
    expect(page.get_by_role("main")).not_to_contain_text("Scheduled words")
    page.get_by_role("link", name="Changed words").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("It will not go out")).to_be_visible()


def test_all_of_it_without_a_mouse(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    page.goto(f"{product.url}/mass-messages/new/")
    tab_to(page, "Message")
    page.keyboard.type("Without a mouse")
    tab_to(page, "Search by name, number or ID number")
    page.keyboard.type("castillo")
    expect(page.locator("[data-mass-list] > li")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-mass-list][inert]")).to_have_count(0)  # nobody can go there while it is drawn anew
    tab_to(page, page.locator(".mass-row-label").inner_text().strip())
    page.keyboard.press("Space")
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"^1 of "))
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mass message")
    tab_to(page, "Send 1 text message")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Going out to 1 person")
    tab_to(page, "Undo")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Without a mouse")


SCREENS: dict[str, str] = {
    "mass-new": "/mass-messages/new/",
    "mass-list": "/mass-messages/",
    "mass-list-empty": "/mass-messages/?show=scheduled",
}


@pytest.mark.parametrize("name", SCREENS)
def test_screens(signed_in: Opener, product: Product, name: str) -> None:
    page = signed_in()
    page.goto(product.url + SCREENS[name])
    inspect(page, name, TWO_LOOKS)


def test_the_record_as_it_goes(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    begin(page, product, "A record")
    choose(page, "Castillo", "Christensen")
    page.get_by_role("button", name="Continue").click()
    inspect(page, "mass-check", TWO_LOOKS)
    confirm(page, "Send 2 text messages")
    inspect(page, "mass-record", TWO_LOOKS)
