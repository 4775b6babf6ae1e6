"""`manage.py phones`: start the pocket phones. The only place where they and Django meet."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from accounts.models import Department
from telephony.simulator.app import run
from telephony.simulator.config import PhonesConfig


class Command(BaseCommand):
    help = "Start the pocket phones: the stand-in for the carrier, with a page of phones to play the clients on."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PHONES_PORT", "8001")))
        parser.add_argument("--product-url", default=settings.PUBLIC_URL, help="where the product takes webhooks")
        parser.add_argument("--state", type=Path, default=Path(settings.DATA_DIR) / "phones.sqlite3")
        parser.add_argument(
            "--number", action="append", default=[], metavar="+1801...",
            help="a number of the account (repeatable); default: the departments' numbers",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        numbers: list[str] = options["number"]
        run(
            PhonesConfig(
                account_sid=settings.TWILIO_ACCOUNT_SID,
                auth_tokens=settings.TWILIO_AUTH_TOKENS,
                product_url=options["product_url"],
                state=options["state"],
                find_numbers=(lambda: numbers) if numbers else department_numbers,
                host=options["host"],
                port=options["port"],
            )
        )


def department_numbers() -> list[str]:
    """Asked anew each time, in a thread of the phones' own; the connection doesn't outlive the question."""
    try:
        return list(Department.objects.order_by("pk").values_list("phone_number", flat=True))
    finally:
        connection.close()
