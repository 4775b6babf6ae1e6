"""The filter for the words of a text."""

import re

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_LINK = re.compile(r"https?://[^\s<>\"“”]+")
_AFTER_A_LINK = ".,;:!?)'\u2019"


@register.filter
def talk_text(body: str) -> SafeString:
    """The words as typed, escaped; web addresses become links that tell the other site nothing."""
    parts: list[str] = []
    position = 0
    for match in _LINK.finditer(body):
        address = match[0].rstrip(_AFTER_A_LINK)
        parts.append(conditional_escape(body[position : match.start()]))
        parts.append(
            format_html('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>', address, address)
        )
        position = match.start() + len(address)
    parts.append(conditional_escape(body[position:]))
    return mark_safe("".join(parts))  # noqa: S308  # each part is escaped above
