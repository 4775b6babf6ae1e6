"""The main job, from signing in to the answer: on both ways to run, on a desk and in a pocket."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, bubble, shoot, sign_in, write
from tests.e2e.product import Product, usual_kind
from tests.running import wait_for

pytestmark = pytest.mark.browser


# Both ways to run and both sizes, each with a client of its own. Without servers the second is embedded, too.
@pytest.mark.parametrize(
    ("kind", "viewport", "client"),
    [
        pytest.param("embedded", DESKTOP, "Lopez", id="embedded, on a desk", marks=pytest.mark.embedded),
        pytest.param(usual_kind(), POCKET, "Carter", id=f"{usual_kind()}, in a pocket"),
    ],
)
def test_sign_in_send_see_it_delivered_and_read_the_answer(
    products: Callable[[str], Product], open_window: Opener, kind: str, viewport: ViewportSize, client: str
) -> None:
    product = products(kind)
    number, question, reply = product.number(client), f"Court moved to Tuesday, {client}.", f"OK, says {client} 😀"
    page = open_window(viewport=viewport)
    sign_in(page, product)

    page.get_by_role("link", name=client).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(client)
    page.wait_for_load_state()  # without its scripts the page would send by a form, as it does for who has none
    page.evaluate("window.neverReloaded = true")

    write(page, question)
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("")
    expect(bubble(page, question)).to_contain_text(re.compile(r"Delivered \d+:\d\d [ap]m"))
    assert len(product.phones.received(number)) == 1
    shoot(page, f"journey-{kind}-delivered")

    answer_on_the_phone(open_window(viewport=POCKET), product, number, question, reply)

    expect(bubble(page, reply)).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True
    wait_for(lambda: product.is_read(reply), "the answer marked as read")
    shoot(page, f"journey-{kind}-answered")

    page.goto(f"{product.url}/")
    row = page.get_by_role("row").filter(has_text=client)
    expect(row).to_contain_text(reply)
    expect(row.locator(".unread-count")).to_have_count(0)
    assert_nothing_is_said(product, number, question, reply)


def answer_on_the_phone(phone: Page, product: Product, number: str, question: str, reply: str) -> None:
    """Types on the phones' own page, as a client would."""
    phone.goto(f"{product.installation.phones_url}/phones/{number}")
    expect(phone.get_by_text(question)).to_be_visible()
    phone.get_by_label(re.compile("^Text to")).fill(reply)
    phone.get_by_role("combobox", name="To").select_option("+18015550100")
    phone.get_by_role("button", name="Send").click()
    expect(phone.get_by_text("Taken by the product")).to_be_visible()
    shoot(phone, "phone")


def assert_nothing_is_said(product: Product, number: str, *words: str) -> None:
    output = product.process.output
    for secret in (number, number.removeprefix("+"), *words):
        assert secret not in output
