"""Tells Django that this package is an app."""

from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "clients"
