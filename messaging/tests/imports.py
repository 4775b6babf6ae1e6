"""Files of clients, in one line each."""

from django.utils import timezone

from accounts.models import User
from messaging import csv_files
from messaging.actions import importing
from messaging.client_imports import ClientImport


def make_import(by: User, text: str, *, for_whom: User | None = None) -> ClientImport:
    """A file that was checked."""
    assert by.department is not None
    return importing.begin_import(
        table=csv_files.read(text.encode()),
        file_name="clients.csv",
        by=by,
        for_whom=for_whom or by,
        department=by.department,
        now=timezone.now(),
    )
