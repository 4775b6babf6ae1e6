"""For whoever was woken up: what is wrong, and what to do about it (docs/operations.md, "When something is wrong")."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from clientcomm import readiness
from clientcomm.readiness import Problem


class Command(BaseCommand):
    help = "Says whether texts flow, and what to do about each thing that is wrong. Ends with 1 if something is."
    requires_system_checks = ()  # they are told here, with the rest

    def handle(self, *args: Any, **options: Any) -> None:
        problems = [*self._settings(), *self._database()]
        for problem in problems:
            self.stdout.write(f"\n! {problem.words}\n  {problem.advice}")
        if problems:
            raise SystemExit(1)
        self.stdout.write("\nAll is well.")

    def _settings(self) -> Iterator[Problem]:
        """What `check --deploy` finds. Warnings are only told."""
        try:
            found = checks.run_checks(include_deployment_checks=not settings.DEBUG, databases=["default"])
        except DatabaseError:
            return  # named below
        for message in found:
            if message.is_serious():
                yield Problem(f"{message.msg} ({message.id})", message.hint or "")
            else:
                self.stdout.write(f"? {message.msg} ({message.id})\n  {message.hint or ''}")

    def _database(self) -> Iterator[Problem]:
        try:
            if pending := _pending_migrations():
                yield Problem(
                    f"the database is behind this version: {', '.join(pending)}",
                    "Run `release` (Procfile), or python manage.py migrate. The rest can be told after that.",
                )
                return
            found = readiness.readiness(timezone.now())
        except DatabaseError:
            yield readiness.NO_DATABASE
            return
        for name, value in found.figures().items():
            self.stdout.write(f"  {name:<34} {'-' if value is None else value}")
        yield from found.problems


def _pending_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label} {migration.name}" for migration, _backwards in plan]
