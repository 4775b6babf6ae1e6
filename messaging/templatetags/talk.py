"""How a talk looks: the words of a text, a bubble, an event.

Drawn by Python and not by a template each: a page has fifty bubbles, and a template takes ten times as long for one.
What is put into markup here is escaped in the same line, unless it is a number or one of our own words for machines.
"""

import re
from collections.abc import Iterable
from html import escape

from django import template
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.templatetags.icons import icon
from messaging.talk import EventItem, Item, MessageItem

register = template.Library()

_LINK = re.compile(r"https?://[^\s<>\"“”]+")
_AFTER_A_LINK = ".,;:!?)'\u2019"
_TONE_ICONS = {"problem": "exclamation-triangle-fill", "waiting": "clock"}


@register.filter
def talk_text(body: str) -> SafeString:
    """The words as typed, escaped; web addresses become links that tell the other site nothing."""
    parts: list[str] = []
    position = 0
    for match in _LINK.finditer(body):
        address = match[0].rstrip(_AFTER_A_LINK)
        shown = escape(address)
        parts.append(escape(body[position : match.start()]))
        parts.append(f'<a href="{shown}" target="_blank" rel="noopener noreferrer nofollow">{shown}</a>')
        position = match.start() + len(address)
    parts.append(escape(body[position:]))
    return SafeString("".join(parts))


@register.simple_tag(takes_context=True)
def talk_items(context: Context, items: Iterable[Item]) -> SafeString:
    """Messages and events in their order."""
    return SafeString("".join(_item(context, item) for item in items))


def _item(context: Context, item: Item) -> str:
    if isinstance(item, EventItem):
        return f'<li class="event" id="{item.dom_id}" data-item>{escape(item.text)} · {_time(item)}</li>\n'
    return _message(item, _choices(context, item) if item.choices else "")


def _choices(context: Context, item: MessageItem) -> str:
    """What a person can do about the message: the one part that is a template, for few messages have it."""
    assert context.template is not None  # there is one while it is drawn
    with context.push(item=item):
        return context.template.engine.get_template("_message_choices.html").render(context)


def _time(item: Item) -> str:
    return f'<time datetime="{item.at.isoformat()}" title="{escape(item.full_time)}">{escape(item.time)}</time>'


def _message(item: MessageItem, choices: str) -> str:
    incoming = "" if item.is_outgoing else " data-incoming"
    unread = " data-unread" if item.is_unread else ""
    who = f'<span class="visually-hidden">{escape(_who(item))}</span>'
    meta = _outgoing_meta(item) if item.is_outgoing else _incoming_meta(item)
    return (
        f'<li class="message {_classes(item)}" id="{item.dom_id}" data-item data-message="{item.id}"'
        f"{incoming}{unread}>\n"
        f'<div class="bubble">{who}\n{_text(item)}{_files(item)}</div>\n'
        f'<p class="message-meta">{meta}</p>{choices}</li>\n'
    )


def _classes(item: MessageItem) -> str:
    direction = "message-outgoing" if item.is_outgoing else "message-incoming"
    problem = " message-problem" if item.state_tone == "problem" else ""
    return f"{direction}{problem}{' message-unread' if item.is_unread else ''}"


def _who(item: MessageItem) -> str:
    """Said by a screen reader before the words."""
    if not item.is_outgoing:
        return _("Client:")
    return f"{item.author_name}:" if item.author_name else _("You:")


def _text(item: MessageItem) -> str:
    if not item.body:
        return "" if item.media else f'<p class="quiet">{escape(_("This text came without words."))}</p>'
    return f'<p class="message-text" dir="auto" data-message-text>{talk_text(item.body)}</p>'


def _files(item: MessageItem) -> str:
    if not item.media:
        return ""
    files = "".join(f"<li>{icon('file-earmark-image')}{escape(file.name)}</li>" for file in item.media)
    return f'<ul class="message-files">{files}</ul>'


def _incoming_meta(item: MessageItem) -> str:
    unread = _span("visually-hidden", _("Unread")) if item.is_unread else ""
    late = f" · {escape(_('arrived late'))}" if item.is_late else ""
    return f"{unread}{_time(item)}{late}"


def _outgoing_meta(item: MessageItem) -> str:
    author = f"<span>{escape(item.author_name)}</span>\n" if item.author_name else ""
    if not item.show_state:
        return author
    tone = item.state_tone
    pictured = icon(_TONE_ICONS[tone]) if tone in _TONE_ICONS else ""
    state = f'<span class="message-state message-state-{tone}" title="{escape(item.full_time)}">'
    advice = _span("message-advice", item.problem_advice) if item.problem_advice else ""
    return f"{author}{state}{pictured}{escape(item.state_text)}</span>\n{advice}"


def _span(css_class: str, words: str) -> str:
    return f'<span class="{css_class}">{escape(words)}</span>\n'
