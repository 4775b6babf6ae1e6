"""Listing messages: order, filters, pages (12.5)."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from twilio.rest import Client

from telephony.simulator.config import PhonesConfig
from telephony.simulator.control import PocketPhones
from telephony.tests.simulator.carrier_client import ALI, DEPARTMENT, MARIA, messages_url
from telephony.tests.simulator.conftest import Sender


def ask(config: PhonesConfig, path_or_url: str) -> dict[str, object]:
    url = path_or_url if path_or_url.startswith("http") else config.base_url + path_or_url
    answer = requests.get(url, auth=(config.account_sid, config.auth_tokens[0]), timeout=5)
    answer.raise_for_status()
    return dict(answer.json())


def test_newest_comes_first(send: Sender, twilio: Client) -> None:
    for body in ("one", "two", "three"):
        send(body)
    assert [message.body for message in twilio.messages.list()] == ["three", "two", "one"]


def test_filters_by_both_numbers(send: Sender, twilio: Client, phones: PocketPhones) -> None:
    send("to Maria")
    send("to Ali", to=ALI)
    phones.text(MARIA, DEPARTMENT, "from Maria")
    assert [message.body for message in twilio.messages.list(to=MARIA)] == ["to Maria"]
    assert [message.body for message in twilio.messages.list(from_=MARIA)] == ["from Maria"]
    assert [message.body for message in twilio.messages.list(to=ALI, from_=DEPARTMENT)] == ["to Ali"]
    assert twilio.messages.list(to=ALI, from_=MARIA) == []


def test_date_filters_include_their_ends_and_skip_what_is_not_sent(
    send: Sender, twilio: Client, phones: PocketPhones
) -> None:
    send("sent")
    phones.wait_until_quiet()
    phones.timing(sent=60, delivered=60)
    send("still queued")
    now = datetime.now(UTC)
    hour = timedelta(hours=1)

    def found(**filters: object) -> list[str]:
        return [message.body for message in twilio.messages.list(**filters)]

    assert found(date_sent_after=now - hour) == ["sent"]
    assert found(date_sent_before=now + hour) == ["sent"]
    assert found(date_sent_after=now + hour) == []
    assert found(date_sent_before=now - hour) == []
    assert found(date_sent=now.date()) == ["sent"]
    assert found(date_sent=now.date() - timedelta(days=2)) == []
    assert found() == ["still queued", "sent"]


def test_day_as_a_bound_is_taken_whole(send: Sender, phones: PocketPhones, config: PhonesConfig) -> None:
    send("sent")
    phones.wait_until_quiet()
    today = datetime.now(UTC).date()
    for condition in (f"DateSent%3E={today}", f"DateSent%3C={today}"):
        assert len(ask(config, f"{messages_url(config)}?{condition}")["messages"]) == 1  # type: ignore[arg-type]


def test_pages_follow_each_other_without_gap_or_double(send: Sender, config: PhonesConfig) -> None:
    for number in range(5):
        send(f"text {number}")
    page = ask(config, f"{messages_url(config)}?PageSize=2&To=%2B18015550142")
    assert (page["page_size"], page["page"], page["start"], page["end"]) == (2, 0, 0, 1)
    assert "PageToken=PASM" in str(page["next_page_uri"])
    send("came while paging")
    bodies = [message["body"] for message in page["messages"]]  # type: ignore[attr-defined]
    while page["next_page_uri"]:
        page = ask(config, str(page["next_page_uri"]))
        bodies += [message["body"] for message in page["messages"]]  # type: ignore[attr-defined]
    assert bodies == ["text 4", "text 3", "text 2", "text 1", "text 0"]


def test_full_last_page_has_no_next(send: Sender, config: PhonesConfig) -> None:
    for number in range(2):
        send(f"text {number}")
    assert ask(config, f"{messages_url(config)}?PageSize=2")["next_page_uri"] is None


def test_twilios_package_reads_all_pages(send: Sender, twilio: Client) -> None:
    for number in range(5):
        send(f"text {number}")
    assert len(twilio.messages.list(page_size=2)) == 5
    assert len(twilio.messages.list(limit=3, page_size=2)) == 3


@pytest.mark.parametrize(("asked", "given"), [("", 50), ("0", 1), ("5000", 1000), ("many", 50)])
def test_page_size_has_a_default_and_bounds(config: PhonesConfig, asked: str, given: int) -> None:
    assert ask(config, f"{messages_url(config)}?PageSize={asked}")["page_size"] == given


def test_date_that_is_none_is_refused(config: PhonesConfig) -> None:
    answer = requests.get(
        f"{messages_url(config)}?DateSent=yesterday", auth=(config.account_sid, config.auth_tokens[0]), timeout=5
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 20422)


def test_place_that_no_page_named_is_refused(config: PhonesConfig) -> None:
    credentials = (config.account_sid, config.auth_tokens[0])
    answer = requests.get(f"{messages_url(config)}?PageToken=elsewhere", auth=credentials, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
