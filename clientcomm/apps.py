"""Hooks the composition's own parts into Django: its system checks, and what happens when a process is told to stop."""

from django.apps import AppConfig


class ClientCommConfig(AppConfig):
    name = "clientcomm"

    def ready(self) -> None:
        # Both need the models of the packages below, which exist only now.
        from clientcomm import checks, stopping  # noqa: F401
