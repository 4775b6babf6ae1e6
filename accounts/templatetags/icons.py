"""{% icon "plus-lg" %}: a picture from our sprite. Always beside words, or in something with an accessible name."""

import functools

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@functools.cache  # a list shows a hundred of them, and the sprite's address doesn't change while we run
def icon(name: str) -> SafeString:
    address = static("vendor/bootstrap-icons/sprite.svg")
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', address, name
    )
