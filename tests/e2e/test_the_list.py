"""Finding one's way in a long list: search, filter and order, and Back to where one was; unread again, for later."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, bubble, look_again, shoot, sign_in
from tests.e2e.product import SALT_LAKE, Product
from tests.e2e.test_accessibility import TWO_LOOKS, inspect

pytestmark = pytest.mark.browser

BOTH_SIZES = pytest.mark.parametrize("viewport", [DESKTOP, POCKET], ids=["on a desk", "in a pocket"])


def add(page: Page, product: Product, first: str, last: str, number: str) -> None:
    page.goto(f"{product.url}/clients/new/")
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("Phone number").fill(number)
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{first} {last}")


def listed(page: Page, *names: str) -> None:
    expect(page.locator("#caseload .client-name")).to_have_text(list(names))


def open_choices(page: Page) -> None:
    """On a phone they stand behind one button, on a desk they are open."""
    assert page.viewport_size is not None
    if page.viewport_size["width"] < 768 and not page.get_by_label("Show", exact=True).is_visible():
        page.get_by_text("Filter and sort").click()


@BOTH_SIZES
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_search_filter_and_order_survive_back_and_reload(
    open_window: Opener, product: Product, viewport: dict[str, int], *, script: bool
) -> None:
    page = open_window(viewport=viewport, java_script_enabled=script)
    sign_in(page, product)
    tag = f"{viewport['width']}{'x' if script else 'y'}"
    area = {"1280x": 970, "1280y": 928, "390x": 719, "390y": 775}[tag]
    add(page, product, "Zora", f"Zelenka-{tag}", f"{area}-555-0151")
    add(page, product, "Ida", f"Zima-{tag}", f"{area}-555-0152")

    def confirm() -> None:
        if not script:
            page.get_by_role("button", name="Search", exact=True).click()

    page.goto(product.url)
    page.get_by_role("searchbox").fill(tag)
    confirm()
    expect(page.locator("#caseload .client-name")).to_have_count(2)
    open_choices(page)
    page.get_by_label("Sort by", exact=True).select_option("Name: A to Z")
    confirm()
    listed(page, f"Zora Zelenka-{tag}", f"Ida Zima-{tag}")
    shoot(page, f"list-sorted-{tag}")
    open_choices(page)
    page.get_by_label("Sort by", exact=True).select_option("Name: Z to A")
    confirm()
    listed(page, f"Ida Zima-{tag}", f"Zora Zelenka-{tag}")
    expect(page).to_have_url(re.compile(f"search={tag}.*sort=-name"))

    page.get_by_role("link", name=f"Ida Zima-{tag}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Ida Zima-{tag}")
    page.go_back()
    listed(page, f"Ida Zima-{tag}", f"Zora Zelenka-{tag}")
    expect(page.get_by_role("searchbox")).to_have_value(tag)

    open_choices(page)
    page.get_by_label("Show", exact=True).select_option("Needs a reply")
    confirm()
    expect(page.get_by_role("heading", name="No client matches")).to_be_visible()
    page.go_back()
    listed(page, f"Ida Zima-{tag}", f"Zora Zelenka-{tag}")
    open_choices(page)
    expect(page.get_by_label("Show", exact=True)).to_have_value("")
    expect(page.get_by_label("Sort by", exact=True)).to_have_value("-name")
    page.reload()
    listed(page, f"Ida Zima-{tag}", f"Zora Zelenka-{tag}")
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.locator("#caseload .client-name").nth(2)).to_be_visible()
    expect(page).to_have_url(f"{product.url}/")


def test_headings_turn_the_order_round_and_what_comes_in_changes_no_order(
    open_window: Opener, product: Product
) -> None:
    page = open_window()
    sign_in(page, product)
    add(page, product, "Zdenka", "Zajic-live", "(701) 555-0151")
    add(page, product, "Zuzana", "Zeman-live", "(701) 555-0152")
    page.goto(f"{product.url}/?search=-live")
    heading = page.get_by_role("columnheader", name="Client")
    heading.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_label("Sort by", exact=True)).to_have_value("name")
    listed(page, "Zdenka Zajic-live", "Zuzana Zeman-live")
    expect(heading.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    listed(page, "Zuzana Zeman-live", "Zdenka Zajic-live")

    product.phones.text(product.number("Zajic-live"), SALT_LAKE, "I am here")
    look_again(page)
    expect(page.locator("tr.unread")).to_contain_text("I am here")
    listed(page, "Zuzana Zeman-live", "Zdenka Zajic-live")
    expect(page).to_have_url(re.compile("sort=-name"))

    page.get_by_role("link", name="Zuzana Zeman-live").click()
    beside = page.get_by_role("navigation", name="My clients")
    expect(beside.locator(".client-name")).to_have_text(["Zuzana Zeman-live", "Zdenka Zajic-live"])
    expect(beside.locator("tr.open")).to_contain_text("Zuzana")
    shoot(page, "list-beside")
    beside.get_by_role("link", name="Zdenka Zajic-live").click()
    expect(bubble(page, "I am here")).to_be_visible()
    page.get_by_role("navigation", name="My clients").get_by_role("heading").get_by_role("link").click()
    listed(page, "Zuzana Zeman-live", "Zdenka Zajic-live")


@BOTH_SIZES
def test_a_text_is_marked_unread_for_later(open_window: Opener, product: Product, viewport: dict[str, int]) -> None:
    page = open_window(viewport=viewport)
    sign_in(page, product)
    name = f"Zverina-{viewport['width']}"
    add(page, product, "Zita", name, f"(605) 555-0{viewport['width'] % 100 + 100}")
    product.phones.text(product.number(name), SALT_LAKE, f"Read me later, {name}")
    look_again(page)
    expect(bubble(page, "Read me later")).to_be_visible()
    expect(page.locator("[data-talk-scroller]")).to_have_class(re.compile("marks-by-script"))
    page.reload()
    if page.get_by_role("button", name="Details").is_visible():
        page.get_by_role("button", name="Details").click()
    page.get_by_role("button", name="Mark unread").click()
    expect(page.locator("#caseload tr.unread").filter(has_text=name)).to_contain_text("1 unread")
    assert not product.is_read(f"Read me later, {name}")


def test_screens_of_the_list(open_window: Opener, product: Product) -> None:
    page = open_window()
    sign_in(page, product)
    for name, address in (
        ("list-filtered", "/?show=needs-reply&search=a"),
        ("list-unread-sorted", "/?sort=-name"),
        ("list-former-none", "/?show=former"),
    ):
        page.goto(product.url + address)
        inspect(page, name, TWO_LOOKS)


def test_the_page_of_statuses(open_window: Opener, product: Product) -> None:
    page = open_window()
    sign_in(page, product, "admin@clientcomm.test")
    page.goto(f"{product.url}/department/")
    page.get_by_role("link", name="Client statuses").click()
    inspect(page, "statuses", TWO_LOOKS)
    page.get_by_label("Name").fill("On hold")
    page.get_by_label("Purple").check()
    page.get_by_role("button", name="Add status").click()
    page.get_by_role("button", name="Move up: On hold").click()
    rows = page.locator(".status-row")
    expect(rows.nth(2)).to_contain_text("On hold")
    page.get_by_role("link", name="Change On hold").click()
    inspect(page, "status-change", TWO_LOOKS)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Delete On hold").click()
    expect(rows).to_have_count(3)
