"""How long My clients takes at the server, whatever is asked of it, with 10, 1,000 and 10,000 clients.

`python -m bench --lists`, on PostgreSQL. Each look is a whole request in this process, from the session to the finished
page, as a script asks for it while one types (the list alone), and once as the whole page. Nobody else asks meanwhile.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from bench import data, machine, product, servers
from bench.options import Options
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from clients.names import fill_search_key, fold
from tests import builders

SIZES = (10, 1_000, 10_000)
TIMES = 40
BATCH = 2_000
FIRST_NAMES = ("Maria", "James", "Aïsha", "Robert", "Linh", "José", "Grace", "Wei", "Łukasz", "Tyrone", "Amélie")
LAST_NAMES = ("Lopez", "Smith", "Nguyễn", "Johnson", "Öztürk", "Brown", "Garcia", "Zhang", "Olsen", "Begay")

# What stands in the address. {serial}, {number}: of the client who was added last.
LOOKS = {
    "whole page": "",
    "list": "",
    "second page": "page=2",
    "search: two name parts": "search=own{serial}+{first}",
    "search: number": "search=(212)+{number}",
    "search: ID number": "search=PT-{serial}",
    "search: one letter": "search=a",
    "search: nobody": "search=nobody+at+all",
    "unread": "show=unread",
    "needs a reply": "show=needs-reply",
    "not delivered": "show=not-delivered",
    "opted out": "show=opted-out",
    "a status": "status={status}",
    "status, unread, search": "status={status}&show=unread&search=a",
    "by name": "sort=name",
    "by status": "sort=-status",
    "by scheduled": "sort=scheduled",
    "by last contact": "sort=-contact",
    "former clients": "show=former",
    "former clients: search": "show=former&search=lopez",
}


@dataclass(frozen=True)
class Measured:
    """Milliseconds, and the queries that one request asks. fastest: what it takes when nobody else has the machine."""

    fastest: float
    p50: float
    p95: float
    queries: int


def run(_options: Options) -> str:
    """The report, as a Markdown table."""
    product.prepare()
    head = machine.describe()
    found = {size: _measure(size) for size in SIZES}
    versions = ", ".join(f"{name} {number}" for name, number in head.versions.items())
    told = (
        f"{head.day}, {head.host}: {head.cores} cores of {head.cpu}; load before the start {head.load:.2f}. {versions}."
    )
    return f"{told}\n\n{_table(found)}"


def _measure(size: int) -> dict[str, Measured]:
    user = _fill(size)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    browser = Browser()
    browser.force_login(user)
    status = ClientStatus.objects.filter(department=user.department).order_by("-position")[0]
    serial = size - 1
    marks = {"status": status.pk, "serial": serial, "number": f"{serial // 10_000:03d}-{serial % 10_000:04d}"}
    marks["first"] = fold(FIRST_NAMES[serial % 11])
    found = {}
    for name, query in LOOKS.items():
        address = f"/?{query.format(**marks)}"
        headers = {"Host": servers.HOST} | ({} if name == "whole page" else {"HX-Request": "true"})

        def look(address: str = address, headers: dict[str, str] = headers) -> None:
            response = browser.get(address, secure=True, headers=headers)
            assert response.status_code == 200

        found[name] = _timed(look)
        sys.stderr.write(f"{size:,}, {name}: {found[name].p95:.1f} ms\n")
    return found


def _timed(look: Callable[[], None]) -> Measured:
    """After a few that nobody counts: statements are planned, words translated."""
    for _time in range(3):
        look()
    asked = 0

    def count(execute: Callable[..., Any], *what: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(*what)

    with connection.execute_wrapper(count):
        look()
    seconds = []
    for _time in range(TIMES):
        begun = time.perf_counter()
        look()
        seconds.append(time.perf_counter() - begun)
    seconds.sort()
    fastest, middle, p95 = (seconds[TIMES * percent // 100] * 1e3 for percent in (0, 50, 95))
    return Measured(fastest, middle, p95, queries=asked)


def _fill(size: int) -> User:
    """One case manager with so many clients, and as many former ones."""
    call_command("flush", interactive=False, verbosity=0)
    department = builders.make_department(phone_number=data.OUR_NUMBER)
    user = builders.make_user(department, "Alice Adams")
    _add(user, size, begin=0)
    ended = {"ended_at": timezone.now(), "end_reason": CaseAssignment.EndReason.DELETED}
    _add(user, size, begin=size, **ended)
    return user


def _add(user: User, count: int, *, begin: int, **fields: Any) -> None:
    department, now = user.department, timezone.now()
    statuses = list(ClientStatus.objects.filter(department=department).order_by("position"))
    for start in range(begin, begin + count, BATCH):
        serials = range(start, min(start + BATCH, begin + count))
        clients = Client.objects.bulk_create(
            fill_search_key(
                Client(
                    department=department,
                    first_name=FIRST_NAMES[serial % 11],
                    last_name=f"{LAST_NAMES[serial // 11 % 10]} Own{serial}",
                    id_number=f"PT-{serial}",
                )
            )
            for serial in serials
        )
        PhoneNumber.objects.bulk_create(
            PhoneNumber(
                department=department,
                client=client,
                address=f"+1212{serial:07d}",
                **({"opted_out_at": now, "opted_out_source": "keyword"} if serial % 50 == 3 else {}),
            )
            for serial, client in zip(serials, clients, strict=True)
        )
        CaseAssignment.objects.bulk_create(
            CaseAssignment(
                client=client,
                case_manager=user,
                status=statuses[serial % 4 == 1],
                last_contact_at=now - timedelta(minutes=serial * 97 % 86_400) if serial % 7 else None,
                unread_count=int(serial % 9 == 0),
                snippet="Running ten minutes late, the bus was full",
                snippet_is_outgoing=bool(serial % 3),
                last_outgoing_failed=serial % 20 == 5,
                scheduled_count=serial % 4 // 3,
                **fields,
            )
            for serial, client in zip(serials, clients, strict=True)
        )


def _table(found: dict[int, dict[str, Measured]]) -> str:
    head = ["", "queries"]
    for size in found:
        head += [f"{size:,} clients: fastest ms", "p50 ms", "p95 ms"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for look in LOOKS:
        measured = [of_size[look] for of_size in found.values()]
        queries = sorted({it.queries for it in measured})
        line = [look, " to ".join(map(str, queries))]
        for it in measured:
            line += [f"{it.fastest:.1f}", f"{it.p50:.1f}", f"**{it.p95:.1f}**"]
        lines.append(line)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
