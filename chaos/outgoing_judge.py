"""Holds our rows against the carrier's list. Knows no database, so that it can be shown to find what it looks for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos.carrier import Listed
from chaos.report import Report

AT_LEAST_ACCEPTED = frozenset({"accepted", "sent", "delivered", "undelivered"})


@dataclass(frozen=True)
class OurText:
    """One row, in the order in which the texts were typed. their_number: the client's number, whoever was texted."""

    public_id: str
    body: str
    state: str
    their_number: str
    carrier_id: str


@dataclass(frozen=True)
class Watched:
    """What else was seen. made: public ids, one for each message that the carrier made. cut_off: those of calls in hand

    when their worker died.
    """

    made: Sequence[str]
    cut_off: frozenset[str]


def judge(report: Report, count: int, ours: Sequence[OurText], listed: Sequence[Listed], watched: Watched) -> None:
    """listed: what went out, in the order in which the carrier took it. Each body is unique."""
    there = Counter(text.body for text in listed)
    missing = [text for text in ours if text.body not in there]
    unconfirmed = {text.body for text in ours if text.state == "unconfirmed"}
    present = [text for text in ours if text.body in there]
    reached = sum(text.body in there for text in ours if text.public_id in watched.cut_off)
    report.figure("calls cut off: had reached the carrier", f"{reached} of {len(watched.cut_off)}")
    report.none("texts twice at the carrier, by their words", sum(times > 1 for times in there.values()))
    report.none("by our id in the callback's address", len(watched.made) - len(set(watched.made)))
    report.promise(
        "at the carrier + unconfirmed",
        f"{len(there)} + {len(unconfirmed - set(there))} = {len(there) + len(unconfirmed - set(there))}",
        str(count),
        kept=len(set(there) | unconfirmed) == count,
    )
    report.none("unconfirmed here, but at the carrier", len(unconfirmed & set(there)))
    report.none("absent at the carrier and not unconfirmed here", sum(text.state != "unconfirmed" for text in missing))
    report.none("at the carrier, not even accepted here", sum(text.state not in AT_LEAST_ACCEPTED for text in present))
    report.none("texts at the carrier that no row of ours has", len(set(there) - {text.body for text in ours}))
    report.none("sent to another number than the client's", _misdirected(ours, listed))
    report.none("under another text's carrier id", _mixed_up(ours, listed))
    report.none("reversed pairs of texts to one client", reversed_pairs(ours, listed))
    behind = sum(text.state != "delivered" for text in present)
    report.promise("at the carrier, end not known here after reconciling", behind, "0", kept=behind == 0)
    report.figure("states here", _in_words(Counter(text.state for text in ours)))


def _misdirected(ours: Iterable[OurText], listed: Iterable[Listed]) -> int:
    meant = {text.body: text.their_number for text in ours}
    return sum(meant.get(text.body, text.recipient) != text.recipient for text in listed)


def _mixed_up(ours: Iterable[OurText], listed: Iterable[Listed]) -> int:
    by_sid = {text.sid: text.body for text in listed}
    return sum(by_sid.get(text.carrier_id) != text.body for text in ours if text.carrier_id)


def reversed_pairs(ours: Sequence[OurText], listed: Iterable[Listed]) -> int:
    """Neighbours at the carrier, among the texts to one number, that were typed the other way round."""
    typed = {text.body: place for place, text in enumerate(ours)}
    taken: dict[str, list[int]] = defaultdict(list)
    for text in listed:
        taken[text.recipient].append(typed.get(text.body, -1))
    return sum(earlier > later for places in taken.values() for earlier, later in pairwise(places))


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{state} {count}" for state, count in sorted(counts.items()))
