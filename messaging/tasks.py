"""The background tasks: each makes one call. The rows say what is due; a ring or a tick only says when to look."""

from celery import shared_task
from django.utils import timezone

from messaging import (
    delivery,
    erasing,
    gaps,
    held_texts,
    loops,
    mass_filling,
    notifications,
    reconciliation,
    wall_clocks,
)
from messaging.actions import import_rows, importing
from messaging.sms import get_carrier_erasure, get_carrier_list


@shared_task(name="messaging.deliver_due")
def deliver_due(*, from_beat: bool = False) -> None:
    if from_beat:
        gaps.tick(now=timezone.now())
    loops.ring()


@shared_task(name="messaging.sweep_unclear")
def sweep_unclear() -> None:
    delivery.sweep_unclear(now=timezone.now())


@shared_task(name="messaging.hold_overdue")
def hold_overdue() -> None:
    delivery.hold_overdue(now=timezone.now())


@shared_task(name="messaging.close_gap")
def close_gap() -> None:
    gaps.close(get_carrier_list(), now=timezone.now())


@shared_task(name="messaging.compare_with_carrier")
def compare_with_carrier() -> None:
    reconciliation.compare_due(get_carrier_list(), now=timezone.now())


@shared_task(name="messaging.tell_at_once")
def tell_at_once() -> None:
    notifications.tell_at_once(now=timezone.now())


@shared_task(name="messaging.tell_summaries")
def tell_summaries() -> None:
    notifications.tell_summaries(now=timezone.now())


@shared_task(name="messaging.erase_at_carrier")
def erase_at_carrier() -> None:
    erasing.erase_due(get_carrier_erasure(), now=timezone.now())


@shared_task(name="messaging.tell_of_held")
def tell_of_held() -> None:
    held_texts.tell_authors(now=timezone.now())


@shared_task(name="messaging.follow_wall_clocks")
def follow_wall_clocks() -> None:
    wall_clocks.follow(now=timezone.now())


@shared_task(name="messaging.fill_mass_messages")
def fill_mass_messages() -> None:
    mass_filling.fill(now=timezone.now())


@shared_task(name="messaging.take_imported_clients")
def take_imported_clients() -> None:
    import_rows.take_rows(now=timezone.now())


@shared_task(name="messaging.erase_old_imports")
def erase_old_imports() -> None:
    importing.erase_old(now=timezone.now())
