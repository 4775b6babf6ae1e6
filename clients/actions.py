"""Departments with the statuses that their clients can have, and people moving between departments."""

from dataclasses import asdict, dataclass
from datetime import datetime, time
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import AUTOMATIC_REPLY, Department, User
from clients.models import CaseAssignment, ClientStatus

FIRST_STATUSES = (("Active", ClientStatus.Colour.GREEN), ("Inactive", ClientStatus.Colour.GREY))


class NumberIsFixed(Exception):
    """Clients know the department by this number; texts they send to it must not end in the void."""


class DepartmentIsFixed(Exception):
    """The person works or worked with clients, and clients don't cross to another department."""


class StatusInUse(Exception):
    """Clients have or had this status."""


class LastStatus(Exception):
    """Every client has a status, so that a department keeps at least one."""


class StatusNameTaken(Exception):
    """The department has a status of that name already."""


@dataclass(frozen=True)
class DepartmentSettings:
    """What the operator writes down about a department. The number in E.164, the zone like America/Denver.

    segments_per_second: None for no limit. It opens before it closes, on its own clock. automatic_reply: "" for none.
    """

    name: str
    phone_number: str
    time_zone: str
    late_limit_minutes: int = 60
    idle_limit_hours: int = 12
    segments_per_second: Decimal | None = Decimal(1)
    opens_at: time = time(8)
    closes_at: time = time(21)
    automatic_reply: str = AUTOMATIC_REPLY
    erase_at_carrier: bool = False
    shows_earlier_history: bool = True


@dataclass(frozen=True)
class StatusSettings:
    """position: its place in lists. follow_up_days: after how long without contact a client is due, if ever.

    colour: beside its name, never instead of it.
    """

    name: str
    position: int
    follow_up_days: int | None = None
    colour: str = ClientStatus.Colour.GREY


@transaction.atomic
def create_department(*, settings: DepartmentSettings, by: User | None, now: datetime) -> Department:
    """A department with the statuses that a new one starts with. by: None for a command."""
    department = Department.objects.create(created_at=now, **asdict(settings))
    ClientStatus.objects.bulk_create(
        ClientStatus(department=department, name=name, colour=colour, position=position)
        for position, (name, colour) in enumerate(FIRST_STATUSES)
    )
    audit.record("department.added", f"department:{department.pk}", by=by, department=department, now=now)
    return department


@transaction.atomic
def change_department(*, department: Department, settings: DepartmentSettings, by: User, now: datetime) -> Department:
    """Writes the settings; the log keeps what stood there before. Raises NumberIsFixed."""
    department = Department.objects.select_for_update().get(pk=department.pk)
    wanted = asdict(settings)
    before = {name: getattr(department, name) for name, value in wanted.items() if getattr(department, name) != value}
    if "phone_number" in before and has_clients(department):
        raise NumberIsFixed
    if before:
        for name, value in wanted.items():
            setattr(department, name, value)
        department.save(update_fields=list(wanted))
        subject = f"department:{department.pk}"
        logged = {name: _for_the_log(value) for name, value in before.items()}
        audit.record("department.changed", subject, by=by, department=department, now=now, before=logged)
    return department


def _for_the_log(value: object) -> object:
    """What JSON can't hold, as people write it: 0.50, 08:00:00."""
    return str(value) if isinstance(value, Decimal | time) else value


def has_clients(department: Department) -> bool:
    """Whether clients are or were assigned in the department: its number is fixed from then on."""
    return CaseAssignment.objects.filter(client__department=department).exists()


@transaction.atomic
def move_person(*, person: User, department: Department, by: User, now: datetime) -> User:
    """Puts a person into another department. Raises DepartmentIsFixed."""
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.department_id == department.pk:
        return person
    if has_assignments(person):
        raise DepartmentIsFixed
    before = {"department": person.department_id}
    person.department = department
    person.save(update_fields=["department"])
    audit.record("person.moved", f"user:{person.pk}", by=by, department=department, now=now, before=before)
    return person


def has_assignments(person: User) -> bool:
    """Whether the person works or ever worked with a client."""
    return CaseAssignment.objects.filter(case_manager=person).exists()


@transaction.atomic
def add_status(*, department: Department, settings: StatusSettings, by: User | None, now: datetime) -> ClientStatus:
    """One more word for where the department's work with a client stands. Raises StatusNameTaken."""
    status = ClientStatus(department=department, **asdict(settings))
    _save_status(status)
    audit.record("status.added", f"status:{status.pk}", by=by, department=department, now=now)
    return status


def _save_status(status: ClientStatus, update_fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            status.save(update_fields=update_fields)
    except IntegrityError as error:
        raise StatusNameTaken from error


@transaction.atomic
def change_status(*, status: ClientStatus, settings: StatusSettings, by: User, now: datetime) -> ClientStatus:
    """Writes the settings; clients keep the status under its new name. Raises StatusNameTaken."""
    status = ClientStatus.objects.select_for_update(of=("self",)).select_related("department").get(pk=status.pk)
    wanted = asdict(settings)
    before = {name: getattr(status, name) for name, value in wanted.items() if getattr(status, name) != value}
    if before:
        for name, value in wanted.items():
            setattr(status, name, value)
        _save_status(status, list(wanted))
        subject = f"status:{status.pk}"
        audit.record("status.changed", subject, by=by, department=status.department, now=now, before=before)
    return status


@transaction.atomic
def move_status(*, status: ClientStatus, places: int, by: User, now: datetime) -> None:
    """So many places down the department's list, up if negative; at the end it stays."""
    ordered = sorted(_locked_statuses(status), key=lambda it: (it.position, it.name, it.pk))
    here = next((place for place, it in enumerate(ordered) if it.pk == status.pk), None)
    if here is None:
        raise ClientStatus.DoesNotExist
    there = min(max(here + places, 0), len(ordered) - 1)
    if there == here:
        return
    ordered.insert(there, ordered.pop(here))
    for position, it in enumerate(ordered):
        it.position = position
    ClientStatus.objects.bulk_update(ordered, ["position"])
    subject, before = f"status:{status.pk}", {"place": here + 1}
    audit.record("status.moved", subject, by=by, department=status.department, now=now, before=before)


@transaction.atomic
def delete_status(*, status: ClientStatus, by: User, now: datetime) -> None:
    """Removes a status that no client has or had. Raises StatusInUse, LastStatus."""
    all_of_them = {it.pk: it for it in _locked_statuses(status)}
    if status.pk not in all_of_them:
        raise ClientStatus.DoesNotExist
    if is_used(status):
        raise StatusInUse
    if len(all_of_them) == 1:
        raise LastStatus
    subject, department, before = f"status:{status.pk}", status.department, {"name": all_of_them[status.pk].name}
    all_of_them[status.pk].delete()
    audit.record("status.deleted", subject, by=by, department=department, now=now, before=before)


def _locked_statuses(status: ClientStatus) -> list[ClientStatus]:
    """All of its department, in order of id: two people change the list one after the other."""
    return list(ClientStatus.objects.select_for_update().filter(department=status.department_id).order_by("pk"))


def is_used(status: ClientStatus) -> bool:
    return CaseAssignment.objects.filter(status=status).exists()


def is_last(status: ClientStatus) -> bool:
    return not ClientStatus.objects.filter(department=status.department_id).exclude(pk=status.pk).exists()
