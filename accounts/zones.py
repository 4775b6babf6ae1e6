"""Times on every page are the department's, wherever its people sit."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User


class DepartmentZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        department = user.department if isinstance(user, User) else None
        with timezone.override(department.zone if department else None):
            return self.get_response(request)
