"""Times, the words of a text, bubbles and lines of the list, as pages show them."""

import html
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import UUID

import pytest
from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st

from messaging.queries import CaseloadRow
from messaging.relative_times import relative_time
from messaging.talk import Choice, EventItem, File, MessageItem
from messaging.templatetags.caseload import caseload_rows
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


# --- Bubbles, events and lines of the list ---------------------------------------------------------------------------

MARKUP = st.lists(
    st.sampled_from(["<b>", "</li>", "<script>", '"', "'", "&amp;", "&", ">", "{{ x }}", "{% x %}", "%s", "é", " "]),
    min_size=1,
).map("".join)


class Shape(HTMLParser):
    """The tags with the names of their attributes, and apart from them all that is text or a value."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _value in attributes)))
        self.words += [value or "" for _name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def drawn(item: MessageItem | EventItem) -> Shape:
    context = Context({"items": [item], "client": {"id": 7}, "csrf_token": "token"})
    return Shape(Engine.get_default().from_string("{% load talk %}{% talk_items items %}").render(context))


def message_with(words: str, *, is_outgoing: bool) -> MessageItem:
    """A message that shows these words wherever a message shows any."""
    return MessageItem(
        id=5,
        dom_id="message-5",
        is_outgoing=is_outgoing,
        body=words,
        author_name=words if is_outgoing else "",
        at=NOW,
        time="2:05 pm",
        full_time=words,
        state_text=words,
        state_tone="problem",
        problem_advice=words,
        show_state=True,
        media=(File(words),),
        is_unread=not is_outgoing,
        is_late=True,
        public_id=UUID(int=4),
        choices=(Choice(words, "try-again"),) if is_outgoing else (),
    )


@given(words=MARKUP, is_outgoing=st.booleans())
def test_no_words_of_a_message_become_markup_wherever_they_stand(words: str, is_outgoing: bool) -> None:
    shown = drawn(message_with(words, is_outgoing=is_outgoing))
    assert shown.tags == drawn(message_with("plain", is_outgoing=is_outgoing)).tags
    assert "".join(shown.words).count(words) >= (6 if is_outgoing else 3)


@given(words=MARKUP)
def test_no_words_of_an_event_become_markup(words: str) -> None:
    shown, plain = (drawn(EventItem("event-3", it, NOW, "2:05 pm", it)) for it in (words, "plain"))
    assert shown.tags == plain.tags
    assert "".join(shown.words).count(words) >= 2


def line(words: str) -> Shape:
    row = CaseloadRow(
        client_id=5,
        name=words,
        number=words,
        status_name=words,
        status_colour="green",
        last_contact=words,
        last_contact_iso="2026-03-03T12:00:00+00:00",
        snippet=words,
        snippet_is_mine=True,
        scheduled_count=2,
        unread_count=2,
        not_delivered=True,
        opted_out=True,
        wrong_number=True,
    )
    return Shape(caseload_rows([row]))


@given(words=MARKUP)
def test_no_words_of_a_line_of_the_list_become_markup(words: str) -> None:
    shown = line(words)
    assert shown.tags == line("plain").tags
    assert "".join(shown.words).count(words) >= 5


def test_a_message_that_needs_a_person_has_a_button_for_each_choice() -> None:
    shown = drawn(message_with("Try again", is_outgoing=True))
    assert "/conversations/7/messages/00000000-0000-0000-0000-000000000004/try-again/" in shown.words
    assert "token" in shown.words
