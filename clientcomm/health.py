"""Whether this process works (/healthz, for load balancers) and whether texts flow (/readyz, for monitoring).

Answered by a middleware that stands first: a probe has no session, often no proper Host, and follows no redirect.
A load balancer must not use /readyz: with Redis or the carrier down, pages still work and must stay reachable.
"""

from collections.abc import Callable

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from clientcomm import readiness


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = {"/healthz": healthz, "/readyz": readyz}.get(request.path)
        return answer() if answer else self.get_response(request)


def healthz() -> HttpResponse:
    """This process answers and reaches its database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:  # a connection that broke is an InterfaceError, and that no DatabaseError
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


def readyz() -> HttpResponse:
    """Whether texts flow, with the figures that say so, and nothing about any person."""
    try:
        found = readiness.readiness(timezone.now())
    except Error:
        return JsonResponse({"well": False, "problems": [readiness.NO_DATABASE.words]}, status=503)
    problems = [problem.words for problem in found.problems]
    told = {"webhooks_refused_by_this_process": readiness.refused_webhooks()}
    answer = {"well": not problems, "problems": problems, **found.figures(), **told}
    return JsonResponse(answer, status=503 if problems else 200)
