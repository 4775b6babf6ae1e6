"""Texts that stand in the carrier's list and nowhere here. The operator is shown them; their words are not kept."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Department
from messaging.models import Message, Orphan


def unclaimed() -> QuerySet[Orphan]:
    """Those that no message has turned out to be since (a callback, or a text that could be stored after all)."""
    return Orphan.objects.filter(~Exists(Message.objects.filter(carrier_id=OuterRef("carrier_id"))))


def keep(found: Iterable[Orphan], *, department: Department) -> None:
    """Writes down what was found, each once, and drops those of the department that are known by now."""
    Orphan.objects.bulk_create(found, ignore_conflicts=True)
    known = Message.objects.filter(carrier_id=OuterRef("carrier_id"))
    Orphan.objects.filter(Exists(known), department=department).delete()
