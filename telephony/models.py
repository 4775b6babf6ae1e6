"""Texts that found no place in any conversation."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class StrayText(models.Model):
    """An incoming text in its raw form: it has no department or no sender, or receiving it failed.

    A sweep tries again; the operator sees what stays. Nothing that the carrier handed us is thrown away.
    """

    class Reason(models.TextChoices):
        NO_DEPARTMENT = "no_department"
        NO_SENDER = "no_sender"
        FAILED = "failed"

    carrier_id = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=20, choices=Reason)
    form = models.JSONField(help_text="Every parameter as it came: name to list of values.")
    received_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(default=timezone.now)
    placed_at = models.DateTimeField(null=True, blank=True, help_text="When it found its conversation after all.")

    class Meta:
        # The sweep, and the operator's list.
        indexes: ClassVar = [models.Index(fields=["try_at"], condition=Q(placed_at__isnull=True), name="stray_due")]

    def __str__(self) -> str:
        return f"stray text {self.pk}"
