"""The pages, as they come without JavaScript."""

import re

import pytest
import requests

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import DEPARTMENT, MARIA, SECOND_DEPARTMENT
from telephony.tests.simulator.conftest import Sender
from telephony.tests.simulator.product import INBOUND, Answer, Product


class Browser:
    """Fetches pages and sends forms, as a browser without JavaScript does."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def get(self, path: str) -> requests.Response:
        return requests.get(self._base_url + path, timeout=5)

    def post(self, path: str, **form: object) -> requests.Response:
        return requests.post(self._base_url + path, data=form, timeout=5)


@pytest.fixture
def browser(config: PhonesConfig) -> Browser:
    return Browser(config.base_url)


def test_empty_page_says_what_to_do(browser: Browser) -> None:
    page = browser.get("/").text
    assert "No phones yet" in page
    assert "(801) 555-0100, (801) 555-0199" in page
    assert "555-0102" in page


def test_every_number_texted_has_a_phone(browser: Browser, send: Sender, phones: PocketPhones) -> None:
    send("Court is at 9")
    phones.wait_for(MARIA, "Court")
    page = browser.get("/").text
    assert "(801) 555-0142" in page
    assert "Court is at 9" in page


@pytest.mark.parametrize("typed", ["(801) 555-0177", "801.555.0177", "+1 801 555 0177"])
def test_new_phone_by_its_number(browser: Browser, typed: str) -> None:
    page = browser.post("/phones", number=typed)
    assert page.url.endswith("/phones/%2B18015550177")
    assert "Nothing on this phone yet" in page.text


@pytest.mark.parametrize("typed", ["", "12", "not a number", "80155501"])
def test_number_that_is_none_is_named_and_kept(browser: Browser, typed: str) -> None:
    page = browser.post("/phones", number=typed)
    assert page.status_code == 400
    assert "Write it like (801) 555-0142" in page.text
    assert f'value="{typed}"' in page.text


def test_text_typed_goes_to_the_product_and_stands_in_the_talk(browser: Browser, product: Product) -> None:
    page = browser.post("/phones/+18015550142/texts", to=SECOND_DEPARTMENT, body="I am\r\nlate")
    (request,) = product.at(INBOUND)
    assert (request["From"], request["To"], request["Body"]) == (MARIA, SECOND_DEPARTMENT, "I am\nlate")
    assert "I am\nlate" in page.text
    assert "Taken by the product" in page.text
    assert re.search(r'value="\+18015550199" selected', page.text)


def test_picture_is_sent_and_shown(browser: Browser, product: Product, config: PhonesConfig) -> None:
    files = {"files": ("dot.png", b"\x89PNG", "image/png")}
    page = requests.post(
        f"{config.base_url}/phones/+18015550142/texts", data={"to": DEPARTMENT, "body": ""}, files=files, timeout=5
    ).text
    assert product.at(INBOUND)[0]["MediaContentType0"] == "image/png"
    (source,) = re.findall(r'<img src="([^"]+)"', page)
    picture = browser.get(source)
    assert (picture.content, picture.headers["Content-Type"]) == (b"\x89PNG", "image/png")


def test_other_files_are_for_download_only(browser: Browser, phones: PocketPhones) -> None:
    phones.text(MARIA, DEPARTMENT, "", media=[("text/html", b"<script>alert(1)</script>")])
    page = browser.get("/phones/+18015550142").text
    (source,) = re.findall(r'class="file" href="([^"]+)"', page)
    answer = browser.get(source)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"


def test_product_that_does_not_answer_is_named(browser: Browser, phones: PocketPhones) -> None:
    phones.account(inbound_url="http://127.0.0.1:9/")
    page = browser.post("/phones/+18015550142/texts", to=DEPARTMENT, body="Hi").text
    assert "the product did not answer: connection refused" in page


def test_product_that_refuses_is_named(browser: Browser, product: Product) -> None:
    product.answer(Answer(status=403))
    page = browser.post("/phones/+18015550142/texts", to=DEPARTMENT, body="Hi").text
    assert "the product answered 403" in page


def test_block_is_shown_until_it_is_lifted(browser: Browser) -> None:
    page = browser.post("/phones/+18015550142/texts", to=DEPARTMENT, body="STOP").text
    assert "Blocked (801) 555-0100 with STOP" in page
    assert "You have successfully been unsubscribed" in page
    page = browser.post("/phones/+18015550142/texts", to=DEPARTMENT, body="START").text
    assert "Blocked" not in page


def test_text_that_did_not_arrive_is_a_notice(browser: Browser, send: Sender, phones: PocketPhones) -> None:
    send("secret", to="+18015550102")
    phones.wait_until_quiet()
    page = browser.get("/phones/+18015550102").text
    assert "A text did not arrive: undelivered (30003)" in page
    assert "secret" not in page


def test_everything_typed_is_escaped(browser: Browser, phones: PocketPhones) -> None:
    phones.text(MARIA, DEPARTMENT, "<script>alert(1)</script>")
    for path in ("/", "/phones", "/phones/+18015550142", "/phones/+18015550142/talk", "/wire"):
        page = browser.get(path).text
        assert "alert(1)" in page
        assert "<script>alert" not in page


def test_page_and_fragment_are_the_same_template(browser: Browser, phones: PocketPhones) -> None:
    phones.text(MARIA, DEPARTMENT, "Hi")
    assert browser.get("/phones").text.strip() in browser.get("/").text
    assert browser.get("/phones/+18015550142/talk").text.strip() in browser.get("/phones/+18015550142").text


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(browser: Browser, phones: PocketPhones) -> None:
    phones.text(MARIA, DEPARTMENT, "Hi")
    for path in ("/", "/phones/+18015550142", "/faults", "/wire"):
        page = browser.get(path)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"""(src|href|action)=["'](https?:)?//""", page.text)
        assert not re.search(r"<style|style=|<script>|\son\w+=", page.text)
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            assert browser.get(address).status_code == 200


