"""The carrier's posts go past all that serves people: sessions, signing in, compression, pages.

Their views see to their own protection (telephony/signatures.py). The answers carry the headers that every answer does.
"""

from collections.abc import Callable

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import reverse

from clientcomm.middleware import PrivatePagesMiddleware
from telephony.urls import urlpatterns

Answer = Callable[[HttpRequest], HttpResponse]


class CarrierMiddleware:
    """Stands before the middleware for people. An address that is none of the carrier's goes on to them."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self._answers = {reverse(str(pattern.name)): _short_chain(pattern.callback) for pattern in urlpatterns}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answers.get(request.path, self.get_response)(request)


def _short_chain(view: Answer) -> Answer:
    answer: Answer = PrivatePagesMiddleware(view)
    for middleware in (XFrameOptionsMiddleware, CSPMiddleware, SecurityMiddleware):
        answer = middleware(answer)  # type: ignore[assignment]  # their stubs don't say that it is called
    return answer
