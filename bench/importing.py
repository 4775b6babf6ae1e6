"""How long a file of clients takes: to be read and checked, to be looked at, to have its rows taken.

`python -m bench --import`, on PostgreSQL, for a file of 10,000 rows of which 300 are bad, and the same file again, in a
department with 5,000 clients, 500 of them hers. Times are of what the pages and the task call, in this process; the
memory is what Python had at most in a step, and the most that the process had.
"""

import csv
import io
import resource
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from bench import machine
from bench.options import Options
from clients import routing
from clients.models import CaseAssignment
from messaging import caseload_export, csv_files, import_record
from messaging.actions import import_rows, importing
from messaging.client_imports import ClientImport, ClientImportRow, Verdict
from messaging.import_record import Show
from tests import builders

ROWS = 10_000
BAD = 300
HEADINGS = ["Last name", "First name", "Phone", "Case number", "Status", "Language", "Notes"]
STEPS = (
    "read and check",
    "page of the rows",
    "check again",
    "take the rows",
    "rows not taken, as a file",
    "caseload, as a file",
)


@dataclass
class Measured:
    """Of one pass: seconds, those that this process computed, queries and MB of Python's by step; and what became of
    the rows.
    """

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    seconds_here: dict[str, float] = field(default_factory=dict)
    queries: dict[str, int] = field(default_factory=dict)
    megabytes: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def step(self, name: str, action: Callable[[], Any]) -> Any:
        asked = 0

        def count(execute: Callable[..., Any], *what: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*what)

        with connection.execute_wrapper(count):
            begun, begun_here = time.perf_counter(), time.process_time()
            given = action()
            self.seconds[name] = time.perf_counter() - begun
            self.seconds_here[name] = time.process_time() - begun_here
        self.queries[name] = asked
        sys.stderr.write(f"{self.name}, {name}: {self.seconds[name]:.2f} s\n")
        return given


def run(_options: Options) -> str:
    """The report, in Markdown."""
    call_command("migrate", verbosity=0)
    load = machine.describe().load
    alice, content = _fill()
    first, again = _measure("the file", alice, content), _measure("the same file again", alice, content)
    _memory(first, content)
    return _report([first, again], len(content), load)


def _measure(name: str, alice: User, content: bytes) -> Measured:
    measured = Measured(name)
    made = measured.step("read and check", lambda: _upload(alice, content))
    measured.step("page of the rows", lambda: _look(made))
    choose = importing.choose_columns
    measured.step(
        "check again", lambda: choose(client_import=made, columns=made.columns, has_headings=made.has_headings)
    )
    importing.confirm(client_import=made, now=timezone.now())
    measured.step("take the rows", lambda: _take_all(made))
    measured.step("rows not taken, as a file", lambda: "".join(csv_files.write(import_record.not_taken(made))))
    measured.step("caseload, as a file", lambda: "".join(csv_files.write(caseload_export.rows(alice))))
    measured.verdicts = dict(import_record.read_figures(made).by_verdict)
    for row in ClientImportRow.objects.filter(client_import=made, verdict=Verdict.REFUSED):
        measured.reasons.update(row.problems.values())
    return measured


def _upload(alice: User, content: bytes) -> ClientImport:
    assert alice.department is not None
    return importing.begin_import(
        table=csv_files.read(content),
        file_name="clients.csv",
        by=alice,
        for_whom=alice,
        department=alice.department,
        now=timezone.now(),
    )


def _look(made: ClientImport) -> None:
    import_record.read_figures(made)
    import_record.read_columns(made)
    import_record.read_lines(made, Show.ALL, "100")


def _take_all(made: ClientImport) -> None:
    while ClientImport.objects.filter(pk=made.pk, finished_at__isnull=True).exists():
        import_rows.take_rows(now=timezone.now())


def _memory(measured: Measured, content: bytes) -> None:
    """Once more, slower: what Python holds at most while a file is read and checked."""
    stranger = builders.make_user(builders.make_department(), "Dora Dean")
    tracemalloc.start()
    _upload(stranger, content)
    measured.megabytes["read and check"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()


def _fill() -> tuple[User, bytes]:
    """A department with Alice, Bob and his clients, one of them deleted; and the file that Alice has."""
    call_command("flush", interactive=False, verbosity=0)
    department = builders.make_department(phone_number="+18015550100")
    alice, bob = builders.make_user(department, "Alice Adams"), builders.make_user(department, "Bob Brown")
    builders.make_caseload(bob, 4_500)
    builders.make_caseload(alice, 500)
    for serial in range(50):
        builders.make_client(bob, address=f"+1385555{serial:04d}")
    for assignment in CaseAssignment.objects.filter(case_manager=bob).order_by("-pk")[:25]:
        routing.end(assignment, CaseAssignment.EndReason.DELETED, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    file = io.StringIO()
    csv.writer(file).writerows([HEADINGS, *(_row(serial) for serial in range(ROWS))])
    return alice, file.getvalue().encode("utf-8-sig")


def _row(serial: int) -> list[str]:
    """Three of a hundred are bad, of each kind as many."""
    number = f"({201 + serial // 10_000}) {200 + serial // 10_000 % 700}-{serial % 10_000:04d}"
    row = [f"Last{serial}", f"First{serial}", number, f"A-{serial}", "Active", "Spanish", "Prefers mornings."]
    every = ROWS // BAD
    if serial % every or serial // every >= BAD:
        return row
    bad = serial // every
    kinds: list[dict[int, str]] = [
        {0: ""}, {2: ""}, {2: "8.01556E+09"}, {2: "555-0142"}, {2: "ask her sister"}, {4: "Gone"}, {0: "x" * 101},
        {2: f"(385) 555-{bad // 12:04d}"}, {2: f"(385) 555-{25 + bad // 12:04d}"}, {2: "(201) 200-0001"},
        {2: "(801) 555-0100"}, {7: "one cell more"},
    ]  # fmt: skip
    for column, cell in kinds[bad % len(kinds)].items():
        row[column : column + 1] = [cell]
    return row


def _report(passes: list[Measured], size: int, load: float) -> str:
    told = machine.describe()
    versions = ", ".join(f"{name} {version}" for name, version in told.versions.items())
    head = ["", *(it.name for it in passes)]
    rows = [[step, *(_cost(it, step) for it in passes)] for step in STEPS]
    rows.append(["rows taken a second", *(f"{ROWS / it.seconds['take the rows']:,.0f}" for it in passes)])
    rows.append(["what became of the rows", *(_counts(it.verdicts) for it in passes)])
    lines = [head, ["---", *["---:"] * len(passes)], *rows]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return (
        f"{told.day}, {told.host}: {told.cores} cores of {told.cpu}; load before {load:.2f}. {versions}.\n"
        f"A file of {ROWS:,} rows and {size / 1e6:.1f} MB. Python's own memory while it is read and checked: at most "
        f"{passes[0].megabytes['read and check']:.0f} MB; the process had at most {peak:.0f} MB.\n\n"
        + "".join(f"| {' | '.join(line)} |\n" for line in lines)
        + "\nWhy rows were not taken, the first time:\n\n| rows | reason |\n| ---: | --- |\n"
        + "".join(f"| {count} | {reason} |\n" for reason, count in passes[0].reasons.most_common())
    )


def _cost(measured: Measured, step: str) -> str:
    computed = f"{measured.seconds_here[step]:.2f} of Python"
    return f"{measured.seconds[step]:.2f} s ({computed}), {measured.queries[step]:,} queries"


def _counts(verdicts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {Verdict(verdict).label.lower()}" for verdict, count in sorted(verdicts.items()))