def test_form_from_another_site_is_refused(config: PhonesConfig, product: Product) -> None:
    for path in ("/phones", "/phones/+18015550142/texts", "/faults"):
        answer = requests.post(
            config.base_url + path,
            data={"to": DEPARTMENT, "body": "Hi"},
            headers={"Sec-Fetch-Site": "cross-site"},
            timeout=5,
        )
        assert answer.status_code == 403
    assert product.at(INBOUND) == []


def test_address_that_is_no_number_is_a_404(browser: Browser) -> None:
    assert browser.get("/phones/somebody").status_code == 404


class TestFaultPanel:
    def test_fault_is_switched_on_listed_and_off(self, browser: Browser, phones: PocketPhones) -> None:
        page = browser.post("/faults", kind="rate_limited", number="(801) 555-0142", times="2", seconds="", code="")
        assert "(801) 555-0142, 2 times" in page.text.replace("\n", " ").replace("          ", "")
        (fault,) = phones.active_faults()
        assert (fault["kind"], fault["number"], fault["times"]) == ("rate_limited", MARIA, 2)
        page = browser.post("/faults/remove", id=fault["id"])
        assert "None: everything works." in page.text
        assert phones.active_faults() == []

    def test_empty_count_is_until_switched_off_and_all_go_at_once(self, browser: Browser, phones: PocketPhones) -> None:
        for kind in ("reset", "slow"):
            browser.post("/faults", kind=kind, number="", times="", seconds="0.5", code="")
        assert [(fault["times"], fault["seconds"]) for fault in phones.active_faults()] == [(None, 0.5)] * 2
        browser.post("/faults/remove")
        assert phones.active_faults() == []

    def test_what_cannot_be_is_named(self, browser: Browser) -> None:
        page = browser.post("/faults", kind="rate_limited", times="many")
        assert page.status_code == 400
        assert "That didn&#39;t work" in page.text or "That didn't work" in page.text

    def test_pace_and_modes_are_saved(self, browser: Browser, phones: PocketPhones) -> None:
        page = browser.post("/faults/behaviour", sent="1", delivered="2.5", segments_per_second="1", trial="on")
        assert re.search(r'name="trial" checked', page.text)
        account = phones.account()
        assert (account["trial"], account["suspended"], account["segments_per_second"]) == (True, False, 1.0)

    def test_every_kind_of_fault_can_be_chosen(self, browser: Browser) -> None:
        assert len(re.findall(r"<option value=", browser.get("/faults").text)) == 28


def test_wire_names_what_happened(browser: Browser, send: Sender, phones: PocketPhones) -> None:
    phones.faults("rate_limited", number="+18015550143")
    send()
    phones.text(MARIA, DEPARTMENT, "Hi")
    phones.wait_until_quiet()
    page = browser.get("/wire").text
    assert "(801) 555-0142 got a text from the department" in page
    assert "inbound about (801) 555-0142 posted to the product: 200" in page
    assert "the product asked POST create (801) 555-0142: 201" in page
