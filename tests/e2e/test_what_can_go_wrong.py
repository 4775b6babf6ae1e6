"""What a case manager sees when a text does not arrive, and how often it reaches the phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Opener, bubble, look_again, open_conversation, shoot, write
from tests.e2e.conftest import Problems
from tests.e2e.product import SALT_LAKE, Product
from tests.running import wait_for

pytestmark = pytest.mark.browser


def test_a_client_who_texts_stop_can_not_be_written_to_until_start(signed_in: Opener, product: Product) -> None:
    number = product.number("Olsen")
    page = signed_in()
    open_conversation(page, product, "Olsen")
    page.get_by_role("textbox", name="Message to").fill("Typed before the STOP")
    product.phones.text(number, SALT_LAKE, "Stop")
    look_again(page)
    expect(bubble(page, "Stop")).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("this client has opted out by replying STOP")
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Typed before the STOP")
    shoot(page, "stop-while-typing")

    page.evaluate("sessionStorage.clear()")
    page.reload()
    expect(page.get_by_role("textbox", name="Message to")).to_have_count(0)
    expect(page.locator("#composer")).to_contain_text("They can text START to come back")
    expect(page.locator("[data-item]").last).to_contain_text("Opted out")
    shoot(page, "opted-out")
    assert [text.by for text in product.phones.received(number)] == ["carrier"]

    product.phones.text(number, SALT_LAKE, "START")
    page.reload()
    write(page, "Welcome back")
    product.phones.wait_for(number, "Welcome back")


ENDINGS = {
    "Jackson": ("Not delivered: the phone was off or out of reach for long", "Send it again later"),
    "Miller": ("Not delivered: the phone company gives no reason", "reach the client another way"),
    "Haddad": ("Not sent: this client has opted out by replying STOP", "START"),
    "Jensen": ("Not delivered: this number can't receive texts", "It may be a landline"),
}


def test_each_way_to_fail_is_said_in_words_with_what_to_do_next(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    for last_name, (reason, advice) in ENDINGS.items():
        open_conversation(page, product, last_name)
        text = f"Does this reach you, {last_name}?"
        write(page, text)
        product.wait_for_state(text, "failed", "undelivered")
        look_again(page)
        expect(bubble(page, text)).to_contain_text(re.compile(re.escape(reason), re.IGNORECASE))
        expect(bubble(page, text)).to_contain_text(advice)
        shoot(page, f"failed-{last_name}")
        assert product.phones.received(product.number(last_name)) == []
    for last_name in ENDINGS:  # by a search: other journeys add clients, and the list has pages
        page.goto(f"{product.url}/?search={last_name}")
        row = page.get_by_role("row").filter(has_text=last_name)
        expect(row).to_contain_text("Not delivered")
    shoot(page, "list-with-failures")


def test_a_carrier_that_is_too_busy_gets_the_text_later_and_once(signed_in: Opener, product: Product) -> None:
    number = product.number("Hansen")
    product.phones.faults("rate_limited", number=number)
    page = signed_in()
    open_conversation(page, product, "Hansen")
    write(page, "When the carrier is busy")
    product.wait_for_state("When the carrier is busy", "delivered")
    look_again(page)
    expect(bubble(page, "When the carrier is busy")).to_contain_text("Delivered")
    assert len(product.phones.received(number)) == 1
    assert product.phones.active_faults() == []


def test_a_server_error_leaves_it_open_and_nothing_is_sent_again(signed_in: Opener, product: Product) -> None:
    number = product.number("Robinson")
    product.phones.faults("server_error", number=number)
    page = signed_in()
    open_conversation(page, product, "Robinson")
    write(page, "When the carrier breaks")
    product.wait_for_state("When the carrier breaks", "unknown")
    look_again(page)
    expect(bubble(page, "When the carrier breaks")).to_contain_text("Checking whether this was sent")
    shoot(page, "unclear")
    write(page, "And the next one")
    product.wait_for_state("And the next one", "delivered")
    assert [text.body for text in product.phones.received(number)] == ["And the next one"]
    assert product.state_of("When the carrier breaks") == "unknown"


@pytest.mark.parametrize(
    ("fault", "client"), [("hang", "Ángel Ruiz"), ("reset", "Dubois"), ("server_error_after", "Tesfaye")]
)
def test_an_answer_that_is_lost_is_made_good_by_the_report_and_the_text_goes_out_once(
    signed_in: Opener, product: Product, fault: str, client: str
) -> None:
    number = product.number(client)
    product.phones.faults(fault, number=number, seconds=30)
    page = signed_in()
    open_conversation(page, product, client)
    write(page, f"Lost by {fault}")
    product.wait_for_state(f"Lost by {fault}", "delivered")
    look_again(page)
    expect(bubble(page, f"Lost by {fault}")).to_contain_text("Delivered")
    assert len(product.phones.received(number)) == 1


def test_a_product_that_is_away_keeps_what_was_typed(signed_in: Opener, product: Product, problems: Problems) -> None:
    problems.expect("ERR_INTERNET_DISCONNECTED")
    page = signed_in()
    open_conversation(page, product, "Smith")
    page.get_by_role("textbox", name="Message to").fill("Typed on the train")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent. Your text is kept")
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Typed on the train")
    shoot(page, "offline")
    page.context.set_offline(False)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(bubble(page, "Typed on the train")).to_be_visible()
    wait_for(lambda: len(product.phones.received(product.number("Smith"))) == 1, "the text on the phone")


def test_somebody_elses_client_does_not_exist(signed_in: Opener, product: Product, problems: Problems) -> None:
    problems.expect("404")
    page = signed_in("other@clientcomm.test")
    response = page.goto(f"{product.url}/conversations/{product.client_id('Lopez')}/")
    assert response is not None
    assert response.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    assert "Lopez" not in page.content()
