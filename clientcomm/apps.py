"""Hooks the composition's own parts into Django: its system checks, and how a worker begins and ends."""

from django.apps import AppConfig


class ClientCommConfig(AppConfig):
    name = "clientcomm"

    def ready(self) -> None:
        # Both need the models of the packages below, which exist only now.
        from clientcomm import checks, worker_life  # noqa: F401
