"""The Celery application. Beat ticks; the tasks work off what is due in the database (docs/architecture.md)."""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clientcomm.settings")

app = Celery("clientcomm", amqp="clientcomm.broker:QuickAMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_default_queue="bells",
    task_queues=[Queue("bells", Exchange("bells"), routing_key="bells")],
    worker_hijack_root_logger=False,
    # In memory: what was done when is in the database, and a file would tie beat to one machine's disk.
    beat_scheduler="celery.beat:Scheduler",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a worker that gives up would have to be noticed
    timezone="UTC",
    beat_schedule={
        "deliver what is due": {
            "task": "messaging.deliver_due",
            "schedule": 1.0,
            "kwargs": {"from_beat": True},
            "options": {"expires": 10},
        },
        "make the texts of mass messages": {
            "task": "messaging.fill_mass_messages",
            "schedule": 1.0,
            "options": {"expires": 10},
        },
        "send what mail is due": {"task": "accounts.deliver_mail", "schedule": 15.0, "options": {"expires": 30}},
        "compare after a gap": {"task": "messaging.close_gap", "schedule": 15.0, "options": {"expires": 15}},
        "compare with the carrier": {
            "task": "messaging.compare_with_carrier",
            "schedule": 30.0,
            "options": {"expires": 30},
        },
        "erase what is settled": {"task": "messaging.erase_at_carrier", "schedule": 30.0, "options": {"expires": 30}},
        "hold what is overdue": {"task": "messaging.hold_overdue", "schedule": 15.0, "options": {"expires": 30}},
        "tell of what is held": {"task": "messaging.tell_of_held", "schedule": 60.0, "options": {"expires": 120}},
        "follow the clocks on the wall": {
            "task": "messaging.follow_wall_clocks",
            "schedule": 300.0,
            "options": {"expires": 300},
        },
        "take the rows of imported files": {
            "task": "messaging.take_imported_clients",
            "schedule": 5.0,
            "options": {"expires": 10},
        },
        # Hourly, as beat forgets when it looked last: a nightly one would be missed by a restart at the wrong hour.
        "erase imported files": {
            "task": "messaging.erase_old_imports",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "name what is unclear": {"task": "messaging.sweep_unclear", "schedule": 15.0, "options": {"expires": 30}},
        "mail about new texts": {"task": "messaging.tell_at_once", "schedule": 15.0, "options": {"expires": 30}},
        "mail the day's summary": {"task": "messaging.tell_summaries", "schedule": 60.0, "options": {"expires": 120}},
        "try stray texts again": {"task": "telephony.retry_stray_texts", "schedule": 60.0, "options": {"expires": 120}},
    },
)
app.autodiscover_tasks(["accounts", "messaging", "telephony"])


@setup_logging.connect
def log_as_the_other_processes_do(**_: object) -> None:
    """With a receiver on this signal Celery sets up no logging of its own."""
    logging.config.dictConfig(settings.LOGGING)
