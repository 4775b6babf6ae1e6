"""How long ago something was, as people say it."""

from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_UNITS: tuple[tuple[int, Callable[[int], str]], ...] = (
    (365 * 86_400, lambda count: ngettext("%d year ago", "%d years ago", count)),
    (30 * 86_400, lambda count: ngettext("%d month ago", "%d months ago", count)),
    (7 * 86_400, lambda count: ngettext("%d week ago", "%d weeks ago", count)),
    (86_400, lambda count: ngettext("%d day ago", "%d days ago", count)),
    (3_600, lambda count: ngettext("%d hour ago", "%d hours ago", count)),
    (60, lambda count: ngettext("%d minute ago", "%d minutes ago", count)),
)


def relative_time(at: datetime | None, now: datetime) -> str:
    """ "5 minutes ago", "just now", "--" for never. Rounded down to one unit."""
    if at is None:
        return "--"
    seconds = int((now - at).total_seconds())
    for size, words in _UNITS:
        if seconds >= size:
            return words(seconds // size) % (seconds // size)
    return _("just now")
