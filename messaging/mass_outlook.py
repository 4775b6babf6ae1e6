"""What a mass message would do if it were sent now: how many people and texts, an example of each, who is left out.

Worked out in bulk: one row for each different set of names that the text uses, not one for each recipient.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from messaging import mass_choice, merge_fields, segments
from messaging.mass_choice import LeftOut
from messaging.merge_fields import FIRST_NAME, LAST_NAME, Values
from messaging.models import MassMessage

NAMED_AT_MOST = 100

_COLUMNS = {FIRST_NAME: "client__first_name", LAST_NAME: "client__last_name"}


@dataclass
class Example:
    """How one kind of recipient gets it: the first of them, the text, how many texts it makes, how many people so."""

    client_id: int
    text: str
    segments: int
    people: int = 0
    name: str = ""

    @property
    def length(self) -> int:
        return segments.length(self.text)


@dataclass(frozen=True)
class Group:
    """So many people for one reason, the first hundred by name."""

    label: str
    count: int
    names: list[str]

    @property
    def more(self) -> int:
        return self.count - len(self.names)


@dataclass
class Outlook:
    """What would happen, and the problems that stand in the way, each a sentence."""

    people: int = 0
    texts: int = 0
    too_long: int = 0
    longest: Example | None = None
    examples: list[Example] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_outlook(mass: MassMessage) -> Outlook:
    """The figures, the examples and what is wrong. Three queries, however many recipients there are."""
    outlook = Outlook()
    kinds: dict[tuple[bool, int], Example] = {}
    for names, first_id, people in _outcomes(mass):
        example = Example(first_id, merge_fields.merge(mass.body, names), 0, people)
        example.segments = segments.count(example.text)
        _add(outlook, kinds, example, is_nameless=not names.first_name.strip())
    outlook.examples = sorted(kinds.values(), key=lambda it: it.client_id)
    _name(outlook)
    outlook.problems = list(_problems(mass.body, outlook))
    return outlook


def _outcomes(mass: MassMessage) -> Iterator[tuple[Values, int, int]]:
    """Each different set of names that the text uses: the first recipient's id, and how many have it."""
    used = [name for name in merge_fields.OF_THE_CLIENT if name in merge_fields.used(mass.body)]
    going = mass_choice.chosen(mass).filter(reason="").order_by()
    common = {"my_name": mass.author.full_name, "department": mass.department.name}
    if not used:
        figures = going.aggregate(first=Min("client_id"), people=Count("pk"))
        if figures["people"]:
            yield Values("x", **common), figures["first"], figures["people"]
        return
    groups: Any = going.values_list(*(_COLUMNS[name] for name in used)).annotate(first=Min("client_id"), n=Count("pk"))
    for *found, first_id, people in groups.iterator(chunk_size=2000):
        values = dict(zip(used, found, strict=True))
        names = Values(values.get(FIRST_NAME, "x"), values.get(LAST_NAME, ""), **common)
        yield names, first_id, people


def _add(outlook: Outlook, kinds: dict[tuple[bool, int], Example], example: Example, *, is_nameless: bool) -> None:
    outlook.people += example.people
    outlook.texts += example.people * example.segments
    if example.length > segments.MAX_LENGTH:
        outlook.too_long += example.people
        if outlook.longest is None or outlook.longest.length < example.length:
            outlook.longest = example
    known = kinds.get((is_nameless, example.segments))
    if known is None:
        kinds[is_nameless, example.segments] = example
        return
    people = known.people + example.people
    first = min(known, example, key=lambda it: it.client_id)
    kinds[is_nameless, example.segments] = Example(first.client_id, first.text, first.segments, people)


def _name(outlook: Outlook) -> None:
    shown = [*outlook.examples, *([outlook.longest] if outlook.longest else [])]
    people = Client.objects.in_bulk([it.client_id for it in shown])
    for example in shown:
        example.name = people[example.client_id].full_name


def _problems(body: str, outlook: Outlook) -> Iterator[str]:
    if not body.strip():
        yield _("Write a text first.")
    for name in merge_fields.unknown(body):
        yield _("“{%(name)s}” can't be filled in. There are {first name}, {last name}, {my name} and {department}.") % {
            "name": name
        }
    if outlook.longest is not None:
        excess = outlook.longest.length - segments.MAX_LENGTH
        words = ngettext(
            "For %(name)s the text is %(count)d character too long.",
            "For %(name)s the text is %(count)d characters too long.",
            excess,
        )
        yield (
            words % {"name": outlook.longest.name, "count": excess}
            + " "
            + _("A message can have 1,600, with the names filled in. Nothing was sent.")
        )
    if not outlook.people:
        yield _("Choose at least one client who can be texted.")


def left_out(mass: MassMessage) -> list[Group]:
    """Who was chosen and would not get it, by reason: one query for the figures and one for all names."""
    out = mass_choice.chosen(mass).exclude(reason="").order_by("reason")
    counts = dict(out.values_list("reason").annotate(n=Count("pk")))
    names = _names(out.order_by("reason", "client__last_name", "client__first_name", "client_id"), "reason")
    return [Group(str(LeftOut(reason).label), count, names.get(reason, [])) for reason, count in counts.items()]


def nameless(mass: MassMessage) -> Group | None:
    """Who gets it without a first name, if the text uses it."""
    if FIRST_NAME not in merge_fields.used(mass.body):
        return None
    found = mass_choice.chosen(mass).filter(reason="", client__first_name__regex=r"^\s*$")
    count = found.count()
    names = _names(found.order_by("client__last_name", "client_id"), None) if count else {}
    return Group("", count, names.get("", [])) if count else None


def _names(rows: Any, by: str | None) -> dict[str, list[str]]:
    """The names of the first hundred, under the value of the column named (or all under an empty word)."""
    found: dict[str, list[str]] = {}
    columns = ("client__first_name", "client__last_name", "number__address", *([by] if by else []))
    for first, last, address, *under in rows.values_list(*columns)[:NAMED_AT_MOST]:
        name = f"{first} {last}".strip() or (address or "")
        found.setdefault(under[0] if under else "", []).append(name)
    return found
