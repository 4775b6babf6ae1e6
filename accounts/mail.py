"""Outgoing mail: rows that a background loop works off. A mail server that is down delays a mail, and loses none.

A mail may go out twice (the loop died after the server took it); that is better than not at all.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Min
from django.template.loader import render_to_string
from django.utils import timezone

from accounts import doorbell
from accounts.models import OutgoingEmail

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than a mail server may take (settings.EMAIL_TIMEOUT)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
GIVE_UP_AFTER = 12  # attempts: about two days


def queue(template_prefix: str, *, to: str, context: Mapping[str, Any], now: datetime) -> OutgoingEmail:
    """Puts a mail into the caller's transaction. Drawn from PREFIX_subject.txt, PREFIX_message.txt and .html."""
    words = {"public_url": settings.PUBLIC_URL, "support_email": settings.SUPPORT_EMAIL, **context}
    subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", words).split())
    mail = OutgoingEmail.objects.create(
        to=to,
        subject=subject[:200],
        text_body=render_to_string(f"{template_prefix}_message.txt", words),
        html_body=render_to_string(f"{template_prefix}_message.html", words),
        created_at=now,
        due_at=now,
    )
    doorbell.ring("accounts.deliver_mail")
    return mail


def deliver_due() -> int:
    """Sends what is due until nothing is. Returns how many went out."""
    sent = 0
    while (mail := _claim(timezone.now())) is not None:
        sent += _send(mail)
    return sent


def _claim(now: datetime) -> OutgoingEmail | None:
    """The next due mail, put off for the time that sending may take: nobody else takes it, unless this loop dies."""
    with transaction.atomic():
        due = OutgoingEmail.objects.filter(done_at__isnull=True, given_up_at__isnull=True, due_at__lte=now)
        mail = due.order_by("due_at", "pk").select_for_update(skip_locked=True).first()
        if mail is not None:
            mail.due_at, mail.attempts = now + LEASE, mail.attempts + 1
            mail.save(update_fields=["due_at", "attempts"])
        return mail


def _send(mail: OutgoingEmail) -> bool:
    message = EmailMultiAlternatives(mail.subject, mail.text_body, to=[mail.to])
    message.attach_alternative(mail.html_body, "text/html")
    try:
        message.send()
    except Exception as error:  # whatever the server or the network does: the row is tried again
        logger.warning("mail %s was not sent (%s), attempt %s", mail.pk, type(error).__name__, mail.attempts)
        _put_off(mail, timezone.now())
        return False
    OutgoingEmail.objects.filter(pk=mail.pk).update(done_at=timezone.now(), subject="", text_body="", html_body="")
    return True


def _put_off(mail: OutgoingEmail, now: datetime) -> None:
    if mail.attempts >= GIVE_UP_AFTER:
        logger.error("mail %s is given up after %s attempts", mail.pk, mail.attempts)
        OutgoingEmail.objects.filter(pk=mail.pk).update(given_up_at=now)
    else:
        delay = min(FIRST_RETRY * 2 ** (mail.attempts - 1), LONGEST_RETRY)
        OutgoingEmail.objects.filter(pk=mail.pk).update(due_at=now + delay)


@dataclass(frozen=True)
class MailHealth:
    """What monitoring asks: since when the mail that has waited longest waits, and what nobody will get any more."""

    oldest_waiting_at: datetime | None
    given_up_today: int


def mail_health(now: datetime) -> MailHealth:
    waiting = OutgoingEmail.objects.filter(done_at__isnull=True, given_up_at__isnull=True)
    given_up = OutgoingEmail.objects.filter(given_up_at__gt=now - timedelta(days=1))
    return MailHealth(waiting.aggregate(oldest=Min("created_at"))["oldest"], given_up.count())
