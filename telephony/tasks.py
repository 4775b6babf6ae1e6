"""The background tasks of the wire: each makes one call."""

from celery import shared_task
from django.utils import timezone

from telephony import receiving


@shared_task(name="telephony.retry_stray_texts")
def retry_stray_texts() -> None:
    receiving.retry_stray_texts(now=timezone.now())
