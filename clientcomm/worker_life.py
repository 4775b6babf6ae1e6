"""How a worker begins and ends, in both ways to run: it refuses to send demo data out, and leaves no text unclear."""

import logging

from celery.signals import worker_init, worker_shutting_down
from django.conf import settings
from django.db import connection

from clientcomm import checks
from messaging import delivery, loops

logger = logging.getLogger(__name__)

CANNOT_BEGIN = 3  # by this code gunicorn knows that starting the process anew would not help


@worker_init.connect
def refuse_to_text_strangers(**_: object) -> None:
    """Invented clients have invented numbers, and somebody may really have one: they are texted on the phones only."""
    refusals = checks.demo_data_stays_here(databases=["default"])
    connection.close()
    if refusals:
        logger.critical("%s %s", refusals[0].msg, refusals[0].hint)
        raise SystemExit(CANNOT_BEGIN)


@worker_init.connect
def start_the_loops(**_: object) -> None:
    loops.start(settings.WORKER_THREADS)


@worker_shutting_down.connect
def finish_the_texts_in_hand(**_: object) -> None:
    """Unasked the loops would go on until nothing is due. Python waits for their threads before it ends."""
    delivery.drain()
