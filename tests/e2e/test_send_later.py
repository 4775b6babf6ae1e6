"""Send later, from the box to the client's phone: with and without a script, on a desk, in a pocket, by keyboard."""

import itertools
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import DESKTOP, POCKET, Opener, bubble, look_again, open_conversation, shoot
from tests.e2e.product import DEMO, OTHER, Product
from tests.e2e.test_accessibility import TWO_LOOKS, inspect
from tests.running import wait_for

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("America/Denver")  # the demo department's
_serial = itertools.count(10)


def open_new_client(page: Page, product: Product) -> str:
    """A client of this journey's own, with the conversation open. Gives the last name."""
    name = f"Later{next(_serial)}"
    page.goto(f"{product.url}/clients/new/")
    page.get_by_label("Last name").fill(name)
    page.get_by_label("Phone number").fill(f"(208) 555-01{name[-2:]}")
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_load_state()
    return name


def open_panel(page: Page, body: str) -> None:
    page.get_by_role("textbox", name="Message to").fill(body)
    page.get_by_role("button", name="Send later").click()
    expect(page.get_by_role("button", name="Schedule message")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message to")).to_have_value(body)


def schedule(page: Page, body: str, pick: str = "Tomorrow 9:00 am") -> None:
    open_panel(page, body)
    page.get_by_role("button", name=pick).click()
    page.get_by_role("button", name="Schedule message").click()
    expect(page.get_by_text("message scheduled")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, POCKET], ids=["on a desk", "in a pocket"])
@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_schedule_change_delete_and_send_now(
    signed_in: Opener, product: Product, viewport: dict[str, int], script: bool
) -> None:
    page = signed_in(DEMO, viewport=viewport, java_script_enabled=script)
    client = open_new_client(page, product)

    body = f"Court is on Tuesday, {client}"
    schedule(page, body)
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("")
    expect(bubble(page, body)).to_have_count(0)
    expect(page.get_by_text(re.compile(r"^Scheduled for \w+, \w+ \d+, 9:00 am \(Denver time\)\.$"))).to_be_visible()
    shoot(page, f"send-later-scheduled-{'script' if script else 'plain'}")

    page.get_by_role("link", name="1 message scheduled").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Scheduled messages")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Message to").fill(f"Court is on Friday, {client}")
    page.get_by_label("Time", exact=True).fill("10:05")
    page.get_by_role("button", name="Schedule message").click()
    expect(page.get_by_role("listitem").filter(has_text="on Friday")).to_contain_text("10:05 am")

    open_conversation(page, product, client)
    another = f"And bring your papers, {client}"
    open_panel(page, another)
    page.get_by_role("button", name="Schedule message").click()
    page.get_by_role("link", name="2 messages scheduled").click()
    first = page.get_by_role("listitem").filter(has_text=another)
    first.locator("summary").click()
    first.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text(another)).to_have_count(0)

    page.get_by_role("button", name="Send now").click()
    expect(bubble(page, f"Court is on Friday, {client}")).to_contain_text(re.compile("Sending|Sent|Delivered"))
    product.phones.wait_for(product.number(client), f"Court is on Friday, {client}")
    assert [text.body for text in product.phones.received(product.number(client))] == [f"Court is on Friday, {client}"]


