"""Everything by keyboard alone, and one always sees where one is."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import Opener, bubble, shoot
from tests.e2e.product import DEMO, PASSWORD, Product

pytestmark = pytest.mark.browser


def test_sign_in_find_a_client_send_and_sign_out_without_a_mouse(open_window: Opener, product: Product) -> None:
    page = open_window()
    page.goto(product.url)
    tab_to(page, "Email")
    page.keyboard.type(DEMO)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("My clients")
    page.wait_for_load_state()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    shoot(page, "skip-link")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    tab_to(page, "Search by name, number or ID number")
    page.keyboard.type("yazzie")
    expect(page.locator("[data-caseload-rows] > tr")).to_have_count(1)
    tab_to(page, "Joseph Yazzie")
    shoot(page, "focus-on-a-client")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Joseph Yazzie")
    page.wait_for_load_state()

    tab_to(page, "Message to Joseph Yazzie")
    page.keyboard.type("Typed without a mouse")
    page.keyboard.press("Enter")
    page.keyboard.type("on two lines")
    page.keyboard.press("Control+Enter")
    expect(bubble(page, "on two lines")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message to")).to_be_focused()
    product.phones.wait_for(product.number("Yazzie"), "Typed without a mouse\non two lines")

    page.keyboard.press("Shift+Tab")
    assert_focus_is_seen(page)

    tab_to(page, "Account")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    assert focused_name(page) == "Account"
    page.keyboard.press("Enter")
    tab_to(page, "Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until what is named has the focus, and sees to it that the focus shows at each stop."""
    for _ in range(80):
        if focused_name(page) == name:
            return
        page.keyboard.press("Tab")
        assert_focus_is_seen(page)
    raise AssertionError(f"Tab never came to “{name}”")


def focused_name(page: Page) -> str:
    """What a screen reader would call the focused thing, as far as this journey needs it."""
    name = page.evaluate(
        """() => {
            const it = document.activeElement;
            if (!it || it === document.body) return "";
            return (it.labels?.[0]?.innerText || it.getAttribute("aria-label") || it.innerText || "").trim();
        }"""
    )
    return str(name).removesuffix("*").strip()


def assert_focus_is_seen(page: Page) -> None:
    """The focused thing has an outline, a shadow or a border of its own, and is within the window."""
    problem = page.evaluate(
        """() => {
            const it = document.activeElement;
            if (!it || it === document.body) return "";
            const seen = [null, "::after"].some((part) => {
                const style = getComputedStyle(it, part);
                const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                return outlined || style.boxShadow !== "none";
            });
            const box = it.getBoundingClientRect();
            const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
            return seen && inside ? "" : `${it.outerHTML.slice(0, 120)}: seen ${seen}, inside ${inside}`;
        }"""
    )
    assert problem == ""
