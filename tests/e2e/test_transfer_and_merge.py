"""Two entries of one person become one client, who then goes to a colleague; what each of the two people sees."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, open_conversation, shoot, write
from tests.e2e.product import SUPERVISOR, Product
from tests.e2e.test_accessibility import TWO_LOOKS, inspect
from tests.e2e.test_keyboard import tab_to

pytestmark = pytest.mark.browser

COLLEAGUE = "colleague@clientcomm.test"


def add(page: Page, product: Product, first_name: str, last_name: str, number: str) -> None:
    page.goto(f"{product.url}/clients/new/")
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("Phone number").fill(number)
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{first_name} {last_name}")


def show_card(page: Page) -> None:
    """On a phone the card is a drawer."""
    if page.viewport_size == POCKET:
        page.get_by_role("button", name="Details", exact=True).click()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
@pytest.mark.parametrize("viewport", [DESKTOP, POCKET], ids=["on a desk", "in a pocket"])
def test_two_entries_become_one_client_who_goes_to_a_colleague(
    signed_in: Opener, product: Product, viewport: dict[str, int], *, script: bool
) -> None:
    serial = (viewport["width"] % 7) * 2 + script  # 1280: 12 and 13; 390: 10 and 11
    name, double = f"Voss-{serial}", f"Vosz-{serial}"
    page = signed_in(viewport=viewport, java_script_enabled=script)
    add(page, product, "Ida", double, f"(971) 555-01{serial}")
    write(page, f"To {double}")
    add(page, product, "Ida", name, f"(503) 555-01{serial}")
    show_card(page)
    page.get_by_role("link", name="Merge with another client").click()
    page.get_by_role("searchbox").fill(double)
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("link", name=double).click()
    shoot(page, "merge")
    page.get_by_role("radio", name=f"(971) 555-01{serial}").check()
    page.get_by_role("button", name="Merge clients").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Ida {name}")
    expect(page.get_by_role("log")).to_contain_text(f"To {double}")
    expect(page.get_by_role("log")).to_contain_text(f"Sam Ortega merged Ida {double}")
    show_card(page)
    page.get_by_role("link", name="Transfer to a colleague").click()
    page.get_by_label("New case manager").select_option(label="Priya Nair")
    page.get_by_label("Note").fill("Likes short texts")
    shoot(page, "transfer")
    page.get_by_role("button", name="Transfer client").click()
    expect(page.get_by_role("main")).to_contain_text("Transferred to Priya Nair on")
    expect(page.get_by_role("textbox")).to_have_count(0)
    shoot(page, "former")
    hers = signed_in(COLLEAGUE, viewport=viewport, java_script_enabled=script)
    open_conversation(hers, product, name)
    expect(hers.get_by_role("log")).to_contain_text(f"To {double}")
    expect(hers.get_by_role("log")).to_contain_text("Transferred from Sam Ortega to Priya Nair: Likes short texts")
    write(hers, f"To {name}")
    product.wait_for_state(f"To {name}", "delivered", "sent", "accepted")


def test_the_pages_are_for_everybody(signed_in: Opener, product: Product) -> None:
    supervisors, own = signed_in(SUPERVISOR), signed_in()
    castillo = product.client_id("Castillo")
    supervisors.goto(f"{product.url}/department/people/")
    inspect(supervisors, "people", TWO_LOOKS)
    supervisors.get_by_role("link", name="Move clients of Sam Ortega").click()
    inspect(supervisors, "person-move", TWO_LOOKS)
    supervisors.goto(f"{product.url}/clients/{castillo}/transfer/")
    inspect(supervisors, "transfer", TWO_LOOKS)
    own.goto(f"{product.url}/clients/{castillo}/merge/")
    inspect(own, "merge-choose", TWO_LOOKS)
    own.goto(f"{product.url}/clients/{castillo}/merge/?with={product.client_id('Thompson')}")
    inspect(own, "merge", TWO_LOOKS)


def test_a_transfer_is_filled_in_by_keyboard_alone(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    page.goto(f"{product.url}/clients/{product.client_id('Castillo')}/transfer/")
    tab_to(page, "New case manager")
    page.keyboard.type("Priya")
    tab_to(page, "Note")
    page.keyboard.type("By keyboard")
    expect(page.get_by_label("New case manager").locator("option:checked")).to_have_text("Priya Nair")
    expect(page.get_by_label("Note")).to_have_value("By keyboard")
    tab_to(page, "Transfer client")
    tab_to(page, "Cancel")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message to")).to_be_visible()
