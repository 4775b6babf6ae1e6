"""Clients from a file: checked, added, the bad row downloaded; and the list as a file."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, shoot
from tests.e2e.product import Product
from tests.e2e.test_accessibility import TWO_LOOKS, inspect
from tests.e2e.test_keyboard import tab_to

pytestmark = pytest.mark.browser

COLLEAGUE = "colleague@clientcomm.test"  # the demo's own list is counted by other journeys


def file_of(area: int) -> FilePayload:
    """Three clients of numbers that nobody else uses, and a row without one."""
    rows = f'Importer,Ida,({area}) 555-0131\n"O\'Import, Jr.",😀,{area}5550132\nشريف,ليلى,{area}.555.0133\nNone,Ned,\n'
    content = f"Last name,First name,Cell phone\n{rows}"
    return {"name": "clients.csv", "mimeType": "text/csv", "buffer": content.encode("utf-8-sig")}


def choose(page: Page, product: Product, area: int) -> None:
    page.goto(product.url)
    page.get_by_role("link", name="Import from a file").click()
    page.get_by_label("File").first.set_input_files(file_of(area))
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check the file")


@pytest.mark.parametrize(
    ("viewport", "script", "area"),
    [(DESKTOP, True, 212), (POCKET, True, 213), (DESKTOP, False, 214), (POCKET, False, 215)],
    ids=["on a desk", "in a pocket", "on a desk without script", "in a pocket without script"],
)
def test_from_the_file_to_the_list(
    signed_in: Opener, product: Product, viewport: dict[str, int], area: int, *, script: bool
) -> None:
    page = signed_in(COLLEAGUE, viewport=viewport, java_script_enabled=script)
    choose(page, product, area)
    expect(page.get_by_role("main")).to_contain_text("The phone number is missing.")
    if script:
        inspect(page, "import-check", TWO_LOOKS)
    shoot(page, "import-check")
    page.get_by_role("button", name="Add 3 clients").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile("Adding clients|3 clients added"))
    expect(heading).to_have_text("3 clients added", timeout=60_000)  # by itself, with and without a script
    shoot(page, "import-result")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the 1 row that was not taken").click()
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert text.splitlines() == ["Reason,Last name,First name,Cell phone", "The phone number is missing.,None,Ned,"]
    page.goto(f"{product.url}/?search={area}5550132")
    expect(page.get_by_role("link", name="O'Import, Jr.")).to_be_visible()


def test_the_list_as_a_file_changes_nothing_when_it_is_imported(signed_in: Opener, product: Product) -> None:
    page = signed_in(COLLEAGUE)
    page.goto(f"{product.url}/clients/import/")
    inspect(page, "import-file", TWO_LOOKS)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download my clients").click()
    page.get_by_label("File").first.set_input_files(saved.value.path())
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("main")).to_contain_text("There is nothing to add")
    expect(page.get_by_role("button", name="Add")).to_have_count(0)


def test_without_a_mouse(signed_in: Opener, product: Product) -> None:
    page = signed_in(COLLEAGUE)
    choose(page, product, 216)
    tab_to(page, "What the columns mean")
    page.keyboard.press("Enter")
    tab_to(page, "Check again")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    tab_to(page, "Add 3 clients")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("3 clients added", timeout=60_000)
