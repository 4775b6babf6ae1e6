"""How long a mass message takes: to tick everyone, to be checked, to be accepted, to have its texts made.

`python -m bench --mass`, on PostgreSQL, for 1,000, 10,000 and 100,000 recipients. Times are of the actions that the
pages call, in this process; the memory is the most that the process had so far.
"""

import resource
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from bench.options import Options
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from messaging import mass_filling, mass_outlook, mass_record
from messaging.actions import mass_drafts, mass_messages
from messaging.actions.mass_drafts import Ticks
from messaging.mass_choice import Listed, read_choice, ticked_among, ticked_in
from messaging.models import MassMessage
from tests import builders

SIZES = (1_000, 10_000, 100_000)
BATCH = 2_000
TEXT = "Hi {first name}, the office is closed on Friday. Call {my name} at {department}."
STEPS = ("select all", "page of the list", "check", "accept", "make the texts", "record", "stop", "resume")


@dataclass
class Measured:
    """Of one size: seconds and queries by step, and how many MB the process had at most."""

    recipients: int
    seconds: dict[str, float] = field(default_factory=dict)
    queries: dict[str, int] = field(default_factory=dict)
    peak: float = 0.0

    def step(self, name: str, action: Callable[[], Any]) -> Any:
        asked = 0

        def count(execute: Callable[..., Any], *what: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*what)

        with connection.execute_wrapper(count):
            begun = time.perf_counter()
            given = action()
            self.seconds[name] = time.perf_counter() - begun
        self.queries[name] = asked
        sys.stderr.write(f"{self.recipients:,}, {name}: {self.seconds[name]:.2f} s\n")
        return given


def run(_options: Options) -> str:
    """The report, as a Markdown table."""
    call_command("migrate", verbosity=0)
    return _table([_measure(size) for size in SIZES])


def _measure(size: int) -> Measured:
    author = _fill(size)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    measured = Measured(size)
    draft = _draft(author)
    everyone = Ticks(everyone=True, listed=Listed())
    measured.step("select all", lambda: mass_drafts.save_draft(draft=draft, body=TEXT, ticks=everyone, when=None))
    draft = MassMessage.objects.select_related("author", "department").get(pk=draft.pk)
    measured.step("page of the list", lambda: read_choice(author, Listed(), ticked_in(draft), timezone.now()))
    measured.step("check", lambda: mass_outlook.read_outlook(draft))
    revision = draft.revision
    mass = measured.step(
        "accept",
        lambda: mass_messages.confirm(draft=draft, revision=revision, by=author, now=timezone.now()),
    )
    measured.step("make the texts", lambda: _fill_all(mass))
    measured.step("record", lambda: mass_record.read_record(mass))
    measured.step("stop", lambda: mass_messages.stop(mass=mass, now=timezone.now()))
    measured.step("resume", lambda: mass_messages.resume(mass=mass, now=timezone.now()))
    measured.peak = _peak()
    return measured


def _fill_all(mass: MassMessage) -> None:
    while MassMessage.objects.filter(pk=mass.pk, filled_at__isnull=True).exists():
        mass_filling.fill(now=timezone.now())


def _draft(author: User) -> MassMessage:
    assert author.department is not None
    return mass_drafts.begin_draft(
        by=author,
        department=author.department,
        submission_key=uuid.uuid4(),
        now=timezone.now(),
        ticked=ticked_among([]),
    )


def _fill(size: int) -> User:
    """One case manager with so many clients of different names, one in fifty without a first name."""
    call_command("flush", interactive=False, verbosity=0)
    department = builders.make_department(phone_number="+18015550100", segments_per_second=None)
    author = builders.make_user(department, "Alice Adams")
    status = ClientStatus.objects.get(department=department, position=0)
    for start in range(0, size, BATCH):
        serials = range(start, min(start + BATCH, size))
        clients = Client.objects.bulk_create(
            Client(department=department, first_name=f"Name{serial}" if serial % 50 else "", last_name=f"Last{serial}")
            for serial in serials
        )
        PhoneNumber.objects.bulk_create(
            PhoneNumber(department=department, client=client, address=f"+1{2_120_000_000 + serial}")
            for serial, client in zip(serials, clients, strict=True)
        )
        CaseAssignment.objects.bulk_create(
            CaseAssignment(client=client, case_manager=author, status=status) for client in clients
        )
    return author


def _peak() -> float:
    """MB that this process had at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _table(all_sizes: list[Measured]) -> str:
    head = ["", *(f"{it.recipients:,} recipients" for it in all_sizes)]
    rows = [[step, *(f"{it.seconds[step]:.2f} s, {it.queries[step]} queries" for it in all_sizes)] for step in STEPS]
    rows.append(["texts made a second", *(f"{it.recipients / it.seconds['make the texts']:,.0f}" for it in all_sizes)])
    rows.append(["the process had at most", *(f"{it.peak:.0f} MB" for it in all_sizes)])
    lines = [head, ["---", *["---:"] * len(all_sizes)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
