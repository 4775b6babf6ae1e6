"""Caseloads of thousands and conversations without end, for measuring how the product holds up."""

import itertools
from collections.abc import Iterator, Set
from datetime import datetime

import phonenumbers
from django.db.models import Min

from accounts.models import User
from clientcomm.demo import people
from clientcomm.demo.lines import OPEN_MINUTES, Line, them, us
from clientcomm.demo.long_talk import long_talk
from clientcomm.demo.people import Person
from clientcomm.demo.rows import BATCH, Case, add_caseload, message_row
from clients.models import CaseAssignment, PhoneNumber
from messaging import summaries
from messaging.models import Message

MOST_CLIENTS = 30_000  # in one department: there are only so many invented numbers

_LAST_CONTACT_WITHIN_DAYS = 60
_EXCHANGES = (
    ("Reminder: your appointment is on Thursday at 10 am.", "ok thanks", "See you then."),
    ("Hi, this is your weekly check-in. Any changes?", "No changes", "Thank you."),
    ("Your court date is the 18th at 8:30 am, room S35.", "I will be there", "Good. Come 15 minutes early."),
    ("Please bring a photo ID to the class on Monday.", "Which room is it", "Room 204, second floor."),
    ("Su cita es el martes a las 2 de la tarde.", "Gracias, ahí estaré", "Hasta el martes."),
)


def numbers() -> Iterator[str]:
    """Every number of the United States that no telephone has, but for those with a meaning at the pocket phones."""
    for last_four, area in itertools.product(range(106, 200), _area_codes()):
        yield f"+1{area}555{last_four:04d}"


def _area_codes() -> list[int]:
    """The codes of places: no toll-free ones, none that isn't given out."""
    found = []
    for area in range(200, 1000):
        number = phonenumbers.parse(f"+1{area}5550123")
        is_place = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        if is_place and phonenumbers.region_code_for_number(number) == "US":
            found.append(area)
    return found


def grow_caseload(case_manager: User, wanted: int, now: datetime) -> int:
    """Adds clients until the case manager has so many. Returns how many were added."""
    have = CaseAssignment.objects.filter(case_manager=case_manager, ended_at__isnull=True).count()
    taken = set(PhoneNumber.objects.filter(department=case_manager.department_id).values_list("address", flat=True))
    cases = itertools.islice(_cases(taken), max(wanted - have, 0))
    added = 0
    while batch := list(itertools.islice(cases, BATCH)):
        added += len(add_caseload(case_manager, batch, now))
    return added


def _cases(taken: Set[str]) -> Iterator[Case]:
    free = (number for number in numbers() if number not in taken)
    first, last = people.FIRST_NAMES.split(), people.LAST_NAMES.split()
    for serial, number in enumerate(free, start=len(taken)):
        name, surname = first[serial % len(first)], last[(serial // len(first) + serial) % len(last)]
        yield Case(Person(name, surname, number, id_number=f"PT-{10_000 + serial}"), _lines(serial))


def _lines(serial: int) -> list[Line]:
    """Three texts, the last contact spread over two months; each ninth client's answer is still unread."""
    ends = 1 + serial * 97 % (_LAST_CONTACT_WITHIN_DAYS * OPEN_MINUTES)
    first, answer, last = _EXCHANGES[serial % len(_EXCHANGES)]
    talk = [us(f"{ends + 60}m", first), them(f"{ends + 20}m", answer, unread=serial % 9 == 0)]
    return talk if serial % 9 == 0 else [*talk, us(f"{ends}m", last)]


def lengthen_talk(case_manager: User, wanted: int, now: datetime) -> int:
    """Puts older texts before the demo's long conversation until it has so many. Returns how many were added."""
    assignment = (
        CaseAssignment.objects.select_related("client__department", "case_manager")
        .filter(case_manager=case_manager, client__numbers__address=people.LONG_TALK_NUMBER)
        .first()
    )
    if assignment is None:
        return 0
    texts = Message.objects.filter(client=assignment.client_id, assignment=assignment)
    missing = max(wanted - texts.count(), 0)
    oldest = texts.aggregate(oldest=Min("placed_at"))["oldest"] or now
    lines = _every_ten_minutes(missing)
    rows = (message_row(assignment, people.LONG_TALK_NUMBER, line, oldest) for line in lines)
    while batch := list(itertools.islice(rows, BATCH)):
        Message.objects.bulk_create(batch)
    if missing:
        summaries.recompute(assignment.pk, now=now)
    return missing


def _every_ten_minutes(count: int) -> Iterator[Line]:
    """The long conversation's texts over and over, oldest first; older than anything that is there."""
    texts = itertools.cycle(long_talk(120))
    for position, line in zip(range(count), texts, strict=False):
        ago = f"{10 * (count - position)}m"
        yield them(ago, line.body) if line.is_incoming else us(ago, line.body)
