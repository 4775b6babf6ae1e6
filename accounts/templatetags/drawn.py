"""{% drawn "_row.html" row %}: a fragment whose looks depend on nothing but its item, drawn once and kept.

Lists and talks are drawn over and over by open pages that ask whether anything is new; nearly every line is as before.
The item is the key, so a line is never stale; it must be hashable, and hold all that the fragment shows.
"""

import functools

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()

KEPT = 8192  # about one kilobyte each


@register.simple_tag
def drawn(template_name: str, item: object) -> SafeString:
    if settings.DEBUG:  # whoever edits the template wants to see it
        return render_to_string(template_name, {"item": item})
    return _kept(template_name, item)


@functools.lru_cache(maxsize=KEPT)
def _kept(template_name: str, item: object) -> SafeString:
    return render_to_string(template_name, {"item": item})
