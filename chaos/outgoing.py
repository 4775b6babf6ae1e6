"""Texts go out while the workers that hand them over are killed, and the carrier misbehaves."""

import random
import signal
import time
from collections import Counter
from datetime import timedelta

from django.utils import timezone

from chaos import calls, carrier, history, people, product
from chaos.carrier import Listed
from chaos.ground import Ground
from chaos.options import Options
from chaos.outgoing_judge import OurText, Watched, judge
from chaos.outgoing_plan import DROPPED, ONLY_HARMLESS, SERVER_ERROR, TOO_MANY_REQUESTS, Shares, plan, switch_on
from chaos.outgoing_storm import Storm
from chaos.product import Product, Wanted
from chaos.report import Report
from clients.models import PhoneNumber
from messaging import delivery, reconciliation
from messaging.models import Message
from messaging.sms import get_carrier_list

State = Message.State

SETTLES_WITHIN = 240.0
IDLE_SECONDS = 3.0
QUIET_WITHIN = 60.0
LATER = timedelta(minutes=10)  # than which no unclear text waits for its second look into the carrier's list


class StuckError(Exception):
    """Texts wait, and nobody takes them."""


def run(ground: Ground, options: Options, number: signal.Signals) -> Report:
    """number: by which the workers end. After SIGTERM nothing may be unclear that the carrier didn't leave so."""
    sizes, chance = options.sizes, random.Random(options.seed)  # noqa: S311  # repeatable, guards nothing
    shares = Shares() if number is signal.SIGKILL else ONLY_HARMLESS
    texts = plan(people.fill(sizes.texts), sizes.texts, shares, chance)
    history.keep()
    with product.running(ground, Wanted(backend="WatchedTwilio")) as running:
        switch_on(texts, running.control)
        storm, begun = Storm(running, texts, number, chance), time.monotonic()
        storm.rage(sizes.kills)
        seconds = time.monotonic() - begun
        _settle(running)
        _reconcile()
        report = _report(running, storm, seconds)
        judge(report, len(texts), _rows(), _went_out(ground), _watched(running))
    return report


def _settle(running: Product) -> None:
    """Until nothing waits and nothing is in hand, and every callback was posted.

    What a killed worker left in `sending` is named by the sweep after a minute, and holds up what comes behind it until
    then. The minute isn't waited for: once the living workers have ended in peace, what is left in `sending` is surely
    nobody's, and the sweep is asked with a later clock.
    """
    deadline = time.monotonic() + SETTLES_WITHIN
    pending = Message.objects.filter(state__in=[State.WAITING, State.SENDING])
    while True:
        if pending.filter(state=State.WAITING).exists():
            running.wait_for_a_tick()
            _wait_while_they_move()
        running.end_workers()
        delivery.sweep_unclear(now=timezone.now() + delivery.UNCLEAR_AFTER)
        if not pending.exists():
            break
        if time.monotonic() > deadline:
            raise StuckError(f"after {SETTLES_WITHIN:.0f} s: {Counter(pending.values_list('state', flat=True))}")
        running.start_workers()
    running.control.wait_until_quiet(QUIET_WITHIN)


def _wait_while_they_move() -> None:
    """Until none waits, or none was taken up for a while."""
    waiting, moved_at = -1, time.monotonic()
    while time.monotonic() - moved_at < IDLE_SECONDS:
        count = Message.objects.filter(state=State.WAITING).count()
        if not count:
            return
        if count != waiting:
            waiting, moved_at = count, time.monotonic()
        time.sleep(0.05)


def _reconcile() -> None:
    """The task's function twice: now, and with a clock ten minutes ahead for what needs a second look."""
    for moment in (timezone.now(), timezone.now() + LATER):
        reconciliation.compare_all(get_carrier_list(), now=moment)


def _went_out(ground: Ground) -> list[Listed]:
    return [text for text in carrier.listed(ground) if not text.is_incoming]


