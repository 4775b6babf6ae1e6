"""Only Twilio may post here: each webhook's signature is checked over the public address and the raw form.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security. The public address comes from the settings, never
from the request's own headers; the form is passed as it came, since a stripped value is another value.
"""

import functools
import logging
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter
from twilio.request_validator import RequestValidator

logger = logging.getLogger(__name__)

REFUSED = Counter("clientcomm_webhooks_refused", "Webhooks without a valid signature, since the process started.")

Webhook = Callable[[HttpRequest], HttpResponse]


def twilio_webhook(view: Webhook) -> Webhook:
    """A view that only a signed POST of the carrier reaches. Others get an empty 403; nothing is stored."""

    @functools.wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not is_signed(request):
            REFUSED.inc()
            logger.warning("webhook refused: no valid signature at %s", request.path)
            return HttpResponseForbidden()
        return view(request)

    return login_not_required(csrf_exempt(require_POST(checked)))


def is_signed(request: HttpRequest) -> bool:
    """Whether one of our tokens (two while one is being replaced) signed exactly this request."""
    form = _form(request)
    if form is None:
        return False
    url = settings.PUBLIC_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    return any(RequestValidator(token).validate(url, form, signature) for token in settings.TWILIO_AUTH_TOKENS if token)


def _form(request: HttpRequest) -> QueryDict | None:
    """The raw form; None if it breaks off, is too large, or is no form: nobody can say whether it was signed."""
    try:
        return request.POST
    except (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError):
        return None
