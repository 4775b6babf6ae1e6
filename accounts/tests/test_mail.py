"""Mails are rows before they are sent: a server that is down delays them, and loses none."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import mail
from accounts.models import OutgoingEmail
from tests.builders import make_department, make_user

pytestmark = pytest.mark.django_db


class Broken:
    """A mail server that takes nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def send_messages(self, messages: list[Any]) -> int:
        raise ConnectionRefusedError


def queue_one() -> OutgoingEmail:
    person = make_user(make_department(), "Alice Adams")
    return mail.queue("account/email/password_changed", to=person.email, context={"person": person}, now=timezone.now())


def test_a_queued_mail_goes_out_once_in_both_forms() -> None:
    row = queue_one()
    assert (mail.deliver_due(), mail.deliver_due()) == (1, 0)
    (sent,) = django_mail.outbox
    assert sent.to == [row.to]
    assert "Alice Adams" in sent.body
    ((html, content_type),) = [tuple(part) for part in sent.alternatives]  # type: ignore[attr-defined]
    assert content_type == "text/html"
    assert "Alice Adams" in html


def test_the_words_are_blanked_once_it_is_gone() -> None:
    row = queue_one()
    mail.deliver_due()
    row.refresh_from_db()
    assert (row.subject, row.text_body, row.html_body, row.done_at is not None) == ("", "", "", True)


def test_what_is_rolled_back_is_not_sent() -> None:
    with transaction.atomic():
        queue_one()
        transaction.set_rollback(True)
    assert mail.deliver_due() == 0


def test_a_server_that_is_down_delays_a_mail(settings: Settings) -> None:
    row = queue_one()
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    assert mail.deliver_due() == 0
    row.refresh_from_db()
    assert row.due_at > timezone.now() + timedelta(seconds=30)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert mail.deliver_due() == 1


def test_a_loop_that_died_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    queue_one()
    monkeypatch.setattr(mail, "_send", lambda row: False)  # claimed, and never heard of again
    mail.deliver_due()
    monkeypatch.undo()
    assert mail.deliver_due() == 0
    with time_machine.travel(timezone.now() + mail.LEASE + timedelta(seconds=1)):
        assert mail.deliver_due() == 1


def test_it_is_given_up_at_last_and_not_before(settings: Settings) -> None:
    row = queue_one()
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    moment = timezone.now()
    for _attempt in range(mail.GIVE_UP_AFTER):
        row.refresh_from_db()
        assert row.given_up_at is None
        moment += timedelta(hours=7)
        with time_machine.travel(moment):
            mail.deliver_due()
    row.refresh_from_db()
    assert (row.attempts, row.given_up_at is not None) == (mail.GIVE_UP_AFTER, True)
