"""A client from the first day on: added, changed, with a new number, deleted, back. On a desk and in a pocket."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, bubble, open_conversation, shoot, write
from tests.e2e.product import DEMO, SALT_LAKE, Product
from tests.e2e.test_accessibility import inspect

pytestmark = pytest.mark.browser

COLLEAGUE = "colleague@clientcomm.test"
SIZES = pytest.mark.parametrize("viewport", [DESKTOP, POCKET], ids=["on a desk", "in a pocket"])
_serial = itertools.count(10)


def fresh() -> tuple[str, str]:
    """A last name and a number of this journey's own, as a person writes it."""
    serial = next(_serial)
    return f"Journey{serial}", f"(307) 555-01{serial}"


def e164(number: str) -> str:
    return "+1" + "".join(filter(str.isdigit, number))


def fill_in(page: Page, product: Product, name: str, number: str, notes: str = "") -> None:
    page.goto(f"{product.url}/clients/new/")
    page.get_by_label("Last name").fill(name)
    page.get_by_label("Phone number").fill(number)
    page.get_by_label("Notes").fill(notes)
    page.get_by_role("button", name="Save client").click()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


@SIZES
@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_a_new_number_a_deletion_and_back(
    signed_in: Opener, product: Product, viewport: dict[str, int], script: bool
) -> None:
    page = signed_in(DEMO, viewport=viewport, java_script_enabled=script)
    (name, number), (_other, new_number) = fresh(), fresh()
    fill_in(page, product, name, number)
    heading(page, name)

    body = f"It is {name}, from my new phone"
    product.phones.text(e164(new_number), SALT_LAKE, body)
    page.get_by_role("link", name="Manage client").first.click()
    heading(page, "Manage client")
    page.get_by_label("Phone number").fill(new_number)
    page.get_by_label("Language").fill("Spanish")
    page.get_by_role("button", name="Save").click()
    heading(page, f"{new_number} is known here")
    expect(page.get_by_text(body)).to_be_visible()
    shoot(page, f"same-person-{'script' if script else 'plain'}")
    page.get_by_role("button", name="Yes, join them").click()
    expect(bubble(page, body)).to_be_visible()
    expect(page.get_by_text(f"Number changed from {number} to {new_number}")).to_be_visible()

    page.get_by_role("link", name="Manage client").first.click()
    expect(page.get_by_label("Language")).to_have_value("Spanish")
    page.get_by_role("link", name="Delete client").click()
    heading(page, f"Delete {name}?")
    page.get_by_role("button", name="Delete client").click()
    heading(page, "My clients")
    expect(page.get_by_text(f"{name} is no longer on your list.")).to_be_visible()
    shoot(page, f"deleted-{'script' if script else 'plain'}")
    page.get_by_role("button", name="Restore").click()
    heading(page, name)
    expect(page.get_by_text("is back on your list")).to_be_visible()


def test_from_the_old_conversation_and_by_a_text_a_client_comes_back(signed_in: Opener, product: Product) -> None:
    page = signed_in(DEMO)
    name, number = fresh()
    fill_in(page, product, name, number)
    write(page, f"Hello {name}")
    for way in ("Restore", "text"):
        page.goto(f"{product.url}/clients/{product.client_id(name)}/delete/")
        page.get_by_role("button", name="Delete client").click()
        heading(page, "My clients")
        if way == "text":
            product.phones.text(e164(number), SALT_LAKE, f"Are you there? {name}")
        open_conversation(page, product, name)
        if way == "Restore":
            page.get_by_role("button", name="Restore").click()
        expect(page.get_by_role("textbox", name="Message to")).to_be_visible()
    expect(bubble(page, f"Are you there? {name}")).to_be_visible()


@SIZES
def test_a_colleagues_client_is_asked_about_and_nothing_typed_is_lost(
    signed_in: Opener, product: Product, viewport: dict[str, int]
) -> None:
    colleague, page = signed_in(COLLEAGUE), signed_in(DEMO, viewport=viewport)
    name, number = fresh()
    fill_in(colleague, product, name, number)
    heading(colleague, name)
    fill_in(page, product, name, number)
    expect(page.get_by_role("alert")).to_contain_text("A supervisor can transfer them to you.")
    colleague.goto(f"{product.url}/clients/{product.client_id(name)}/delete/")
    colleague.get_by_role("button", name="Delete client").click()
    heading(colleague, "My clients")

    fill_in(page, product, name, number, notes="two\nlines")
    heading(page, f"Is this {name}?")
    inspect(page, "known-number")
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_label("Notes")).to_have_value("two\nlines")
    page.get_by_role("button", name="Save client").press("Enter")
    page.get_by_role("button", name="Yes, the same person").press("Enter")
    heading(page, name)


def test_the_pages_by_a_screen_reader(signed_in: Opener, product: Product) -> None:
    page = signed_in(DEMO)
    name, number = fresh()
    fill_in(page, product, name, number)
    heading(page, name)
    product.phones.text(e164(number), SALT_LAKE, "unread")
    page.goto(f"{product.url}/clients/{product.client_id(name)}/manage/")
    inspect(page, "manage-client")
    page.get_by_role("link", name="Delete client").click()
    expect(page.get_by_text("1 text that you have not read")).to_be_visible()
    inspect(page, "delete-client")
