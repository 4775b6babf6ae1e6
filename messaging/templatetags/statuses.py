"""How a client's status looks: its word, and its colour beside it, never instead of it."""

import functools

from django import template
from django.utils.html import format_html

register = template.Library()


@register.simple_tag
@functools.lru_cache(maxsize=1_000)  # a list shows fifty, of a handful of statuses
def status_chip(name: str, colour: str) -> str:
    """Nothing for a client without a status. colour: one of ClientStatus.Colour."""
    if not name:
        return ""
    return format_html('<span class="status-chip status-{}"><bdi>{}</bdi></span>', colour, name)
