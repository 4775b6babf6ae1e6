"""axe-core finds nothing on any screen: light and dark, on a desk and in a pocket. And nothing hangs out sideways."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, bubble, look_again, open_conversation, shoot, write
from tests.e2e.conftest import Problems
from tests.e2e.product import SALT_LAKE, SUPERVISOR, Product

pytestmark = pytest.mark.browser


Look = tuple[ViewportSize, Literal["light", "dark"]]

EVERY_LOOK: list[Look] = [(DESKTOP, "light"), (DESKTOP, "dark"), (POCKET, "dark"), (POCKET, "light")]
TWO_LOOKS: list[Look] = [(DESKTOP, "dark"), (POCKET, "light")]

RUN_AXE = """
options => axe.run(options).then(found => found.violations.map(it => [it.id, it.nodes.map(node => node.html)]))
"""


def violations(page: Page, *, of_colours_alone: bool = False) -> dict[str, list[str]]:
    """What axe-core finds on the screen as it is now: rule to pieces of the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if of_colours_alone:
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    return dict(page.evaluate(RUN_AXE, options))


def inspect(page: Page, name: str, looks: list[Look] = EVERY_LOOK) -> None:
    """Looks at the screen in each size and scheme. The schemes of one size differ in nothing but colours."""
    found: dict[str, Any] = {}
    sizes_seen = []
    for viewport, scheme in looks:
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        shoot(page, f"{name}-{scheme}")
        look = f"{name}, {viewport['width']}, {scheme}"
        rules = violations(page, of_colours_alone=viewport in sizes_seen)
        found |= {f"{look}: {rule}": nodes for rule, nodes in rules.items()}
        overhang = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found |= {f"{look}: wider than the window by": overhang} if overhang > 0 else {}
        sizes_seen.append(viewport)
    assert found == {}


def test_axe_is_really_asked(open_window: Opener, product: Product) -> None:
    page = open_window()
    page.goto(f"{product.url}/help/")
    page.evaluate("document.querySelector('h1').outerHTML = '<img src=/static/img/icon.svg>'")
    page.evaluate("document.querySelector('main p').style.color = '#eee'")
    assert {"image-alt", "color-contrast"} <= set(violations(page))
    assert set(violations(page, of_colours_alone=True)) == {"color-contrast"}


OPEN_SCREENS = {
    "sign-in": "/accounts/login/",
    "password-forgotten": "/accounts/password/reset/",
    "help": "/help/",
}


@pytest.mark.parametrize("name", OPEN_SCREENS)
def test_screens_for_everybody(open_window: Opener, product: Product, name: str) -> None:
    page = open_window()
    page.goto(product.url + OPEN_SCREENS[name])
    inspect(page, name)


def test_a_sign_in_that_failed(open_window: Opener, product: Product) -> None:
    page = open_window()
    page.goto(f"{product.url}/accounts/login/")
    page.get_by_label("Email").fill("nobody@clientcomm.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, "sign-in-failed")


SCREENS = {
    "list": "/",
    "no-match": "/?search=nobody+of+that+name",
    "new-client": "/clients/new/",
    "account-settings": "/account/settings/",
}


@pytest.mark.parametrize("name", SCREENS)
def test_screens_of_a_case_manager(signed_in: Opener, product: Product, name: str) -> None:
    page = signed_in()
    page.goto(product.url + SCREENS[name])
    inspect(page, name)


def test_the_menus_and_drawers_when_they_are_open(signed_in: Opener, product: Product) -> None:
    page = signed_in(viewport=POCKET)
    page.goto(product.url)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Help")).to_be_visible()
    page.get_by_text("Account", exact=True).click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    shoot(page, "menu-open")
    assert violations(page) == {}
    open_conversation(page, product, "Fonua")
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_text("Weekly check-in on Mondays.")).to_be_visible()
    shoot(page, "details-open")
    assert violations(page) == {}


