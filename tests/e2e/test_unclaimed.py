"""Texts from numbers that nobody knows: answered, claimed, joined to a client of one's own, dismissed."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, bubble, shoot, write
from tests.e2e.conftest import Problems
from tests.e2e.product import SALT_LAKE, SUPERVISOR, Product
from tests.e2e.test_accessibility import TWO_LOOKS, inspect
from tests.running import wait_for

pytestmark = pytest.mark.browser

# Area codes in which the demo has nobody.
SIZES = [pytest.param(DESKTOP, "702", id="on a desk"), pytest.param(POCKET, "520", id="in a pocket")]


def text_in(product: Product, number: str, body: str) -> None:
    product.phones.text(number, SALT_LAKE, body)
    wait_for(lambda: bool(product.rows(f"SELECT 1 FROM messaging_message WHERE body = '{body}'")), "the text")  # noqa: S608


def shown(number: str) -> str:
    """As people write it."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


def open_unclaimed(page: Page, product: Product, number: str) -> None:
    """From My clients, as one finds it."""
    page.goto(f"{product.url}/")
    page.get_by_role("link", name=re.compile("nobody knows")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unclaimed")
    page.get_by_role("link", name=shown(number), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(shown(number))


@pytest.mark.parametrize(("viewport", "area"), SIZES)
def test_answer_and_claim(signed_in: Opener, product: Product, viewport: ViewportSize, area: str) -> None:
    number = f"+1{area}5550121"
    text_in(product, number, f"Is this the court? {area}")
    page = signed_in(viewport=viewport)
    open_unclaimed(page, product, number)
    page.wait_for_load_state()
    write(page, "Yes. Who is this, please?")
    shoot(page, "unclaimed-answered")

    page.get_by_role("link", name="Claim", exact=True).click()
    page.get_by_label("Last name").press_sequentially(f"Claimed{area}")
    shoot(page, "unclaimed-claim")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Claimed{area}")
    expect(bubble(page, f"Is this the court? {area}")).to_be_visible()
    expect(page.get_by_text("Claimed by")).to_be_visible()
    expect(page.get_by_text("Nobody works with this number yet")).to_have_count(0)


@pytest.mark.parametrize(("viewport", "area"), SIZES)
def test_a_client_with_a_new_number(signed_in: Opener, product: Product, viewport: ViewportSize, area: str) -> None:
    page = signed_in(viewport=viewport)
    page.goto(f"{product.url}/clients/new/")
    page.get_by_label("Last name").fill(f"Moved{area}")
    page.get_by_label("Phone number").fill(f"+1{area}5550122")
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Moved{area}")

    number = f"+1{area}5550123"
    text_in(product, number, f"This is Moved{area}, on a new phone")
    open_unclaimed(page, product, number)
    page.get_by_role("link", name="This is one of my clients").click()
    shoot(page, "unclaimed-join")
    page.get_by_role("region", name="Perhaps").get_by_role("link", name=f"Moved{area}").click()
    page.get_by_role("button", name="The new one").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Moved{area}")
    expect(bubble(page, f"This is Moved{area}, on a new phone")).to_be_visible()
    expect(page.get_by_text("Number changed from")).to_be_visible()
    page.wait_for_load_state()
    write(page, f"I have your new number, {area}.")
    product.phones.wait_for(number, f"I have your new number, {area}.")


def test_too_late_with_an_answer_one_keeps_it(signed_in: Opener, product: Product, problems: Problems) -> None:
    problems.expect("40[49]")  # the open page looks for new texts, and the answer is refused
    number = "+17025550124"
    text_in(product, number, "Who are you")
    page, supervisors = signed_in(), signed_in(SUPERVISOR)
    open_unclaimed(page, product, number)
    page.wait_for_load_state()
    open_unclaimed(supervisors, product, number)
    supervisors.get_by_role("link", name="Dismiss").click()
    supervisors.get_by_role("button", name="Dismiss").click()
    expect(supervisors.get_by_text("Dismissed. Under")).to_be_visible()

    page.get_by_role("textbox", name="Message to").fill("We are the court")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your text was not sent")
    expect(page.get_by_label("What you wrote")).to_have_value("We are the court")


def test_every_screen_of_it(signed_in: Opener, product: Product) -> None:
    number = "+17025550125"
    text_in(product, number, "مرحبا 😀 " + "and a word that goes on and on " * 9)
    page = signed_in(SUPERVISOR)
    open_unclaimed(page, product, number)
    inspect(page, "unclaimed-conversation", TWO_LOOKS)
    client = re.sub(r"\D", "", page.url.rpartition("/conversations/")[2])
    for name in ("claim", "join", "dismiss"):
        page.goto(f"{product.url}/clients/{client}/{name}/")
        inspect(page, f"unclaimed-{name}", TWO_LOOKS)
    page.goto(f"{product.url}/department/unclaimed/")
    inspect(page, "unclaimed-list", TWO_LOOKS)
    page.goto(f"{product.url}/clients/{client}/dismiss/")
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("link", name="Dismissed", exact=True).click()
    expect(page.get_by_role("link", name=shown(number), exact=True)).to_be_visible()
    inspect(page, "unclaimed-dismissed", TWO_LOOKS)
    page.get_by_role("button", name=f"Undo {shown(number)}").click()
    expect(page.get_by_text("On the list again")).to_be_visible()
