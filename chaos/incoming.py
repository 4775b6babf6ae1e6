"""Clients text while gunicorn's workers are killed and the database is restarted, once gently and once by a crash."""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable

from django.db import connection
from django.utils import timezone

from chaos import carrier, people, product
from chaos.ground import Ground
from chaos.incoming_judge import OurArrival, OurConversation, judge
from chaos.incoming_posting import Posted, Posting, Typed
from chaos.options import Options
from chaos.outgoing_plan import Planned, type_in
from chaos.people import OUR_NUMBERS, Person
from chaos.postgresql import Manner
from chaos.product import Product, Wanted
from chaos.report import Report
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging import reconciliation
from messaging.models import Message, SenderNumber
from messaging.sms import get_carrier_list
from telephony.models import StrayText

NEVER_POSTED = 0.02
MOST_COPIES = 4
STRANGERS = 0.1  # of the clients: nobody knows their number before their first text, which comes several times at once
ENDS_WITHIN = 1800.0
WORKS_AGAIN_WITHIN = 20.0


def run(ground: Ground, options: Options) -> Report:
    sizes, chance = options.sizes, random.Random(options.seed)  # noqa: S311  # repeatable, guards nothing
    known = people.fill(sizes.clients - round(sizes.clients * STRANGERS))
    texts = _plan(known, sizes.clients, sizes.incoming, chance)
    with product.running(ground, Wanted(workers=int(sizes.with_worker), beat=sizes.with_worker)) as running:
        running.control.faults("webhook_lost", times=None)
        posting, begun = Posting(ground, texts, random.Random(options.seed)), time.monotonic()  # noqa: S311
        posting.start()
        troubles = Troubles(running, posting, chance)
        troubles.make(sizes.web_kills)
        seconds = time.monotonic() - begun
        product.reconnect()
        report = Report(
            "Incoming",
            f"{len(texts)} texts of {sizes.clients} clients in {seconds:.0f} s, "
            f"{sum(text.copies for text in texts)} webhooks. One reconciliation at the end.",
        )
        _tell_posting(report, posting.posted, troubles)
        _reconcile(report, posting.posted)
        listed = carrier.listed(ground)
        judge(report, _arrivals(), _conversations(), [text for text in listed if text.is_incoming])
        _judge_replies(report, Counter(text.recipient for text in listed if not text.is_incoming))
        extra = Client.objects.count() - sizes.clients
        report.none("clients made though they were known", extra)
        if running.workers:
            _try_sending(report, running, known[0])
    return report


def _plan(known: list[Person], clients: int, count: int, chance: random.Random) -> list[Typed]:
    """From all clients in no order, some of them never posted."""
    senders = [(person.address, person.our_number) for person in known]
    strangers = range(len(known), clients)
    senders += [(people.address_of(serial), OUR_NUMBERS[serial % len(OUR_NUMBERS)]) for serial in strangers]
    whose = [senders[serial % len(senders)] for serial in range(count)]
    chance.shuffle(whose)
    never = set(chance.sample(range(count), round(count * NEVER_POSTED)))
    return [
        Typed(*who, f"Text {serial} from a client", 0 if serial in never else chance.randint(1, MOST_COPIES))
        for serial, who in enumerate(whose)
    ]


class Troubles:
    """Kills gunicorn's workers evenly over the run, and restarts the database after each third of it."""

    def __init__(self, running: Product, posting: Posting, chance: random.Random) -> None:
        self.web_kills, self.restarts = 0, dict[str, float]()
        self._running, self._posting, self._chance = running, posting, chance

    def make(self, web_kills: int) -> None:
        connection.close()
        due: list[tuple[float, Callable[[], None]]] = [
            ((serial + 1) / (web_kills + 1), self._kill_web_worker) for serial in range(web_kills)
        ]
        due += [(1 / 3, lambda: self._restart(Manner.FAST)), (2 / 3, lambda: self._restart(Manner.IMMEDIATE))]
        for moment, trouble in sorted(due, key=lambda pair: pair[0]):
            self._wait_until(moment)
            trouble()
        self._wait_until(1)
        self._posting.join()

    def _wait_until(self, moment: float) -> None:
        deadline = time.monotonic() + ENDS_WITHIN
        while self._posting.progress < moment:
            if time.monotonic() > deadline:
                raise TimeoutError("the texts don't come to an end")
            time.sleep(0.02)

    def _kill_web_worker(self) -> None:
        workers = self._running.web_workers()
        if workers:
            os.kill(self._chance.choice(workers), signal.SIGKILL)
            self.web_kills += 1

    def _restart(self, manner: Manner) -> None:
        self.restarts[manner.name.lower()] = self._running.ground.database.restart(manner)
        sys.stderr.write(f"  database restarted ({manner.name.lower()}), {self._posting.progress:.0%} of the texts\n")


