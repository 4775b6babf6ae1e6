"""Restore: a dump, more work, the database wiped, the dump put back. What went out since then must not go out again.

Also with departments that have their texts erased at the carrier: there the words that rows are known by are gone.
"""

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

from accounts.models import Department
from chaos import carrier, people
from chaos.ground import Ground
from chaos.options import Options
from chaos.people import Person
from chaos.postgresql import programs
from chaos.product import Product, Wanted, running
from chaos.report import Report
from messaging import orphans, reconciliation
from messaging.actions.sending import send_message
from messaging.models import BeatTick, Message
from messaging.sms import get_carrier_list
from messaging.states import REACHED

SETTLES_WITHIN = 120.0
BEFORE, WAITING, AFTER, INCOMING = 40, 100, 20, 30


class DidNotSettleError(Exception):
    """Something that should have happened by now has not."""


def run(ground: Ground, asked: Options, is_erased: bool) -> Report:
    clients = people.fill(WAITING)
    Department.objects.update(erase_at_carrier=is_erased)
    dump = ground.folder / "dump"
    with running(ground, Wanted(workers=2)) as product:
        _work_before(product, clients)
        _copy(ground, dump)
        _work_after(product, clients)
        if is_erased:
            _until(lambda: not any(text.body for text in carrier.listed(ground)), "the carrier to forget the words")
        _put_back(product, dump)
        call_command("after_restore", stdout=io.StringIO())
        _start_again(product)
        _until(lambda: not BeatTick.objects.filter(gap_since__isnull=False).exists(), "the gap to close")
        _until(lambda: not _waiting(), "what waits to go out")
        settled = timezone.now() + reconciliation.LIST_LAGS  # what was made just now may only be on its way into a row
        reconciliation.compare_all(get_carrier_list(), now=settled)
        return _judge_erased(ground) if is_erased else _judge(ground)


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
    _judge_orphans(report, AFTER)
    report.promise(
        "answers that came after the dump and are back", back.count(), str(len(answers)), kept=back.count() == INCOMING
    )
    return report


def _judge_erased(ground: Ground) -> Report:
    report = Report(
        "Restore, erased at the carrier", "The same, when the carrier's list has no words any more: a person is asked."
    )
    listed = carrier.listed(ground)
    sent = sum(not text.is_incoming for text in listed)
    restored = Message.objects.filter(direction=Message.Direction.OUTGOING, body__startswith="waiting")
    asked = restored.filter(state=Message.State.UNCONFIRMED).count()
    back = Message.objects.filter(direction=Message.Direction.INCOMING).count()
    everything = BEFORE + WAITING + AFTER
    report.promise("texts at the carrier: none sent again", sent, str(everything), kept=sent == everything)
    report.promise("restored rows left to a person", asked, str(WAITING), kept=asked == WAITING)
    report.promise("answers that are back, without words", back, str(INCOMING), kept=back == INCOMING)
    _judge_orphans(report, WAITING + AFTER)  # nobody can tell which of the restored rows they are
    return report


def _judge_orphans(report: Report, expected: int) -> None:
    shown = orphans.unclaimed().count()
    report.promise("texts that no row has, shown to the operator", shown, str(expected), kept=shown == expected)
