"""What a person changes about their own account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import audit, mail
from accounts.models import User

CONFIRM_WITHIN = timedelta(days=1)
INVITED_FOR = timedelta(days=7)
_EMAIL_SALT = "accounts.email-change"
_INVITATION_SALT = "accounts.invitation"


class LinkNotGood(Exception):
    """The link is too old, was used already, or is not one of ours."""


class AddressTaken(Exception):
    """Somebody else has this e-mail address by now."""


@dataclass(frozen=True)
class EmailChange:
    """What a link in a confirming mail asks for."""

    user: User
    new_email: str


@transaction.atomic
def change_profile(
    *, by: User, full_name: str, email: str, desk_phone: str, email_notifications: str, now: datetime
) -> bool:
    """Changes one's own name, desk phone and mails at once; a new e-mail address only gets a mail with a link.

    Returns whether such a mail is on its way.
    """
    before = {"full_name": by.full_name, "desk_phone": by.desk_phone, "email_notifications": by.email_notifications}
    if by.email_notifications == User.EmailNotifications.OFF:
        by.notifications_from = now  # no mail about what came while they were off
    by.full_name, by.desk_phone, by.email_notifications = full_name, desk_phone, email_notifications
    by.pending_email = "" if email == by.email else email
    by.save(update_fields=[*before, "notifications_from", "pending_email"])
    changed = {name: old for name, old in before.items() if old != getattr(by, name)}
    if changed:
        audit.record("person.changed", f"user:{by.pk}", by=by, department=by.department, now=now, before=changed)
    if not by.pending_email:
        return False
    token = signing.dumps([by.pk, _fingerprint(by.email, email)], salt=_EMAIL_SALT)
    context = {"person": by, "new_email": email, "link": _link("confirm-email", token)}
    mail.queue("account/email/confirm_address", to=email, context=context, now=now)
    return True


def read_email_change(token: str) -> EmailChange:
    """What the link asks for. Raises LinkNotGood: too old, forged, or the address has changed since."""
    try:
        user_id, fingerprint = signing.loads(token, salt=_EMAIL_SALT, max_age=CONFIRM_WITHIN)
    except signing.BadSignature as error:
        raise LinkNotGood from error
    user = User.objects.filter(pk=user_id, is_active=True).exclude(pending_email="").first()
    if user is None or not constant_time_compare(fingerprint, _fingerprint(user.email, user.pending_email)):
        raise LinkNotGood
    return EmailChange(user, user.pending_email)


def confirm_email(*, token: str, now: datetime) -> User:
    """The new address counts from now on; the old one is told. Raises LinkNotGood, AddressTaken."""
    change = read_email_change(token)
    user, old_email = change.user, change.user.email
    try:
        with transaction.atomic():
            user.email, user.pending_email = change.new_email, ""
            user.save(update_fields=["email", "pending_email"])
            EmailAddress.objects.filter(user=user).delete()  # allauth's own copy would still let the old one sign in
            audit.record("person.email_changed", f"user:{user.pk}", by=user, department=user.department, now=now)
            context = {"person": user, "new_email": user.email}
            mail.queue("account/email/address_changed", to=old_email, context=context, now=now)
    except IntegrityError as error:
        raise AddressTaken from error
    return user


@transaction.atomic
def change_password(*, by: User, new_password: str, now: datetime) -> None:
    """Sets one's own password. Every other session ends, since its hash no longer fits."""
    by.set_password(new_password)
    by.save(update_fields=["password"])
    audit.record("person.password_changed", f"user:{by.pk}", by=by, department=by.department, now=now)
    mail.queue("account/email/password_changed", to=by.email, context={"person": by}, now=now)


@transaction.atomic
def invite(*, person: User, by: User, now: datetime) -> None:
    """Sends the link by which a person chooses a first password; it lives a week and works once."""
    token = signing.dumps([person.pk, _fingerprint(person.password)], salt=_INVITATION_SALT)
    context = {"person": person, "by": by, "link": _link("invitation", token)}
    mail.queue("account/email/invitation", to=person.email, context=context, now=now)
    audit.record("person.invited", f"user:{person.pk}", by=by, department=person.department, now=now)


def read_invitation(token: str) -> User:
    """Who was invited. Raises LinkNotGood: too old, forged, or a password was chosen since."""
    try:
        user_id, fingerprint = signing.loads(token, salt=_INVITATION_SALT, max_age=INVITED_FOR)
    except signing.BadSignature as error:
        raise LinkNotGood from error
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not constant_time_compare(fingerprint, _fingerprint(user.password)):
        raise LinkNotGood
    return user


@transaction.atomic
def accept_invitation(*, person: User, new_password: str, now: datetime) -> None:
    """Sets the first password."""
    person.set_password(new_password)
    person.save(update_fields=["password"])
    audit.record("person.joined", f"user:{person.pk}", by=person, department=person.department, now=now)


def _fingerprint(*values: str) -> str:
    """Changes when one of the values does, so that a link works once. Tells nothing about them: a token can be read."""
    return salted_hmac("accounts.own_account", "\n".join(values)).hexdigest()[:32]


def _link(url_name: str, token: str) -> str:
    """An address for a mail: from the settings, since a request's Host may be forged."""
    return f"{settings.PUBLIC_URL}{reverse(url_name, args=[token])}"
