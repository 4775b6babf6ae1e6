"""How Celery holds on to Redis: back within two seconds after it was away, for however long it was."""

from typing import Any, Self

from celery.app.amqp import AMQP
from kombu import Connection

# For CELERY_BROKER_TRANSPORT_OPTIONS. Without them a Redis that vanished without a word would be waited for for ever.
REDIS_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "health_check_interval": 5,
}


class QuickConnection(Connection):
    """kombu waits longer after each failure, up to 30 seconds: as long, a text would wait after a restart of Redis."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Self:
        return super().ensure_connection(
            *args, **{"interval_start": 0.5, "interval_step": 0.5, "interval_max": 2, **kwargs}
        )


class QuickAMQP(AMQP):
    Connection = QuickConnection
