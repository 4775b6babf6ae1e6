"""Tells Django that this package is an app."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"
