"""Ends a session after its department's idle time. Background refreshes of an open page don't count as use."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

SEEN_KEY = "last_used_at"
WRITE_EVERY = timedelta(minutes=5)  # a write to the session for every request would cost more than the page
BACKGROUND_HEADER = "X-Background-Refresh"
OPERATOR_IDLE_LIMIT = timedelta(hours=12)


class IdleSessionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SEEN_KEY in request.session or "_auth_user_id" in request.session:
            _end_or_renew(request, timezone.now())
        return self.get_response(request)


def _end_or_renew(request: HttpRequest, now: datetime) -> None:
    user = request.user
    if not user.is_authenticated:
        return
    limit = timedelta(hours=user.department.idle_limit_hours) if user.department else OPERATOR_IDLE_LIMIT
    seen_at = datetime.fromisoformat(request.session.get(SEEN_KEY, now.isoformat()))
    if now - seen_at > limit:
        logout(request)
    elif SEEN_KEY not in request.session or (now - seen_at > WRITE_EVERY and BACKGROUND_HEADER not in request.headers):
        request.session[SEEN_KEY] = now.isoformat()