def _watched(running: Product) -> Watched:
    creations = carrier.creations(running.control.log(kind="asked"))
    made = [public_id for public_id, fault in creations if fault not in (TOO_MANY_REQUESTS, SERVER_ERROR)]
    cut_off = frozenset(call.public_id for call in calls.of_all(running.ground.calls) if call.ended is None)
    return Watched(made, cut_off)


def _rows() -> list[OurText]:
    """In the order in which they were typed."""
    addresses = dict(PhoneNumber.objects.filter(is_current=True).values_list("client_id", "address"))
    rows = Message.objects.filter(direction=Message.Direction.OUTGOING).order_by("due_at", "pk")
    return [
        OurText(str(row.public_id), row.body, row.state, addresses[row.client_id], row.carrier_id or "") for row in rows
    ]


def _report(running: Product, storm: Storm, seconds: float) -> Report:
    killed = storm.number is signal.SIGKILL
    name = storm.number.name
    report = Report(
        f"Outgoing, workers ended by {name}",
        f"{len(storm.texts)} texts, {len(running.workers)} worker processes, {seconds:.0f} s. "
        "Sweep and reconciliation called with a later clock at the end.",
    )
    half = storm.with_a_call * 2 >= storm.kills
    report.promise(f"{name}s while a call was in hand", f"{storm.with_a_call} of {storm.kills}", "half", kept=half)
    _tell_faults(report, running)
    _tell_unclear(report, running, killed=killed)
    again = sum(times > 1 for times in history.times_in(State.SENDING).values())
    report.figure("texts taken up more than once (after a 429)", again)
    report.none("alarms in the log that a text went out twice", running.log().count("went out twice"))
    return report


def _tell_unclear(report: Report, running: Product, *, killed: bool) -> None:
    """After SIGTERM there must be none; after SIGKILL each has a cause."""
    cut_off = sum(call.ended is None for call in calls.of_all(running.ground.calls))
    unknown = len(history.times_in(State.UNKNOWN))
    if not killed:
        codes = Counter(old.ended() for old in running.retired)
        report.none("calls cut off", cut_off)
        report.none("texts that were ever unknown", unknown)
        report.none("workers that had to be killed after all", codes[None])
        report.figure("exit codes of the workers (-15: SIGTERM came before it had begun)", dict(codes))
        return
    creations = carrier.creations(running.control.log(kind="asked"))
    refused = {public_id for public_id, fault in creations if fault == SERVER_ERROR}
    left = set(Message.objects.filter(state=State.UNCONFIRMED).values_list("public_id", flat=True))
    after_500 = sum(str(public_id) in refused for public_id in left)
    report.figure("calls cut off by the kills", cut_off)
    report.figure("texts that were unknown for a time", unknown)
    report.figure(
        "texts left to a person (unconfirmed)",
        f"{len(left)}: {after_500} after a 500, {len(left) - after_500} whose worker died before the request was out",
    )


def _tell_faults(report: Report, running: Product) -> None:
    """What the carrier did, from its own log."""
    struck = Counter(fault for _public_id, fault in carrier.creations(running.control.log(kind="asked")))
    requests = struck.total()
    named = {
        "answered 429": struck[TOO_MANY_REQUESTS],
        "answered 500, nothing made": struck[SERVER_ERROR],
        "made, answer dropped": sum(struck[kind] for kind in DROPPED),
    }
    told = ", ".join(f"{what} {count} ({count / requests:.1%})" for what, count in named.items())
    report.figure("calls that reached the carrier", f"{requests}: {told}")
    posted = [entry for entry in running.control.log(kind="posted") if entry["purpose"] == "status"]
    texts, made = len({entry["message_sid"] for entry in posted}), requests - named["answered 429"]
    made -= named["answered 500, nothing made"]
    report.figure("callbacks, shuffled and doubled", f"{len(posted)} posted, for {texts} texts of {made}")
