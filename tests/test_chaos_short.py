"""chaos/ in its short form, as CI runs it; and its judges, which must find what they look for."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chaos import incoming_judge, outgoing_judge
from chaos.calls import Call, read
from chaos.carrier import Listed
from chaos.claims import reversed_pairs
from chaos.incoming_judge import OurArrival, OurConversation
from chaos.outgoing_judge import OurText, Watched
from chaos.postgresql import NotInstalledError, programs
from chaos.report import Report
from tests.running import ROOT

ANSWERS_WITHIN = 170
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANNA, BEN = "+12125550110", "+12125550111"


def server_programs_missing() -> bool:
    try:
        programs()
    except NotInstalledError:
        return True
    return shutil.which("redis-server") is None


@pytest.mark.postgresql
@pytest.mark.skipif(server_programs_missing(), reason="needs the programs initdb, postgres and redis-server")
def test_no_promise_is_broken_and_nothing_is_left_behind() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "chaos", "--short", "--scenario", "outgoing", "--scenario", "incoming"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("CLIENTCOMM_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        output, _ = run.communicate(timeout=ANSWERS_WITHIN)
    assert run.returncode == 0, output
    assert not list(Path(tempfile.gettempdir()).glob(f"clientcomm-chaos-{run.pid}-*"))


def went_out(body: str, recipient: str = ANNA, sid: str = "") -> Listed:
    return Listed(sid or f"SM-{body}", "+18015550100", recipient, body, False, "delivered", NOON)


def ours(body: str, state: str = "delivered", sid: str | None = None) -> OurText:
    return OurText(f"id-{body}", body, state, ANNA, f"SM-{body}" if sid is None else sid)


NOTHING_SEEN = Watched([], frozenset())
GOOD_TEXTS = [ours("a"), ours("b"), ours("c", "unconfirmed", "")]
GOOD_LIST = [went_out("a"), went_out("b")]


def broken_of_outgoing(texts: list[OurText], listed: list[Listed], watched: Watched = NOTHING_SEEN) -> list[str]:
    report = Report("Outgoing")
    outgoing_judge.judge(report, 3, texts, listed, watched)
    return [line.what for line in report.broken]


def test_outgoing_texts_that_are_all_well_break_nothing() -> None:
    assert broken_of_outgoing(GOOD_TEXTS, GOOD_LIST) == []


@pytest.mark.parametrize(
    ("texts", "listed", "what"),
    [
        (GOOD_TEXTS, [*GOOD_LIST, went_out("a", sid="SM-other")], "texts twice at the carrier, by their words"),
        (GOOD_TEXTS[:2], GOOD_LIST, "at the carrier + unconfirmed"),
        (GOOD_TEXTS, [*GOOD_LIST, went_out("c")], "unconfirmed here, but at the carrier"),
        (GOOD_TEXTS, GOOD_LIST[:1], "absent at the carrier and not unconfirmed here"),
        ([ours("a", "unknown"), *GOOD_TEXTS[1:]], GOOD_LIST, "at the carrier, not even accepted here"),
        (GOOD_TEXTS, [*GOOD_LIST, went_out("d")], "texts at the carrier that no row of ours has"),
        (GOOD_TEXTS, [went_out("a"), went_out("b", BEN)], "sent to another number than the client's"),
        ([ours("a", sid="SM-b"), *GOOD_TEXTS[1:]], GOOD_LIST, "under another text's carrier id"),
        (GOOD_TEXTS, GOOD_LIST[::-1], "reversed pairs of texts to one client"),
        ([ours("a", "sent"), *GOOD_TEXTS[1:]], GOOD_LIST, "at the carrier, end not known here after reconciling"),
    ],
)
def test_each_fault_of_outgoing_texts_is_found(texts: list[OurText], listed: list[Listed], what: str) -> None:
    assert what in broken_of_outgoing(texts, listed)


def test_two_messages_made_for_one_text_are_found_by_our_id() -> None:
    watched = Watched(["id-a", "id-b", "id-a"], frozenset())
    assert broken_of_outgoing(GOOD_TEXTS, GOOD_LIST, watched) == ["by our id in the callback's address"]


def came_in(sid: str, sender: str = ANNA) -> Listed:
    return Listed(sid, sender, "+18015550100", f"words of {sid}", True, "received", NOON)


def stored(sid: str, *, at: float = 0, late: bool = False, address: str = ANNA, here: bool = True) -> OurArrival:
    placed_at = NOON + timedelta(seconds=at)
    seen_at = NOON + timedelta(hours=1) if late else placed_at
    return OurArrival(int(sid), sid, f"words of {sid}", address, placed_at, seen_at, here)


GOOD_ARRIVALS = [stored("1", at=1), stored("2", at=2, late=True), stored("3", at=3, late=True), stored("4", at=4)]
GOOD_TALK = OurConversation(ANNA, 4)


def broken_of_incoming(arrivals: list[OurArrival], talk: OurConversation = GOOD_TALK) -> list[str]:
    report = Report("Incoming")
    incoming_judge.judge(report, arrivals, [talk], [came_in(sid) for sid in "1234"])
    return [line.what for line in report.broken]


def test_incoming_texts_that_are_all_well_break_nothing() -> None:
    assert broken_of_incoming(GOOD_ARRIVALS) == []


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda texts: texts[1:], "stored"),
        (lambda texts: [*texts, texts[0]], "stored more than once"),
        (lambda texts: [*texts, stored("5", at=5)], "stored"),
        (lambda texts: [stored("1", at=1, address=BEN), *texts[1:]], "in another client's conversation"),
        (lambda texts: [stored("1", at=1, here=False), *texts[1:]], "not in the client's open conversation"),
        (
            lambda texts: [texts[0], stored("2", at=3.5, late=True), *texts[2:]],
            "late texts in another order than the carrier's, of one client",
        ),
        (
            lambda texts: [*texts[:2], stored("3", at=5, late=True), texts[3]],
            "late texts that stand behind one that their client wrote later",
        ),
    ],
)
def test_each_fault_of_incoming_texts_is_found(
    spoil: Callable[[list[OurArrival]], list[OurArrival]], what: str
) -> None:
    assert what in broken_of_incoming(spoil(list(GOOD_ARRIVALS)))


def test_a_wrong_unread_count_is_found() -> None:
    assert broken_of_incoming(GOOD_ARRIVALS, OurConversation(ANNA, 3)) == ["conversations with a wrong unread count"]


@pytest.mark.parametrize(("second_begins", "found"), [(20, 0), (19, 1), (5, 1)])
def test_pairs_that_are_reversed_or_overlap_are_found(second_begins: int, found: int) -> None:
    made = [Call("first", 10, 20), Call("second", second_begins, 30), Call("to somebody else", 1, 99)]
    assert reversed_pairs([("first", 1), ("to somebody else", 2), ("second", 1)], made) == found


def test_a_call_without_an_end_was_cut_off() -> None:
    lines = ["+ a 10", "+ b 11", "- a 12", "+ a 20", "- a 21", "+ c"]
    assert list(read(lines)) == [Call("a", 10, 12), Call("a", 20, 21), Call("b", 11, None)]
