"""What every page may say of this installation."""

from django.conf import settings
from django.http import HttpRequest


def installation(request: HttpRequest) -> dict[str, str]:
    return {"support_email": settings.SUPPORT_EMAIL}
