"""Whether texts flow, with the figures that say so and, for each thing that is wrong, what to do. Nothing about people.

/readyz tells monitoring, `manage.py doctor` tells whoever was woken up by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from redis import Redis, RedisError

from accounts.mail import MailHealth, mail_health
from messaging.sending_status import DeliveryHealth, delivery_health
from telephony.receiving import StrayHealth, stray_health
from telephony.signatures import REFUSED

BROKER_ANSWERS_WITHIN = 0.3
TICK_AT_MOST = timedelta(seconds=60)  # beat ticks each second
DUE_AT_MOST = timedelta(minutes=5)  # a single text leaves within seconds
COMPARED_AT_MOST = timedelta(minutes=15)  # beat asks every three
MAIL_AT_MOST = timedelta(hours=1)
STRAY_AT_MOST = timedelta(minutes=10)  # it is tried again after one and after four


@dataclass(frozen=True)
class Problem:
    words: str
    advice: str


NO_DATABASE = Problem("the database does not answer", "Start PostgreSQL, or look at DATABASE_URL.")
NO_BROKER = Problem(
    "the broker does not answer",
    "Start Redis, or look at REDIS_URL. Pages work meanwhile; what is due goes out seconds after its return.",
)
NO_TICK = Problem(
    "beat does not tick, or no worker hears it",
    "Start beat (exactly one) and at least one worker; their logs say why they ended.",
)
NOT_HANDED_OVER = Problem(
    "texts that are due are not handed over",
    "If nothing else is named here, Twilio is slow or silent: look at the workers' logs and at its status page.",
)
UNCLEAR = Problem(
    "it is unclear whether some texts were sent",
    "Wait: Twilio's list is asked every three minutes, and after ten a person is. Send nothing by hand.",
)
STOPPED = Problem(
    "the carrier refuses the account or a number",
    "Settle it at Twilio (the mail names the error). Then: /admin/, Sending holds, “Try again now”.",
)
GAP = Problem(
    "nothing is sent until the carrier's list was compared",
    "It takes half a minute. If it stays, the workers can't reach Twilio: look at their logs, network and token.",
)
NOT_COMPARED = Problem(
    "the carrier's list was not compared for long",
    "Twilio does not answer the workers, or refuses the token: look in their logs for “comparing the number”.",
)
MAILS_WAIT = Problem("mails wait and are not sent", "Look at EMAIL_URL and at the mail server.")
MAILS_GIVEN_UP = Problem(
    "mails were given up within the last day",
    "Mend the mail server; then invitations and password links have to be asked for anew.",
)
NOT_STORED = Problem(
    "texts that came in could not be stored",
    "Nothing is lost: see /admin/, Stray texts. They are tried again; the logs name the kind of error.",
)
NOT_ERASED = Problem(
    "texts could not be erased at the carrier",
    "Each is tried again every six hours. The workers' logs name them; look each up at Twilio.",
)


@dataclass(frozen=True)
class Readiness:
    delivery: DeliveryHealth
    mail: MailHealth
    strays: StrayHealth
    broker_answers: bool
    now: datetime

    @property
    def problems(self) -> list[Problem]:
        return [*self._problems_of_sending(), *self._problems_behind_it()]

    def _problems_of_sending(self) -> Iterator[Problem]:
        delivery = self.delivery
        if not self.broker_answers:
            yield NO_BROKER
        if delivery.last_tick_at is None or self._is_old(delivery.last_tick_at, TICK_AT_MOST):
            yield NO_TICK
        if self._is_old(delivery.oldest_due_at, DUE_AT_MOST):
            yield NOT_HANDED_OVER
        if delivery.unknown_count:
            yield UNCLEAR
        if delivery.sending_stopped:
            yield STOPPED
        if delivery.gap_since is not None:
            yield GAP

    def _problems_behind_it(self) -> Iterator[Problem]:
        if self._is_old(self.delivery.compared_at, COMPARED_AT_MOST):
            yield NOT_COMPARED
        if self._is_old(self.mail.oldest_waiting_at, MAIL_AT_MOST):
            yield MAILS_WAIT
        if self.mail.given_up_today:
            yield MAILS_GIVEN_UP
        if self._is_old(self.strays.oldest_failed_at, STRAY_AT_MOST):
            yield NOT_STORED
        if self.delivery.not_erased_count:
            yield NOT_ERASED

    def figures(self) -> dict[str, Any]:
        delivery = self.delivery
        return {
            "broker_answers": self.broker_answers,
            "last_tick_age_seconds": self._age(delivery.last_tick_at),
            "oldest_due_age_seconds": self._age(delivery.oldest_due_at),
            "unknown_count": delivery.unknown_count,
            "sending_stopped": delivery.sending_stopped,
            "gap_since": delivery.gap_since,
            "last_comparison_age_seconds": self._age(delivery.compared_at),
            "last_text_webhook_age_seconds": self._age(delivery.last_text_at),
            "last_status_webhook_age_seconds": self._age(delivery.last_report_at),
            "orphan_count": delivery.orphan_count,
            "stray_count": self.strays.count,
            "oldest_mail_age_seconds": self._age(self.mail.oldest_waiting_at),
            "mails_given_up_today": self.mail.given_up_today,
            "not_erased_count": delivery.not_erased_count,
        }

    def _age(self, at: datetime | None) -> float | None:
        return None if at is None else round((self.now - at).total_seconds(), 1)

    def _is_old(self, at: datetime | None, limit: timedelta) -> bool:
        return at is not None and self.now - at > limit


def readiness(now: datetime) -> Readiness:
    """As things stand. Raises django.db.Error."""
    return Readiness(delivery_health(now), mail_health(now), stray_health(), broker_answers(settings.REDIS_URL), now)


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
