"""Times and the words of a text, as templates print them."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.relative_times import relative_time
from messaging.templatetags.talk import talk_text

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
LINK = re.compile(r'<a href="([^"]*)" target="_blank" rel="noopener noreferrer nofollow">([^<]*)</a>')


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(hours=2, minutes=40), "2 hours ago"),
        (timedelta(days=9), "1 week ago"),
        (timedelta(minutes=-3), "just now"),  # the clocks of two machines differ
    ],
)
def test_a_time_is_said_as_people_say_it(ago: timedelta, words: str) -> None:
    assert relative_time(NOW - ago, NOW) == words


def test_never_is_two_dashes() -> None:
    assert relative_time(None, NOW) == "--"


def link(address: str) -> str:
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">{address}</a>'


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("plain", "plain"),
        ("a\nb", "a\nb"),
        ("<b>bold</b> & 'quoted'", "&lt;b&gt;bold&lt;/b&gt; &amp; &#x27;quoted&#x27;"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("see https://court.example/a?b=1&c=2.", f"see {link('https://court.example/a?b=1&amp;c=2')}."),
        ("(http://court.example/x)", f"({link('http://court.example/x')})"),
        ("https://a.example, https://b.example!", f"{link('https://a.example')}, {link('https://b.example')}!"),
        ('https://a.example/"onmouseover="x', f"{link('https://a.example/')}&quot;onmouseover=&quot;x"),
        ("https://a.example/'onmouseover='x", link("https://a.example/&#x27;onmouseover=&#x27;x")),
        ("https://<script>", "https://&lt;script&gt;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("www.court.example", "www.court.example"),
    ],
)
def test_a_text_is_shown_as_typed_with_its_addresses_as_links(body: str, shown: str) -> None:
    assert talk_text(body) == shown


@given(
    st.text() | st.lists(st.sampled_from(["https://a.b/", "<a>", "&amp;", '"', "'", ".", " ", ")", "é"])).map("".join)
)
def test_nothing_of_a_text_is_lost_or_becomes_markup(body: str) -> None:
    shown = talk_text(body)
    assert all(address == words and address.startswith("http") for address, words in LINK.findall(shown))
    without_links = LINK.sub(r"\1", shown)
    assert not re.search("[<>\"']", without_links)
    assert html.unescape(without_links) == body
