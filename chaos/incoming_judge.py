"""Holds the conversations against the carrier's list. Knows no database, so that it can be shown to find its faults."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from chaos.carrier import Listed
from chaos.report import Report


@dataclass(frozen=True)
class OurArrival:
    """One stored text. placed_at: its place in the conversation; stored_at: when we learned of it."""

    pk: int
    sid: str
    body: str
    address: str
    placed_at: datetime
    stored_at: datetime
    in_its_conversation: bool

    @property
    def is_late(self) -> bool:
        """Found in the carrier's list, which gave it its place: its webhook never came."""
        return self.placed_at < self.stored_at


@dataclass(frozen=True)
class OurConversation:
    """An open assignment, and how many unread texts its line in the list shows."""

    address: str
    unread_count: int


def judge(
    report: Report, ours: Sequence[OurArrival], talks: Sequence[OurConversation], listed: Sequence[Listed]
) -> None:
    """listed: what came in, in the order in which the carrier took it."""
    stored, taken = Counter(text.sid for text in ours), {text.sid: text for text in listed}
    report.promise("stored", len(set(stored) & set(taken)), str(len(taken)), kept=set(stored) == set(taken))
    report.none("stored more than once", sum(times > 1 for times in stored.values()))
    wrong = [text for text in ours if (there := taken.get(text.sid)) and there.body != text.body]
    report.none("with other words than at the carrier", len(wrong))
    strayed = [text for text in ours if (there := taken.get(text.sid)) and there.sender != text.address]
    report.none("in another client's conversation", len(strayed))
    report.none("not in the client's open conversation", sum(not text.in_its_conversation for text in ours))
    written = Counter(text.sender for text in listed)
    shown = {talk.address: talk.unread_count for talk in talks}
    report.none(
        "clients with another than one open conversation", len(talks) - len(shown) + len(set(written) ^ set(shown))
    )
    report.none(
        "conversations with a wrong unread count", sum(shown.get(who) != count for who, count in written.items())
    )
    _judge_order(report, ours, listed)


def _judge_order(report: Report, ours: Sequence[OurArrival], listed: Sequence[Listed]) -> None:
    order = {text.sid: place for place, text in enumerate(listed)}
    talks = _talks(ours)
    late = [[text for text in talk if text.is_late] for talk in talks]
    report.none("late texts in another order than the carrier's, of one client", _reversed(late, order))
    report.none("late texts that stand behind one that their client wrote later", _overtaken(talks, order))
    neighbours = sum(len(talk) - 1 for talk in talks)
    report.figure(
        "neighbours in other than the carrier's order, of all (a text in time stands where it arrived)",
        f"{_reversed(talks, order)} of {neighbours}",
    )


def _talks(ours: Iterable[OurArrival]) -> list[list[OurArrival]]:
    """Each client's texts as the page shows them."""
    talks: dict[str, list[OurArrival]] = defaultdict(list)
    for text in sorted(ours, key=lambda text: (text.placed_at, text.pk)):
        talks[text.address].append(text)
    return list(talks.values())


def _reversed(talks: Iterable[Sequence[OurArrival]], order: dict[str, int]) -> int:
    return sum(
        order.get(first.sid, -1) > order.get(second.sid, -1) for talk in talks for first, second in pairwise(talk)
    )


def _overtaken(talks: Iterable[Sequence[OurArrival]], order: dict[str, int]) -> int:
    """Late texts of which a text in time, that the carrier took after them, stands before them."""
    return sum(
        any(not before.is_late and order.get(before.sid, -1) > order.get(text.sid, -1) for before in talk[:place])
        for talk in talks
        for place, text in enumerate(talk)
        if text.is_late
    )
