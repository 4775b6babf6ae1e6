"""Restore: a dump, more work, the database wiped, the dump put back. What went out since then must not go out again."""

import io
import os
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from chaos import carrier, people
from chaos.ground import Ground
from chaos.options import Options
from chaos.people import Person
from chaos.postgresql import programs
from chaos.product import Product, Wanted, running
from chaos.report import Report
from messaging import reconciliation
from messaging.actions.sending import send_message
from messaging.models import BeatTick, Message
from messaging.sms import get_carrier_list
from messaging.states import REACHED

SETTLES_WITHIN = 120.0
BEFORE, WAITING, AFTER, INCOMING = 40, 100, 20, 30


class DidNotSettleError(Exception):
    """Something that should have happened by now has not."""


def run(ground: Ground, asked: Options) -> Report:
    clients = people.fill(WAITING)
    dump = ground.folder / "dump"
    with running(ground, Wanted(workers=2)) as product:
        _work_before(product, clients)
        _copy(ground, dump)
        _work_after(product, clients)
        _put_back(product, dump)
        call_command("after_restore", stdout=io.StringIO())
        _start_again(product)
        _until(lambda: not BeatTick.objects.filter(gap_since__isnull=False).exists(), "the gap to close")
        _until(lambda: not _waiting(), "what waits to go out")
        reconciliation.compare_all(get_carrier_list(), now=timezone.now())
        return _judge(ground)


def _work_before(product: Product, clients: list[Person]) -> None:
    """Some texts are delivered; the carrier is busy for the others, which stand in the dump as waiting."""
    _send(clients[:BEFORE], "before")
    _until(lambda: not _waiting(), "the first texts to go out")
    product.control.faults("rate_limited", times=None)
    _send(clients, "waiting")


def _work_after(product: Product, clients: list[Person]) -> None:
    """What the dump doesn't know: the waiting ones go out, more are typed and go out, clients answer."""
    product.control.clear_faults()
    _until(lambda: not _waiting(), "the waiting texts to go out")
    _send(clients[:AFTER], "after")
    _until(lambda: not _waiting(), "the last texts to go out")
    for serial, person in enumerate(clients[:INCOMING]):
        product.control.text(person.address, person.our_number, f"answer {serial}")


def _send(clients: list[Person], word: str) -> None:
    for serial, person in enumerate(clients):
        send_message(
            client_id=person.client_id,
            body=f"{word} {serial}",
            by=person.case_manager,
            submission_key=uuid.uuid4(),
            now=timezone.now(),
        )


def _waiting() -> bool:
    unfinished = [Message.State.WAITING, Message.State.SENDING, Message.State.UNKNOWN]
    return Message.objects.filter(state__in=unfinished).exists()


def _copy(ground: Ground, dump: Path) -> None:
    _program("pg_dump", "--format=custom", f"--file={dump}", ground.database.url)


def _put_back(product: Product, dump: Path) -> None:
    """Everything that is in the database goes, then the dump comes back."""
    for process in (product.beat, *product.workers, product.web):
        if process is not None:
            process.stop()
    connection.close()
    url = product.ground.database.url
    _program("psql", "--quiet", "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public", url)
    _program("pg_restore", f"--dbname={url}", str(dump))


def _start_again(product: Product) -> None:
    product.beat = product.beat.another() if product.beat else None
    product.web = product.web.another() if product.web else None
    product.workers = [worker.another() for worker in product.workers]
    for process in (product.beat, product.web, *product.workers):
        if process is not None:
            process.start()


def _program(name: str, *arguments: str) -> None:
    quiet = {**os.environ, "PGOPTIONS": "--client-min-messages=warning"}
    subprocess.run([str(programs() / name), *arguments], check=True, env=quiet)  # noqa: S603 our own command


def _until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SETTLES_WITHIN
    while not is_so():
        if time.monotonic() > deadline:
            raise DidNotSettleError(f"waited {SETTLES_WITHIN:.0f} s for {what}")
        time.sleep(0.2)


def _judge(ground: Ground) -> Report:
    report = Report(
        "Restore", "A dump, more work, the database wiped, the dump put back, after_restore, the processes."
    )
    listed = carrier.listed(ground)
    sent = Counter(text.body for text in listed if not text.is_incoming)
    answers = {text.body for text in listed if text.is_incoming}
    ours = Message.objects.filter(direction=Message.Direction.OUTGOING)
    back = Message.objects.filter(direction=Message.Direction.INCOMING, body__startswith="answer")
    report.figure("texts at the carrier", sum(sent.values()))
    report.none("of them twice", sum(count - 1 for count in sent.values()))
    report.promise(
        "at the carrier of all", len(sent), str(BEFORE + WAITING + AFTER), kept=len(sent) == BEFORE + WAITING + AFTER
    )
    report.none("of the restored rows not known as handed over", ours.exclude(state__in=REACHED).count())
    report.figure("texts at the carrier whose rows were lost with the database", len(sent) - ours.count())
    report.promise(
        "answers that came after the dump and are back", back.count(), str(len(answers)), kept=back.count() == INCOMING
    )
    return report
