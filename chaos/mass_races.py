""" "Stop the rest" at the moment at which a text of a mass message is taken up: one wins, and the record says which."""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import time as clock
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from accounts.models import Department, User
from chaos import people
from chaos.ground import Ground
from chaos.options import Options
from chaos.report import Report
from messaging import delivery, mass_filling
from messaging.actions import mass_drafts, mass_messages
from messaging.actions.mass_drafts import Ticks
from messaging.mass_choice import Listed, ticked_among
from messaging.models import MassMessage, Message
from messaging.tests.carriers import Carrier

LONGEST_START = 0.012  # seconds: about what a claim takes, so that each side is first about as often
PATIENCE = 30.0


@dataclass(frozen=True)
class Round:
    """One text of a mass message: whether it was stopped, how often it went out, and what its row says."""

    stopped: bool
    handed_over: int
    state: str


def run(_ground: Ground, options: Options) -> Report:
    report = Report("Stop against hand-over", "A dispatching thread and a stopping one, let go together.")
    (person,) = people.fill(1, case_managers=1)
    unhurried()
    judge(report, race(person.case_manager, options.sizes.races, seed=options.seed))
    return report


def unhurried() -> None:
    """No pace and no closing time: the race is the thing."""
    Department.objects.update(segments_per_second=None, opens_at=clock(0), closes_at=clock(23, 59, 59))


def judge(report: Report, rounds: list[Round]) -> None:
    report.figure("rounds, of them stopped in time", f"{len(rounds)}, {sum(it.stopped for it in rounds)}")
    wrong = [it for it in rounds if it not in (Round(True, 0, "cancelled"), Round(False, 1, "accepted"))]
    report.none("rounds in which the record says something else than what went out", len(wrong))


def race(author: User, count: int, *, seed: int = 1) -> list[Round]:
    """So many mass messages to everyone on the author's list, who is one."""
    chance = random.Random(seed)  # noqa: S311  # spreads the starts, guards nothing
    with ThreadPoolExecutor(2) as pool:
        return [_round(pool, author, chance) for _ in range(count)]


def sent(author: User) -> MassMessage:
    """A mass message to all of the author's clients, its texts made and just due."""
    assert author.department is not None
    before = timezone.now() - mass_messages.UNDO_TIME - timedelta(seconds=1)
    draft = mass_drafts.begin_draft(
        by=author, department=author.department, submission_key=uuid.uuid4(), now=before, ticked=ticked_among([])
    )
    everyone = Ticks(everyone=True, listed=Listed())
    mass_drafts.save_draft(draft=draft, body="The office is closed", ticks=everyone, when=None)
    draft.refresh_from_db()
    mass = mass_messages.confirm(draft=draft, revision=draft.revision, by=author, now=before)
    mass_filling.fill(now=before)
    return mass


def _round(pool: ThreadPoolExecutor, author: User, chance: random.Random) -> Round:
    mass, carrier, start = sent(author), Carrier(), threading.Barrier(2)
    waits = chance.uniform(0, LONGEST_START), chance.uniform(0, LONGEST_START)
    dispatch = pool.submit(_begin, start, waits[0], lambda: delivery.deliver_due(carrier))
    stopping = pool.submit(_begin, start, waits[1], lambda: mass_messages.stop(mass=mass, now=timezone.now()))
    dispatch.result(PATIENCE)
    stopped = bool(stopping.result(PATIENCE))
    delivery.deliver_due(carrier)
    state = Message.objects.filter(mass_message=mass).values_list("state", flat=True).get()
    return Round(stopped, len(carrier.bodies), state)


def _begin(start: threading.Barrier, wait: float, work: object) -> object:
    assert callable(work)
    try:
        start.wait(PATIENCE)
        time.sleep(wait)
        return work()
    finally:
        connections.close_all()
