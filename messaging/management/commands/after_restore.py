"""Run once after a backup was put back, before the processes start (docs/operations.md, "Restore")."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.dateparse import parse_datetime

from messaging import gaps


class Command(BaseCommand):
    help = "Holds all sending until our rows were compared with what the carrier sent since the backup."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", help="When the backup was taken, as 2026-03-03T09:00Z (default: the last tick).")

    def handle(self, *args: Any, since: str | None, **options: Any) -> None:
        at = parse_datetime(since) if since else None
        if since and (at is None or at.tzinfo is None):
            self.stderr.write("Write the time with its zone, as 2026-03-03T09:00Z.")
            raise SystemExit(2)
        if gaps.declare(since=at):
            self.stdout.write("Nothing will be sent until the carrier's list was compared. Start the processes now.")
        else:
            self.stdout.write("This database has never sent anything: there is nothing to compare.")
