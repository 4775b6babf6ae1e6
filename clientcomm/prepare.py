"""Brings the database to where the product can start: tables, the cache's table, and demo data with DEBUG."""

import os
import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clientcomm.settings")
    django.setup()
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        call_command("migrate", verbosity=0, skip_checks=False)
        call_command("createcachetable", verbosity=0)
    except SystemCheckError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except DatabaseError as error:
        sys.stderr.write(f"The database does not take us in: {str(error).splitlines()[0]}\n")
        return 1
    if settings.DEBUG:
        call_command("seed_demo")
    return 0


if __name__ == "__main__":
    sys.exit(main())
