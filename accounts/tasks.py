"""The background tasks of the staff: each makes one call."""

from celery import shared_task

from accounts import mail


@shared_task(name="accounts.deliver_mail")
def deliver_mail() -> None:
    mail.deliver_due()
