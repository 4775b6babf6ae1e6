"""Fills an empty database with the demo, once; a second time there is nothing to do."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.actions.people import add_person
from accounts.models import Department, User
from clientcomm.demo import people, scale
from clientcomm.demo.conversations import CONVERSATIONS
from clientcomm.demo.rows import Case, add_caseload
from clients.actions import add_status, create_department


class DepartmentInTheWay(Exception):
    """A department that is not the demo's has its name or number."""


@dataclass(frozen=True)
class Seeded:
    """What this run added."""

    is_new: bool
    clients: int
    messages: int


@transaction.atomic
def seed(*, clients: int, messages: int, now: datetime) -> Seeded:
    """Adds what is missing: the demo itself, then clients for demo@, then texts in the long conversation.

    Raises DepartmentInTheWay, and then changes nothing.
    """
    is_new = not User.objects.filter(email=people.DEMO).exists()
    if is_new:
        _add_demo(now)
    case_manager = User.objects.select_related("department").get(email=people.DEMO)
    return Seeded(
        is_new,
        clients=scale.grow_caseload(case_manager, clients, now) if clients else 0,
        messages=scale.lengthen_talk(case_manager, messages, now) if messages else 0,
    )


def _add_demo(now: datetime) -> None:
    departments = {}
    for settings in (people.SALT_LAKE, people.DENVER):
        if Department.objects.filter(Q(name=settings.name) | Q(phone_number=settings.phone_number)).exists():
            raise DepartmentInTheWay(settings.name)
        department = create_department(settings=settings, by=None, now=now)
        add_status(department=department, settings=people.EXTRA_STATUS, by=None, now=now)
        departments[settings] = department
    staff = {
        profile.email: add_person(
            profile=profile, department=departments[settings], by=None, now=now, password=people.PASSWORD
        )
        for settings, profile in people.STAFF
    }
    for email, persons in people.CASELOADS.items():
        cases = [
            Case(person, CONVERSATIONS[person.talk] if person.talk else (), days_known=1 + position % 6)
            for position, person in enumerate(persons)
        ]
        add_caseload(staff[email], cases, now)
