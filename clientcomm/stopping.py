"""A worker that is told to stop hands over the text in hand and takes no other: so no text is left unclear."""

from celery.signals import worker_shutting_down

from messaging import delivery


@worker_shutting_down.connect
def finish_the_text_in_hand(**_: object) -> None:
    """Celery waits for running tasks, and the delivery loop is one: unasked it would go on until nothing is due."""
    delivery.drain()
