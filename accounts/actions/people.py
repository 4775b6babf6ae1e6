"""Adding and changing the people of a department. Whatever also touches clients (moving, disabling) lies further up."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, models, transaction

from accounts import audit, mail
from accounts.models import Department, User


class EmailTaken(Exception):
    """Somebody has this e-mail address already, perhaps in other letters."""


class HasHistory(Exception):
    """The person has left traces that must stay: clients, messages, lines in the log."""


@dataclass(frozen=True)
class Profile:
    """What is written down about a person. The desk phone in E.164, or empty."""

    email: str
    full_name: str
    role: User.Role = User.Role.CASE_MANAGER
    desk_phone: str = ""


@transaction.atomic
def add_person(
    *, profile: Profile, department: Department, by: User | None, now: datetime, password: str | None = None
) -> User:
    """A new person who may sign in; without a password only once one is set. by: None for a command.

    Raises EmailTaken.
    """
    person = User(department=department, date_joined=now)
    _write(person, profile)
    person.set_password(password)
    _save(person)
    audit.record("person.added", _subject(person), by=by, department=department, now=now, role=person.role)
    return person


@transaction.atomic
def change_person(*, person: User, profile: Profile, by: User, now: datetime) -> User:
    """Writes the profile; the log keeps what stood there before. Raises EmailTaken.

    A new e-mail address counts at once, and the old one is told.
    """
    person = _locked(person)
    before = {name: str(getattr(person, name)) for name in _FIELDS if getattr(person, name) != getattr(profile, name)}
    if before:
        _write(person, profile)
        person.pending_email = "" if "email" in before else person.pending_email
        _save(person)
        audit.record("person.changed", _subject(person), by=by, department=person.department, now=now, before=before)
    if "email" in before:
        EmailAddress.objects.filter(user=person).delete()  # allauth's own copy would still let the old one sign in
        context = {"person": person, "new_email": person.email}
        mail.queue("account/email/address_changed", to=before["email"], context=context, now=now)
    return person


@transaction.atomic
def set_password(*, person: User, password: str, by: User, now: datetime) -> User:
    """A new password, checked by the caller. It ends every session of the person; the log never holds it."""
    person = _locked(person)
    person.set_password(password)
    person.save(update_fields=["password"])
    audit.record("person.password_set", _subject(person), by=by, department=person.department, now=now)
    return person


@transaction.atomic
def enable_person(*, person: User, by: User, now: datetime) -> User:
    """Lets a disabled person sign in again."""
    person = _locked(person)
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])
        audit.record("person.enabled", _subject(person), by=by, department=person.department, now=now)
    return person


@transaction.atomic
def delete_person(*, person: User, by: User, now: datetime) -> None:
    """Removes somebody who was added by mistake. Raises HasHistory once the person has done anything."""
    person = _locked(person)
    if has_history(person):
        raise HasHistory
    subject, department = _subject(person), person.department
    person.delete()
    audit.record("person.deleted", subject, by=by, department=department, now=now)


def has_history(person: User) -> bool:
    """Whether any row that must stay names the person; such a person can be disabled but not deleted."""
    protecting = (
        field
        for field in User._meta.get_fields(include_hidden=True)
        if isinstance(field, models.ManyToOneRel) and field.on_delete is models.PROTECT
    )
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: person}).exists() for relation in protecting
    )


_FIELDS = ("email", "full_name", "role", "desk_phone")


def _write(person: User, profile: Profile) -> None:
    for name in _FIELDS:
        setattr(person, name, getattr(profile, name))
    person.email = person.email.lower()  # signing in looks for small letters only


def _save(person: User) -> None:
    if User.objects.filter(email__iexact=person.email).exclude(pk=person.pk).exists():
        raise EmailTaken
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:  # added by somebody else in the same moment
        raise EmailTaken from error


def _locked(person: User) -> User:
    return User.objects.select_for_update().get(pk=person.pk)


def _subject(person: User) -> str:
    return f"user:{person.pk}"
