"""Whether this process works (/healthz, for load balancers) and whether texts flow (/readyz, for monitoring).

Answered by a middleware that stands first: a probe has no session, often no proper Host, and follows no redirect.
A load balancer must not use /readyz: with Redis or the carrier down, pages still work and must stay reachable.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from redis import Redis, RedisError

from messaging.queries import DeliveryHealth, delivery_health
from telephony.signatures import REFUSED

BROKER_ANSWERS_WITHIN = 0.3
TICK_AT_MOST = timedelta(seconds=60)  # beat ticks each second
DUE_AT_MOST = timedelta(minutes=5)  # a single text leaves within seconds


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
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


def readyz() -> HttpResponse:
    """Whether texts flow, with the figures that say so, and nothing about any person."""
    now = timezone.now()
    try:
        found = Readiness(delivery_health(now), broker_answers(settings.REDIS_URL), now)
    except DatabaseError:
        return JsonResponse({"well": False, "problems": ["the database does not answer"]}, status=503)
    return JsonResponse(found.as_dict(), status=503 if found.problems else 200)


@dataclass(frozen=True)
class Readiness:
    delivery: DeliveryHealth
    broker_answers: bool
    now: datetime

    @property
    def problems(self) -> list[str]:
        return list(self._problems())

    def _problems(self) -> Iterator[str]:
        delivery = self.delivery
        if not self.broker_answers:
            yield "the broker does not answer"
        if delivery.last_tick_at is None or self.now - delivery.last_tick_at > TICK_AT_MOST:
            yield "beat does not tick, or no worker hears it"
        if delivery.oldest_due_at is not None and self.now - delivery.oldest_due_at > DUE_AT_MOST:
            yield "texts that are due are not handed over"
        if delivery.unknown_count:
            yield "it is unclear whether some texts were sent"
        if delivery.sending_stopped:
            yield "the carrier refuses the account or a number"
        if delivery.gap_since is not None:
            yield "nothing is sent until the carrier's list was compared"

    def as_dict(self) -> dict[str, Any]:
        return {
            "well": not self.problems,
            "problems": self.problems,
            "broker_answers": self.broker_answers,
            "last_tick_age_seconds": self._age(self.delivery.last_tick_at),
            "oldest_due_age_seconds": self._age(self.delivery.oldest_due_at),
            "unknown_count": self.delivery.unknown_count,
            "sending_stopped": self.delivery.sending_stopped,
            "gap_since": self.delivery.gap_since,
            "webhooks_refused_by_this_process": refused_webhooks(),
        }

    def _age(self, at: datetime | None) -> float | None:
        return None if at is None else round((self.now - at).total_seconds(), 1)


def broker_answers(url: str) -> bool:
    """Without a Redis the broker lives in a process's memory: whether it works, beat's tick says."""
    if not url:
        return True
    try:
        with Redis.from_url(
            url, socket_timeout=BROKER_ANSWERS_WITHIN, socket_connect_timeout=BROKER_ANSWERS_WITHIN
        ) as broker:
            return bool(broker.ping())
    except (RedisError, OSError):
        return False


def refused_webhooks() -> int:
    samples = (sample for metric in REFUSED.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))
