"""Departments, case managers and clients for a run: all data before is gone."""

from dataclasses import dataclass

from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from chaos import history
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from tests import builders

OUR_NUMBERS = ("+18015550100", "+13855550100")
_BATCH = 1000
# A run may come at any hour, and what is delayed waits for the texting hours.
# 555-0110 to 555-0199, which no telephone has; those before have a meaning of their own for the pocket phones.
_FIRST_ENDING, _ENDINGS, _FIRST_AREA = 10, 90, 212


@dataclass(frozen=True)
class Person:
    """A client on somebody's list, at one phone number."""

    client_id: int
    assignment_id: int
    address: str
    our_number: str
    case_manager: User


def fill(count: int, *, case_managers: int = 4) -> list[Person]:
    """So many clients, dealt out to the case managers of two departments."""
    call_command("flush", interactive=False, verbosity=0)
    history.forget()
    with transaction.atomic():
        departments = [
            builders.make_department(phone_number=number, automatic_reply="Who are you?") for number in OUR_NUMBERS
        ]
        staff = [
            builders.make_user(departments[serial % 2], f"Manager {serial}", email=f"manager{serial}@chaos.example.org")
            for serial in range(case_managers)
        ]
        return _clients(staff, count)


def address_of(serial: int) -> str:
    """The number of the client with this serial number."""
    area, ending = _FIRST_AREA + serial // _ENDINGS, _FIRST_ENDING + serial % _ENDINGS
    return f"+1{area}55501{ending:02d}"


def _clients(staff: list[User], count: int) -> list[Person]:
    managers = [staff[serial % len(staff)] for serial in range(count)]
    clients = Client.objects.bulk_create(
        (
            Client(department=manager.department, first_name="Client", last_name=str(serial))
            for serial, manager in enumerate(managers)
        ),
        batch_size=_BATCH,
    )
    PhoneNumber.objects.bulk_create(
        (
            PhoneNumber(department=manager.department, client=client, address=address_of(serial))
            for serial, (client, manager) in enumerate(zip(clients, managers, strict=True))
        ),
        batch_size=_BATCH,
    )
    first_status = {status.department_id: status for status in ClientStatus.objects.filter(position=0)}
    assignments = CaseAssignment.objects.bulk_create(
        (
            CaseAssignment(client=client, case_manager=manager, status=first_status[client.department_id])
            for client, manager in zip(clients, managers, strict=True)
        ),
        batch_size=_BATCH,
    )
    return [_person(assignment, serial) for serial, assignment in enumerate(assignments)]


def _person(assignment: CaseAssignment, serial: int) -> Person:
    manager = assignment.case_manager
    assert manager is not None
    assert manager.department is not None
    return Person(assignment.client_id, assignment.pk, address_of(serial), manager.department.phone_number, manager)
