"""How a line of the client list looks.

By Python for the same reason as a bubble of a talk: a page has fifty of them. What is put into markup here is escaped
in the same line, unless it is a number or one of our own words for machines.
"""

from collections.abc import Iterable, Iterator
from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.templatetags.icons import icon
from messaging.queries import CaseloadRow
from messaging.templatetags.statuses import status_chip

register = template.Library()


@register.simple_tag
def caseload_rows(rows: Iterable[CaseloadRow]) -> SafeString:
    """Line after line."""
    return SafeString("".join(map(_row, rows)))


def _row(row: CaseloadRow) -> str:
    """The roles keep it a row for screen readers where the style sheet makes a card of it."""
    unread = " unread" if row.unread_count else ""
    name = f'<a class="client-name" href="{escape(row.url)}"><bdi>{escape(row.name)}</bdi></a>'
    return (
        f'<tr class="caseload-row{unread}" id="client-{row.client_id}" role="row" data-unread="{row.unread_count}">\n'
        f'<td class="client-cell" role="cell"><span class="client-line">{name}\n{_unread_count(row)}</span>\n'
        f"{_snippet(row)}\n{_warnings(row)}</td>\n"
        f'<td class="number-cell" role="cell">{escape(row.number)}</td>\n'
        f'<td class="status-cell" role="cell">{status_chip(row.status_name, row.status_colour)}</td>\n'
        f'<td class="scheduled-cell" role="cell">{_scheduled_count(row)}</td>\n'
        f'<td class="time-cell" role="cell">{_last_contact(row)}</td></tr>\n'
    )


def _unread_count(row: CaseloadRow) -> str:
    if not row.unread_count:
        return ""
    words = f'<span class="visually-hidden"> {escape(_("unread"))}</span>'
    return f'<span class="unread-count">{row.unread_count}{words}</span>'


def _snippet(row: CaseloadRow) -> str:
    if not row.snippet:
        return ""
    words = f"<bdi>{escape(row.snippet)}</bdi>"
    if row.snippet_is_mine:
        words = escape(_("You: %(text)s")) % {"text": words}
    return f'<span class="snippet">{words}</span>'


def _warnings(row: CaseloadRow) -> str:
    shown = "".join(
        f'<span class="warning{css_class}">{icon(picture)}{escape(words)}</span>\n'
        for css_class, picture, words in _each_warning(row)
    )
    return f'<span class="warnings">{shown}</span>' if shown else ""


def _each_warning(row: CaseloadRow) -> Iterator[tuple[str, str, str]]:
    """Its further class, its icon, and its words: never colour alone."""
    if row.not_delivered:
        yield "", "exclamation-triangle-fill", _("Not delivered")
    if row.opted_out:
        yield " warning-amber", "slash-circle", _("Opted out")
    if row.wrong_number:
        yield " warning-amber", "telephone-x", _("Wrong number")


def _scheduled_count(row: CaseloadRow) -> str:
    if not row.scheduled_count:
        return ""
    return f'{row.scheduled_count}<span class="visually-hidden"> {escape(_("scheduled"))}</span>'


def _last_contact(row: CaseloadRow) -> str:
    if not row.last_contact_iso:
        return escape(row.last_contact)
    return f'<time datetime="{row.last_contact_iso}">{escape(row.last_contact)}</time>'
