"""What the carrier posts to us. Each answer is given after the text or report is committed, never before.

An error page must never go out: the carrier would text it to the client, or treat the webhook as failed.
"""

import logging

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from messaging import delivery, hearing
from telephony import payloads, receiving
from telephony.signatures import twilio_webhook

logger = logging.getLogger(__name__)

NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Answer(HttpResponse):
    """An answer to the carrier. Once it is out, it is noted that the carrier reaches us."""

    kind = hearing.Kind.REPORT

    def close(self) -> None:
        hearing.note(self.kind, now=timezone.now())
        super().close()


class TextAnswer(Answer):
    kind = hearing.Kind.TEXT


@twilio_webhook
def inbound_sms(request: HttpRequest) -> HttpResponse:
    """A client texted one of our numbers. A copy of a text that is stored gets the same answer as the first."""
    receiving.take(request.POST, now=timezone.now())
    return TextAnswer(NO_REPLY, content_type="text/xml; charset=utf-8")


@twilio_webhook
def sms_status(request: HttpRequest) -> HttpResponse:
    """What became of a text that we handed over."""
    try:
        report = payloads.delivery_report(request.POST, request.GET.get("m", ""))
    except payloads.NotUnderstood as error:
        logger.warning("a status report without a usable %s", error)
        report = None
    if report is not None:
        delivery.record_delivery_report(report, now=timezone.now())
    return Answer(status=204)