def test_an_empty_list(signed_in: Opener, product: Product) -> None:
    page = signed_in(SUPERVISOR)
    page.goto(product.url)
    expect(page.get_by_role("heading", name="Add your first client")).to_be_visible()
    inspect(page, "empty-list")


def test_the_departments_page(signed_in: Opener, product: Product) -> None:
    page = signed_in(SUPERVISOR)
    page.goto(f"{product.url}/department/")
    expect(page.get_by_text("Texts go out.")).to_be_visible()
    inspect(page, "department")


def test_a_form_with_errors(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    page.goto(f"{product.url}/clients/new/")
    page.get_by_label("Phone number").fill("801 555")
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("alert")).to_contain_text("Last name")
    expect(page.get_by_role("alert")).to_contain_text("This number has only 6 digits. Is the area code there?")
    inspect(page, "new-client-errors")


CONVERSATIONS = {
    "conversation-long": "Fonua",
    "conversation-empty": "Patel",
    "conversation-unread": "Johnson",
    "conversation-long-words": "Featherstonehaugh-Montgomery",
    "conversation-right-to-left": "الحداد",
    "conversation-emoji": "Gutiérrez",
    "conversation-opted-out": "Begay",
    "conversation-held": "Al-Masri",
    "conversation-failed": "Whitehorse",
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations(signed_in: Opener, product: Product, name: str) -> None:
    page = signed_in()
    open_conversation(page, product, CONVERSATIONS[name])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    inspect(page, name, EVERY_LOOK if name in ("conversation-long", "conversation-failed") else TWO_LOOKS)


def test_the_page_of_a_number(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    open_conversation(page, product, "Jensen")
    page.get_by_role("link", name="Opt-out or wrong number").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    inspect(page, "number", TWO_LOOKS)


def unclear(page: Page, product: Product) -> None:
    product.phones.faults("server_error", number=product.number("Brown"))
    write(page, "Is this unclear?")
    product.wait_for_state("Is this unclear?", "unknown")
    look_again(page)
    expect(bubble(page, "Is this unclear?")).to_contain_text("Checking whether this was sent")


def too_long(page: Page, product: Product) -> None:
    page.get_by_role("textbox", name="Message to").fill("x" * 1601)
    expect(page.locator("#composer-count")).to_contain_text("1 character")


def new_below(page: Page, product: Product) -> None:
    """The reader has scrolled up when a text comes in."""
    scroller = page.locator("[data-talk-scroller]")
    scroller.evaluate("it => it.scrollTop = -400")
    product.phones.text(product.number("Anderson"), SALT_LAKE, "While you were reading")
    look_again(page)
    expect(page.get_by_role("button", name="1 new message")).to_be_visible()


MOMENTS: dict[str, tuple[str, Callable[[Page, Product], None]]] = {
    "unclear": ("Brown", unclear),
    "too-long": ("Novotná", too_long),
    "new-below": ("Anderson", new_below),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments_in_a_conversation(signed_in: Opener, product: Product, name: str) -> None:
    client, happen = MOMENTS[name]
    page = signed_in(viewport={"width": 1280, "height": 500})
    open_conversation(page, product, client)
    happen(page, product)
    inspect(page, name, TWO_LOOKS)


def test_a_page_that_is_not_there(signed_in: Opener, product: Product, problems: Problems) -> None:
    problems.expect("404")
    page = signed_in()
    page.goto(f"{product.url}/no-such-page/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    inspect(page, "404")


def test_the_pocket_phones(open_window: Opener, product: Product) -> None:
    page = open_window()
    product.phones.text(product.number("Kim"), SALT_LAKE, "Hello from a phone")
    for name, path in {
        "phones": "/", "phones-talk": f"/phones/{product.number('Kim')}", "phones-faults": "/faults"
    }.items():  # fmt: skip
        page.goto(product.installation.phones_url + path)
        inspect(page, name, TWO_LOOKS)
