"""A file of clients that somebody imports, and its rows. Private to who made it, and erased some days after."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, User


class ClientImport(models.Model):
    """One file. Without confirmed_at it is being checked; after that its rows are taken in the background."""

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="client_imports")
    for_whom = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="On whose list its clients come."
    )
    file_name = models.CharField(max_length=200, blank=True)
    columns = models.JSONField(default=list, help_text="The field of each column; empty: left out.")
    has_headings = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(confirmed_at__isnull=False),
                name="client_import_finished_is_confirmed",
            ),
        ]
        indexes: ClassVar = [
            # The taking of the rows, every few seconds.
            models.Index(
                fields=["id"],
                condition=Q(confirmed_at__isnull=False, finished_at__isnull=True),
                name="client_import_open",
            ),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def is_for_another(self) -> bool:
        return self.made_by_id != self.for_whom_id


class Verdict(models.TextChoices):
    """What will become of a row, and once it is done what became of it."""

    HEADING = "heading", _("Headings")
    ADD = "add", _("New")
    CLAIM = "claim", _("New, with texts that came already")
    RESTORE = "restore", _("Was deleted, comes back")
    UNCHANGED = "unchanged", _("On the list already")
    REFUSED = "refused", _("Not taken")


TAKEN = (Verdict.ADD, Verdict.CLAIM, Verdict.RESTORE)
WORKED_OFF = (*TAKEN, Verdict.UNCHANGED)


class ClientImportRow(models.Model):
    """One row of the file: its cells as they stood there. problems: by field, in sentences; "" for the whole row."""

    client_import = models.ForeignKey(ClientImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(help_text="As a spreadsheet counts it.")
    cells = models.JSONField(default=list)
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    problems = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            # Also the order of the pages, and of the taking.
            models.UniqueConstraint(fields=["client_import", "number"], name="client_import_row_once"),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of import {self.client_import_id}"
