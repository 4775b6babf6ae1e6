"""Pages work without JavaScript: everything by links, forms and buttons."""

import re
from urllib.parse import parse_qsl, urlencode

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.browsing import POCKET, Opener, bubble, open_conversation, shoot, sign_in
from tests.e2e.product import SALT_LAKE, Product

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [None, POCKET], ids=["on a desk", "in a pocket"])
def test_sign_in_send_mark_as_read_search_and_add_a_client(
    open_window: Opener, product: Product, viewport: dict[str, int] | None
) -> None:
    client = "Phương" if viewport else "Hernández"
    page = open_window(java_script_enabled=False, **({"viewport": viewport} if viewport else {}))
    sign_in(page, product)

    open_conversation(page, product, client)
    text = f"Without script, {client}"
    page.get_by_role("textbox", name="Message to").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(bubble(page, text)).to_contain_text(re.compile("Sending|Sent|Delivered"))
    product.wait_for_state(text, "delivered")
    page.reload()
    expect(bubble(page, text)).to_contain_text("Delivered")
    assert len(product.phones.received(product.number(client))) == 1

    reply = f"An answer of {client}"
    product.phones.text(product.number(client), SALT_LAKE, reply)
    page.reload()
    expect(bubble(page, reply)).to_contain_text("Unread")
    shoot(page, "without-script-unread")
    assert not product.is_read(reply)
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)
    assert product.is_read(reply)

    page.goto(f"{product.url}/")
    page.get_by_role("searchbox").fill(client.upper())
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row").filter(has_text=client)).to_be_visible()
    expect(page.locator("[data-caseload-rows] > tr")).to_have_count(1)

    page.get_by_role("link", name="New client").click()
    last_name = f"Pocketson {'in a pocket' if viewport else 'on a desk'}"
    number = "(435) 555-0199" if viewport else "435.555.0198"
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("Phone number").fill("555-0199")
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("alert")).to_contain_text("Phone number")
    expect(page.get_by_label("Last name")).to_have_value(last_name)
    page.get_by_label("Phone number").fill(number)
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(last_name)
    expect(page.get_by_text("No messages yet")).to_be_visible()


def test_a_form_that_is_sent_twice_by_an_impatient_hand_is_one_text(open_window: Opener, product: Product) -> None:
    page = open_window(java_script_enabled=False)
    sign_in(page, product)
    open_conversation(page, product, "Kim")
    page.get_by_role("textbox", name="Message to").fill("Clicked twice")
    page.get_by_role("button", name="Send", exact=True).dblclick()
    product.wait_for_state("Clicked twice", "delivered")
    page.reload()
    expect(bubble(page, "Clicked twice")).to_have_count(1)
    assert len(product.phones.received(product.number("Kim"))) == 1


def test_the_same_form_with_other_words_asks_before_it_sends(open_window: Opener, product: Product) -> None:
    """The page is never kept, so Back brings a new form; a saved one, or a restored tab, still has the old key."""
    page = open_window(java_script_enabled=False)
    sign_in(page, product)
    open_conversation(page, product, "Nakai")
    address, key = page.url, page.locator("input[name=submission_key]").input_value()
    page.get_by_role("textbox", name="Message to").fill("First words")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(bubble(page, "First words")).to_be_visible()

    def with_the_old_key(route: Route) -> None:
        form = dict(parse_qsl(route.request.post_data or ""), submission_key=key)
        route.continue_(post_data=urlencode(form))

    page.route(address, with_the_old_key, times=1)
    page.get_by_role("textbox", name="Message to").fill("Other words")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("You already sent “First words”. Send this too?")
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Other words")
    shoot(page, "already-sent")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(bubble(page, "Other words")).to_be_visible()
    product.wait_for_state("Other words", "delivered")
    received = [text.body for text in product.phones.received(product.number("Nakai"))]
    assert received == ["First words", "Other words"]
