"""Reads our pages as a browser would, as far as the tests need it."""

import html
import re

from django.http import HttpResponse


def source(response: object) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def words(response: object) -> str:
    """What can be read on the page's main part, with single blanks."""
    main = source(response).partition("<main")[2] or source(response)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def field(response: object, name: str) -> str:
    """The value of a hidden or text field of the page."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', source(response))
    assert tag, f"no field {name}"
    value = re.search(r'value="([^"]*)"', tag[0])
    return html.unescape(value[1]) if value else ""


def text_box(response: object, name: str = "body") -> str:
    """What stands in a text box. As browsers do, the line break right after the tag is no part of it."""
    box = re.search(rf'<textarea[^>]*name="{name}"[^>]*>(.*?)</textarea>', source(response), re.DOTALL)
    assert box, f"no text box {name}"
    return html.unescape(box[1]).removeprefix("\n")


def has_box(response: object) -> bool:
    return "<textarea" in source(response)


def message_texts(response: object) -> list[str]:
    """The bodies of the messages, in the order of the page."""
    found = re.findall(r"data-message-text>(.*?)</p>", source(response), re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", text)) for text in found]


def client_names(response: object) -> list[str]:
    """The names in the list of clients, in the order of the page."""
    found = re.findall(r'class="client-name"[^>]*><bdi>(.*?)</bdi>', source(response))
    return [html.unescape(name) for name in found]
