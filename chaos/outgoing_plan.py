"""Which texts go out, and what the carrier does to each: made before the run, so that a seed gives it again."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import timezone

from chaos.people import Person
from messaging.actions.sending import send_message
from telephony.simulator.control import PocketPhones

CALL_SECONDS = 0.15
IN_A_ROW = (1, 1, 2, 2, 3, 4)
AT_ONCE = 4  # clients whose texts mix
TOO_MANY_REQUESTS, SERVER_ERROR = "rate_limited", "server_error"
# The message is made, its answer doesn't come: a reset, a silence and then a cut, a gateway's error page.
DROPPED = ("reset", "hang", "server_error_after")
HANG_SECONDS = 1.0


@dataclass(frozen=True)
class Shares:
    """Of all texts. Which of a client's texts a fault meets, is the one that is handed over first."""

    too_many_requests: float = 0.05
    server_error: float = 0.05
    dropped: float = 0.03
    callbacks_lost: float = 0.10


# What leaves a text unclear by itself is left out where none may become unclear.
ONLY_HARMLESS = Shares(server_error=0.0, dropped=0.0)


@dataclass(frozen=True)
class Planned:
    """fault: what the carrier does with the call, "" for nothing. Each body is unique."""

    person: Person
    body: str
    fault: str
    callbacks_lost: bool


def plan(people: Sequence[Person], count: int, shares: Shares, chance: random.Random) -> list[Planned]:
    """Each client's texts close together: several in a row to one, mixed with those to three others."""
    addressees = list(_addressees(people, count, chance))
    faults = _faults(count, shares, chance)
    lost = set(chance.sample(range(count), round(count * shares.callbacks_lost)))
    return [
        Planned(person, f"Text {serial} of this run", faults.get(serial, ""), serial in lost)
        for serial, person in enumerate(addressees)
    ]


def _addressees(people: Sequence[Person], count: int, chance: random.Random) -> Iterator[Person]:
    queues: list[list[Person]] = []
    waiting, made = iter(people), 0
    while made < count:
        while len(queues) < AT_ONCE:
            queues.append([next(waiting)] * chance.choice(IN_A_ROW))
        queue = chance.choice(queues)
        yield queue.pop()
        made += 1
        queues = [left for left in queues if left]


def _faults(count: int, shares: Shares, chance: random.Random) -> dict[int, str]:
    wanted = [TOO_MANY_REQUESTS] * round(count * shares.too_many_requests)
    wanted += [SERVER_ERROR] * round(count * shares.server_error)
    wanted += [DROPPED[serial % len(DROPPED)] for serial in range(round(count * shares.dropped))]
    return dict(zip(chance.sample(range(count), len(wanted)), wanted, strict=True))


def switch_on(texts: Sequence[Planned], phones: PocketPhones) -> None:
    """The faults of single texts first: of several that fit a call the oldest strikes."""
    for text in texts:
        if text.fault:
            phones.faults(text.fault, number=text.person.address, seconds=HANG_SECONDS)
        if text.callbacks_lost:
            phones.faults("callback_lost", number=text.person.address)
    phones.faults("callback_shuffled", times=None)
    phones.faults("callback_doubled", times=None)
    phones.faults("slow", times=None, seconds=CALL_SECONDS)


def type_in(text: Planned) -> None:
    """As the page does it."""
    send_message(
        client_id=text.person.client_id,
        body=text.body,
        by=text.person.case_manager,
        submission_key=uuid.uuid4(),
        now=timezone.now(),
    )
