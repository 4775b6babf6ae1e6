"""Ended in the middle of sending, politely or not: nothing is unclear that need not be, nothing goes out twice."""

import os
import re
import signal
from pathlib import Path

import requests

from tests.e2e.product import DEMO, PASSWORD, Product, embedded_installation, started
from tests.running import wait_for

# Not the same ones: what a kill left in hand keeps later texts to the same client waiting for a minute.
STOPPED = ["Lopez", "Carter", "Hernández", "Johnson", "Fonua", "Kim"]
KILLED = ["Zhang", "Gutiérrez", "Anderson", "Tuipulotu", "Petrova", "Christensen"]
UNCLEAR = ("sending", "unknown")


class Visitor:
    """Signs in and sends texts by forms alone."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._session = requests.Session()
        self._session.trust_env = False
        self._post("/accounts/login/", login=DEMO, password=PASSWORD)

    def send(self, last_name: str, body: str) -> None:
        self._post(f"/conversations/{self._product.client_id(last_name)}/", body=body)

    def close(self) -> None:
        self._session.close()

    def _post(self, path: str, **fields: str) -> None:
        url = self._product.url + path
        form = self._session.get(url, timeout=10)
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.text))
        answer = self._session.post(url, data=hidden | fields, headers={"Referer": url}, timeout=10)
        assert answer.status_code == 200, answer.text
        assert "data-form-errors" not in answer.text


def send_to_all(product: Product, clients: list[str], words: str) -> None:
    """Returns while the first texts are in the hands of the sending threads."""
    visitor = Visitor(product)
    for last_name in clients:
        visitor.send(last_name, f"{words}, {last_name}")
    visitor.close()
    wait_for(lambda: set(states(product, words).values()) != {"waiting"}, "a text in hand", within=10)


def states(product: Product, words: str) -> dict[str, str]:
    query = f"SELECT body, state FROM messaging_message WHERE body LIKE '{words}, %'"  # noqa: S608
    return dict(product.rows(query))


def on_the_phones(product: Product, clients: list[str], words: str) -> dict[str, int]:
    """How often each of the texts reached its phone."""
    arrived = {last_name: product.phones.received(product.number(last_name)) for last_name in clients}
    return {
        f"{words}, {last_name}": sum(text.body == f"{words}, {last_name}" for text in texts)
        for last_name, texts in arrived.items()
    }


def test_stopped_it_leaves_nothing_unclear_and_killed_it_sends_nothing_twice() -> None:
    with embedded_installation() as installation:
        with started(installation) as product:
            stop_in_the_middle(product)
        with started(installation) as product:
            the_rest_goes_out(product)
            kill_in_the_middle(product)
        with started(installation) as product:
            nothing_goes_out_again(product)


def stop_in_the_middle(product: Product) -> None:
    product.phones.faults("slow", seconds=1.5, times=None)
    send_to_all(product, STOPPED, "Before the stop")
    assert product.process.stop(signal.SIGTERM) == 0
    left = states(product, "Before the stop")
    assert len(left) == len(STOPPED)
    assert set(left.values()).isdisjoint(UNCLEAR)


def the_rest_goes_out(product: Product) -> None:
    product.phones.clear_faults()
    wait_for(lambda: all(on_the_phones(product, STOPPED, "Before the stop").values()), "every text on its phone")
    product.phones.wait_until_quiet()
    assert set(on_the_phones(product, STOPPED, "Before the stop").values()) == {1}


def kill_in_the_middle(product: Product) -> None:
    """The carrier has taken the texts, and neither its answer nor its report comes through."""
    product.phones.faults("hang", times=None)
    product.phones.faults("callback_lost", times=None)
    send_to_all(product, KILLED, "Before the kill")
    wait_for(lambda: any(on_the_phones(product, KILLED, "Before the kill").values()), "a text on its phone")
    kill_the_product(product)
    product.process.ended()
    assert set(states(product, "Before the kill").values()) & set(UNCLEAR)


def nothing_goes_out_again(product: Product) -> None:
    in_hand = [body for body, state in states(product, "Before the kill").items() if state in UNCLEAR]
    product.phones.clear_faults()
    send_to_all(product, ["Yazzie"], "After the kill")
    wait_for(lambda: on_the_phones(product, ["Yazzie"], "After the kill") == {"After the kill, Yazzie": 1}, "the next")
    product.phones.wait_until_quiet()
    assert set(on_the_phones(product, KILLED, "Before the kill").values()) <= {0, 1}
    known = states(product, "Before the kill")
    assert {known[body] for body in in_hand} <= set(UNCLEAR)


def kill_the_product(product: Product) -> None:
    """gunicorn and its worker at once, without a last word; the phones live on."""
    (leader,) = (pid for pid in children_of(product.process.process_id) if "gunicorn" in command_of(pid))
    os.killpg(leader, signal.SIGKILL)


def children_of(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # gone meanwhile
            continue
        if int(fields[1]) == parent:
            found.append(int(folder.name))
    return found


def command_of(pid: int) -> str:
    return (Path("/proc") / str(pid) / "cmdline").read_text()