def test_it_goes_out_at_its_time(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    client = open_new_client(page, product)
    now = datetime.now(ZONE)
    due = (now + timedelta(seconds=75)).replace(second=0, microsecond=0)  # at least fifteen seconds away
    open_panel(page, "To the minute")
    page.get_by_label("Date", exact=True).fill(f"{due:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill(f"{due:%H:%M}")
    page.get_by_role("button", name="Schedule message").click()
    scheduled = page.get_by_role("link", name="1 message scheduled")
    expect(scheduled).to_be_visible()
    assert product.state_of("To the minute") == "waiting"
    wait_for(lambda: bool(product.phones.received(product.number(client))), "the text on the phone", within=100)
    late = (datetime.now(ZONE) - due).total_seconds()
    assert 0 <= late < 5
    look_again(page)
    expect(bubble(page, "To the minute")).to_be_visible()
    expect(scheduled).to_have_count(0)


def test_what_is_refused_keeps_everything_typed(signed_in: Opener, product: Product) -> None:
    page = signed_in(java_script_enabled=False)
    open_new_client(page, product)
    open_panel(page, "Not in the past")
    page.get_by_label("Date", exact=True).fill("2020-01-01")
    page.get_by_label("Time", exact=True).fill("09:41")
    page.get_by_role("button", name="Schedule message").click()
    expect(page.get_by_role("alert")).to_contain_text("This time has passed. Choose a later one.")
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Not in the past")
    expect(page.get_by_label("Time", exact=True)).to_have_value("09:41")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Not in the past")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_enter_and_the_keyboard_schedule_and_never_send(signed_in: Opener, product: Product, script: bool) -> None:
    page = signed_in(java_script_enabled=script)
    client = open_new_client(page, product)
    page.get_by_role("textbox", name="Message to").focus()
    body = f"By keyboard, {client}"
    page.keyboard.type(body)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Schedule message")).to_be_visible()
    expect(page.get_by_role("button", name="Tomorrow 9:00 am")).to_be_focused()
    page.get_by_label("Time", exact=True).focus()
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="1 message scheduled")
    expect(link).to_be_visible()
    assert product.state_of(body) == "waiting"
    ((clock,),) = product.rows(f"SELECT scheduled_time FROM messaging_message WHERE body = '{body}'")  # noqa: S608
    assert str(clock)[:5] == "09:00"
    link.focus()
    page.keyboard.press("Enter")
    page.locator(".waiting-delete summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete for good").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing is scheduled")).to_be_visible()


def test_control_enter_in_the_open_panel_schedules(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    open_new_client(page, product)
    open_panel(page, "By Control and Enter")
    page.get_by_role("textbox", name="Message to").press("Control+Enter")
    expect(page.get_by_role("link", name="1 message scheduled")).to_be_visible()
    assert product.state_of("By Control and Enter") == "waiting"


def test_a_quick_pick_is_said_back_at_once(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    open_new_client(page, product)
    open_panel(page, "")
    page.get_by_label("Date", exact=True).fill("2026-03-03")
    page.get_by_label("Time", exact=True).fill("00:05")
    expect(page.get_by_role("status").filter(has_text="Denver time")).to_have_text(
        "Tuesday, March 3, 12:05 am (Denver time)"
    )
    page.get_by_role("button", name="Monday 9:00 am").click()
    expect(page.get_by_role("status").filter(has_text="Denver time")).to_contain_text("Monday,")


def test_send_later_stands_apart_from_send_on_a_phone(signed_in: Opener, product: Product) -> None:
    page = signed_in(viewport={"width": 320, "height": 640})
    open_new_client(page, product)
    send, later = (page.get_by_role("button", name=name, exact=True).bounding_box() for name in ("Send", "Send later"))
    assert send
    assert later
    assert later["y"] - (send["y"] + send["height"]) >= 16 or send["x"] - (later["x"] + later["width"]) >= 16
    assert min(later["height"], send["height"]) >= 44
    open_panel(page, "Low window")
    page.set_viewport_size({"width": 320, "height": 360})
    button = page.get_by_role("button", name="Schedule message")
    button.scroll_into_view_if_needed()
    expect(button).to_be_in_viewport(ratio=1)


def test_a_time_at_night_is_asked_about_and_then_taken(signed_in: Opener, product: Product) -> None:
    """In the department of the demo that has texting hours."""
    page = signed_in(OTHER)
    open_new_client(page, product)
    open_panel(page, "At night")
    page.get_by_label("Time", exact=True).fill("23:40")
    page.get_by_role("button", name="Schedule message").click()
    expect(page.get_by_text("If that is right")).to_be_visible()
    assert product.rows("SELECT count(*) FROM messaging_message WHERE body = 'At night'") == [(0,)]
    inspect(page, "send-later-asks", TWO_LOOKS)
    page.get_by_role("button", name="Schedule message").click()
    expect(page.get_by_role("link", name="1 message scheduled · next")).to_be_visible()


def test_axe_finds_nothing(signed_in: Opener, product: Product) -> None:
    page = signed_in()
    open_new_client(page, product)
    open_panel(page, "For axe")
    inspect(page, "send-later")
    page.get_by_role("button", name="Schedule message").click()
    page.get_by_role("link", name="1 message scheduled").wait_for()
    inspect(page, "conversation-with-strip", TWO_LOOKS)
    page.get_by_role("link", name="1 message scheduled").click()
    page.locator(".waiting-delete summary").click()
    inspect(page, "scheduled")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Message to").fill("")
    page.get_by_role("button", name="Schedule message").click()
    expect(page.get_by_role("alert")).to_contain_text("Write something first.")
    inspect(page, "scheduled-change-errors", TWO_LOOKS)
    page.goto(f"{product.url}/held/")
    inspect(page, "held")
    page.goto(f"{product.url}/conversations/{product.client_id('Dubois')}/scheduled/")
    inspect(page, "scheduled-empty", TWO_LOOKS)
