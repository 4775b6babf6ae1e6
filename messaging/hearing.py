"""When the carrier last posted something to us. Silence while texts go out means that its webhooks don't reach us.

Each process writes it down at most once in ten seconds, after it has answered: a text or a report pays nothing for it.
"""

import logging
import time
from datetime import datetime

from django.db import Error

from messaging.models import CarrierWord

logger = logging.getLogger(__name__)

Kind = CarrierWord.Kind

EVERY_SECONDS = 10.0

_written_at = dict.fromkeys(Kind, time.monotonic())  # of this process


def note(kind: CarrierWord.Kind, *, now: datetime) -> None:
    """The carrier posted a text or a report. Raises nothing: the answer is out already."""
    if time.monotonic() - _written_at[kind] < EVERY_SECONDS:
        return
    _written_at[kind] = time.monotonic()
    try:
        CarrierWord.objects.bulk_create(
            [CarrierWord(kind=kind, at=now)], update_conflicts=True, unique_fields=["kind"], update_fields=["at"]
        )
    except Error as error:
        logger.warning("when the carrier last posted could not be written down: %s", type(error).__name__)
