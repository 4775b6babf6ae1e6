"""Case managers who send texts by our pages, and clients whose texts come in: a steady load, each answer timed."""

import itertools
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import requests
from django.conf import settings
from django.test import Client as Browser

from accounts.models import User
from chaos.ground import Ground
from chaos.people import Person
from telephony.simulator.control import PhonesError, PocketPhones

WRITERS = 4
TEXTERS = 2
WRITES_EVERY = 1.0
TEXTS_EVERY = 0.4
ANSWERS_WITHIN = 60.0

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?')


@dataclass(frozen=True)
class Sample:
    """at: seconds since 1970, when it was asked. is_good: the answer is the one that a person hopes for."""

    kind: str
    at: float
    seconds: float
    is_good: bool


class Load:
    """Threads that go on until they are stopped. sent, texted: the words of what the product said it took."""

    def __init__(self, ground: Ground, people: Sequence[Person], seed: int) -> None:
        self.samples: list[Sample] = []
        self.sent: list[str] = []
        self.texted: list[str] = []
        self._ground, self._people, self._serial = ground, people, itertools.count()
        self._stopping = threading.Event()
        self._threads = [self._thread(_Writer(self, people, seed + n).write_one, WRITES_EVERY) for n in range(WRITERS)]
        self._threads += [self._thread(_Texter(self, people, seed + n).text_one, TEXTS_EVERY) for n in range(TEXTERS)]

    @property
    def ground(self) -> Ground:
        return self._ground

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(ANSWERS_WITHIN * 2)

    def next_words(self, what: str) -> str:
        return f"{what} {next(self._serial)}"

    def timed(self, kind: str, ask: Callable[[], bool]) -> bool:
        at, begun = time.time(), time.perf_counter()
        try:
            is_good = ask()
        except (requests.RequestException, PhonesError, OSError):
            is_good = False
        self.samples.append(Sample(kind, at, time.perf_counter() - begun, is_good))
        return is_good

    def _thread(self, act: Callable[[], None], every: float) -> threading.Thread:
        def go_on() -> None:
            while not self._stopping.wait(every):
                act()

        return threading.Thread(target=go_on, daemon=True)


class _Writer:
    """One case manager's browser: opens a conversation, types, sends."""

    def __init__(self, load: Load, people: Sequence[Person], seed: int) -> None:
        self._load, self._chance = load, random.Random(seed)  # noqa: S311  # repeatable, guards nothing
        managers = sorted({person.case_manager.pk for person in people})
        mine = managers[seed % len(managers)]
        self._people = [person for person in people if person.case_manager.pk == mine]
        self._browser = requests.Session()
        self._browser.trust_env = False
        self._browser.cookies.set(settings.SESSION_COOKIE_NAME, signed_in(self._people[0].case_manager))
        self._page = ""

    def write_one(self) -> None:
        url = f"{self._load.ground.url}/conversations/{self._chance.choice(self._people).client_id}/"
        words = self._load.next_words("From the office")
        if self._load.timed("page", lambda: self._open(url)) and self._load.timed(
            "send", lambda: self._send(url, words)
        ):
            self._load.sent.append(words)

    def _open(self, url: str) -> bool:
        answer = self._browser.get(url, timeout=ANSWERS_WITHIN, allow_redirects=False)
        self._page = answer.text
        return answer.status_code == 200

    def _send(self, url: str, words: str) -> bool:
        form = {**dict(_HIDDEN.findall(self._page)), "body": words}
        return self._browser.post(url, form, timeout=ANSWERS_WITHIN, allow_redirects=False).status_code == 302


class _Texter:
    """Clients, by the pocket phones."""

    def __init__(self, load: Load, people: Sequence[Person], seed: int) -> None:
        self._load, self._people, self._chance = load, people, random.Random(seed)  # noqa: S311
        self._phones = PocketPhones(load.ground.phones_url, timeout=ANSWERS_WITHIN)

    def text_one(self) -> None:
        """Timed by the phones, from their request to the product's answer."""
        person, words = self._chance.choice(self._people), self._load.next_words("From a client")
        at = time.time()
        (answer,) = self._phones.text(person.address, person.our_number, words).webhooks
        is_good = answer.status == 200
        self._load.samples.append(Sample("webhook", at, answer.seconds, is_good))
        if is_good:
            self._load.texted.append(words)


def signed_in(user: User) -> str:
    """A session made in the database, as signing in would."""
    browser = Browser()
    browser.force_login(user)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value
