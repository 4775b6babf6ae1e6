"""Where one request's time goes: in this process, without a server or load, under Python's own profiler."""

import cProfile
import io
import itertools
import pstats
from collections.abc import Callable, Iterator
from time import process_time
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client as Browser

from bench import data, machine, product
from bench.data import Filled
from bench.load import WrongAnswerError, opened
from bench.options import Options
from bench.requests import EMPTY_TWIML, FORM_TYPE, has_mark, list_path, talk_path, webhooks
from bench.servers import HOST

REQUESTS = 50
TIMES = 5
SHOWN = 25

Ask = Callable[[], bytes]


def run(options: Options) -> str:
    """Two lists of functions, in Markdown, and what a request costs when no profiler slows it down."""
    assert options.profile is not None
    described = machine.describe()
    product.prepare()
    ask = _asker(options.profile, data.fill(data.USUAL))
    answer = ask()  # compiles the templates
    plain = sorted(_cpu_milliseconds(ask) for _ in range(TIMES))
    return "\n".join(
        [
            f"{options.profile}: {plain[0]:.2f} ms of CPU a request without the profiler (best of {TIMES} times "
            f"{REQUESTS}; slowest {plain[-1]:.2f}), {len(answer) / 1e3:.1f} kB. {described.day}, "
            f"{described.cpu}, load before the start {described.load:.2f}.",
            "",
            *_lists(_profile(ask)),
        ]
    )


def _asker(group: str, to: Filled) -> Ask:
    """Asks as a server would, and looks at each answer. DEBUG is off, so templates are compiled once."""
    browser = Browser(headers={"host": HOST, "accept-encoding": "gzip, br"})
    if group == "webhooks":
        return _texter(browser, to)
    browser.cookies.load(to.cookies[0])
    path = list_path(to) if group == "list" else talk_path(to)

    def ask() -> bytes:
        answer = browser.get(path, secure=True)
        encoding = answer.headers.get("Content-Encoding", "").encode()
        page = opened(encoding, answer.content) if encoding else answer.content
        if answer.status_code != 200 or not has_mark(page):
            raise WrongAnswerError(f"{answer.status_code}: {page[:600]!r}")
        return bytes(answer.content)

    return ask


def _texter(browser: Browser, to: Filled) -> Ask:
    texts = webhooks(to, 2 * (TIMES + 1) * REQUESTS)

    def ask() -> bytes:
        text = next(texts)
        path = text.url.removeprefix(settings.PUBLIC_URL)
        signed = {"x-twilio-signature": text.signature}
        answer = browser.post(path, urlencode(text.form), FORM_TYPE, secure=True, headers=signed)
        if answer.status_code != 200 or answer.content != EMPTY_TWIML:
            raise WrongAnswerError(f"{answer.status_code}: {answer.content[:600]!r}")
        return bytes(answer.content)

    return ask


def _cpu_milliseconds(ask: Ask) -> float:
    """Of this process, for one request."""
    begun = process_time()
    for _ in range(REQUESTS):
        ask()
    return (process_time() - begun) * 1e3 / REQUESTS


def _profile(ask: Ask) -> cProfile.Profile:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(REQUESTS):
        ask()
    profile.disable()
    return profile


def _lists(profile: cProfile.Profile) -> Iterator[str]:
    for order, title in (("tottime", "by their own time"), ("cumulative", "with what they call")):
        yield f"The first {SHOWN} functions {title}, {REQUESTS} requests, slowed down by the profiler:"
        yield "```"
        yield from _rows(profile, order)
        yield "```"
        yield ""


def _rows(profile: cProfile.Profile, order: str) -> Iterator[str]:
    """The profiler's table without its preamble, with paths as they are imported."""
    out = io.StringIO()
    pstats.Stats(profile, stream=out).sort_stats(order).print_stats(SHOWN)
    lines = itertools.dropwhile(lambda line: "ncalls" not in line, out.getvalue().splitlines())
    for line in lines:
        if line.strip():
            yield _shortened(line)


def _shortened(line: str) -> str:
    figures, place = line[:45], line[45:].strip()
    return f"{figures} " + place.rpartition("site-packages/")[2].replace(f"{settings.BASE_DIR}/", "")
