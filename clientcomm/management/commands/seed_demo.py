"""Fills the database with demo data; repeating it is safe."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clientcomm.demo import scale
from clientcomm.demo.seed import DepartmentInTheWay, seed


class Command(BaseCommand):
    help = "Adds two departments with invented people, clients and conversations. Only with DEBUG."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clients", type=int, default=0, metavar="N", help="so many clients for demo@, at least")
        parser.add_argument("--messages", type=int, default=0, metavar="M", help="so many texts in one conversation")

    def handle(self, *, clients: int, messages: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo data belongs on a developer's machine: set DEBUG=1 if this is one.")
        if clients > scale.MOST_CLIENTS:
            raise CommandError(f"There are invented numbers for {scale.MOST_CLIENTS} clients at most.")
        try:
            seeded = seed(clients=clients, messages=messages, now=timezone.now())
        except DepartmentInTheWay as error:
            raise CommandError(f"“{error}” or its number is taken by another department: nothing was added.") from error
        if seeded.is_new:
            self.stdout.write("Demo data added.")
        if seeded.clients or seeded.messages:
            self.stdout.write(f"Added {seeded.clients} more clients and {seeded.messages} older texts.")