def _tell_posting(report: Report, posted: list[Posted], troubles: Troubles) -> None:
    answers = Counter(status for text in posted for status in text.statuses)
    report.figure("gunicorn workers killed", troubles.web_kills)
    down = ", ".join(f"{manner} ({seconds:.1f} s)" for manner, seconds in troubles.restarts.items())
    report.figure("database restarted", down)
    words = {None: "none"} | {status: str(status) for status in answers if status is not None}
    told = ", ".join(f"{words[status]}: {count}" for status, count in answers.most_common())
    report.figure("answers to the webhooks", told)
    lost = sum(not text.was_taken for text in posted if text.statuses)
    never = sum(not text.statuses for text in posted)
    report.figure("texts never posted, and posted in vain", f"{never}, {lost}")


def _reconcile(report: Report, posted: list[Posted]) -> None:
    """One comparison with the carrier's list, as beat rings for every three minutes."""
    kept = set(Message.objects.filter(carrier_id__isnull=False).values_list("carrier_id", flat=True))
    kept |= set(StrayText.objects.filter(placed_at__isnull=True).values_list("carrier_id", flat=True))
    gone = sum(text.sid not in kept for text in posted if text.was_taken)
    report.none("answered 200, and not in the database", gone)
    found = sum(SenderNumber.objects.values_list("late_arrivals", flat=True))
    begun = time.monotonic()
    reconciliation.compare_all(get_carrier_list(), now=timezone.now())
    seconds = time.monotonic() - begun
    late = sum(SenderNumber.objects.values_list("late_arrivals", flat=True))
    report.figure(
        "found by the one reconciliation", f"{late - found} in {seconds:.1f} s (by beat's before it: {found})"
    )
    report.figure("stray texts on the way", StrayText.objects.count())


def _arrivals() -> list[OurArrival]:
    addresses = dict(PhoneNumber.objects.values_list("client_id", "address"))
    rows = Message.objects.filter(direction=Message.Direction.INCOMING).select_related("assignment")
    return [
        OurArrival(
            pk=row.pk,
            sid=row.carrier_id or "",
            body=row.body,
            address=addresses[row.client_id],
            placed_at=row.placed_at,
            stored_at=row.state_at,
            in_its_conversation=row.assignment.client_id == row.client_id and row.assignment.is_open,
        )
        for row in rows
    ]


def _conversations() -> list[OurConversation]:
    """The open ones."""
    addresses = dict(PhoneNumber.objects.values_list("client_id", "address"))
    rows = CaseAssignment.objects.filter(ended_at__isnull=True).values_list("client_id", "unread_count")
    return [OurConversation(addresses[client_id], unread) for client_id, unread in rows]


def _judge_replies(report: Report, handed_over: Counter[str]) -> None:
    """Each stranger gets one automatic reply, however many texts came at once; nobody else is texted."""
    written = Counter(Message.objects.filter(direction=Message.Direction.OUTGOING).values_list("client_id", flat=True))
    strangers = CaseAssignment.objects.filter(case_manager=None).values_list("client_id", flat=True)
    wrong = sum(written[client_id] != 1 for client_id in strangers)
    report.none("strangers with another count of automatic replies than one", wrong)
    report.none("texts to others than strangers", written.total() - len(strangers))
    report.none("strangers to whom the carrier was given more than one", sum(n > 1 for n in handed_over.values()))


def _try_sending(report: Report, running: Product, person: Person) -> None:
    """Whether beat and worker have found back to the database."""
    type_in(Planned(person, "Are you there?", "", callbacks_lost=False))
    begun = time.monotonic()
    try:
        running.control.wait_for(person.address, "Are you there?", timeout=WORKS_AGAIN_WITHIN)
    except TimeoutError:
        report.promise("a text goes out after it all", "no", "yes", kept=False)
    else:
        report.promise("a text goes out after it all", f"in {time.monotonic() - begun:.1f} s", "yes", kept=True)
