"""Changing a department: what is scheduled there follows its clock."""

from datetime import datetime

from django.db import transaction

from accounts import doorbell
from accounts.models import Department, User
from clients import actions as offices
from clients.actions import DepartmentSettings


@transaction.atomic
def change_department(*, department: Department, settings: DepartmentSettings, by: User, now: datetime) -> Department:
    """Writes the settings. In another zone, nine o'clock stays nine o'clock. Raises clients.actions.NumberIsFixed."""
    changed = offices.change_department(department=department, settings=settings, by=by, now=now)
    doorbell.ring("messaging.follow_wall_clocks")
    return changed
