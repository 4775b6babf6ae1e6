"""Composition: settings, URLs, Celery, system checks, health, the operator's admin, demo data. Imports all."""

from clientcomm.celery import app as celery_app

__all__ = ["celery_app"]
