"""Whatever happens in whatever order: one mail at most tells of a text, and only to the one whose client wrote it.

And one does tell of it, unless it was read, or mails were off, or the client was deleted.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from time_machine import travel

from accounts import mail
from accounts.actions import own_account
from accounts.models import User
from clients.models import CaseAssignment
from messaging import notifications
from messaging.actions.reading import mark_read
from messaging.actions.receiving import receive_text
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

EVENING = datetime(2027, 3, 3, 3, tzinfo=UTC)
Choice = User.EmailNotifications
Clients = st.integers(min_value=0, max_value=3)


class Dies(Exception):
    """A worker's end, at the worst moment: the mail's row is written and nothing is committed."""


class AnyOrder(RuleBasedStateMachine):
    """Two case managers with a client each, a stranger in another department, and an unclaimed client.

    What is right is kept apart from the product: the texts of each client, and what the mails said.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = travel(EVENING, tick=False)
        self.traveller = self.clock.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.came: Counter[int] = Counter()
        self.told: Counter[int] = Counter()
        self.told_at: dict[int, datetime] = {}
        self.may_be_untold: set[int] = set()
        self.queue = mail.queue

    def teardown(self) -> None:
        mail.queue = self.queue
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.clock.stop()

    @initialize()
    def people_have_clients(self) -> None:
        office, elsewhere = builders.make_department(), builders.make_department(time_zone="America/New_York")
        self.people = [builders.make_user(office, "Alice"), builders.make_user(office, "Bob")]
        self.people.append(builders.make_user(elsewhere, "Charlie"))
        self.clients = [builders.make_client(person) for person in self.people]
        self.clients.append(builders.make_client(None, department=office))
        self.may_be_untold.add(self.clients[-1].client_id)
        mail.queue = self.note

    def note(self, template_prefix: str, *, to: str, context: Any, now: datetime) -> Any:
        row = self.queue(template_prefix, to=to, context=context, now=now)
        at_once = template_prefix.endswith("new_texts")
        for news in [context["news"]] if at_once else context["all_news"]:
            self.note_news(news, to, at_once=at_once)
        return row

    def note_news(self, news: notifications.News, to: str, *, at_once: bool) -> None:
        client_id = int(news.link.rstrip("/").rsplit("/")[-1])
        assignment = CaseAssignment.objects.get(client=client_id, ended_at__isnull=True)
        assert assignment.case_manager is not None
        assert to == assignment.case_manager.email
        if at_once and client_id in self.told_at:
            assert timezone.now() - self.told_at[client_id] >= timedelta(minutes=10)
        self.told_at[client_id] = timezone.now()
        self.told[client_id] += news.count

    @rule(which=Clients)
    def a_client_texts(self, which: int) -> None:
        client = self.clients[which]
        receive_text(text=builders.inbound_text(client), now=timezone.now())
        self.came[client.client_id] += 1

    @rule(which=Clients)
    def a_case_manager_reads(self, which: int) -> None:
        client = self.clients[which]
        newest = Message.objects.filter(client=client.client_id).order_by("-pk").values_list("pk", flat=True).first()
        mark_read(assignment=client, up_to=newest or 0, now=timezone.now())
        self.may_be_untold.add(client.client_id)

    @rule(which=st.integers(min_value=0, max_value=2), choice=st.sampled_from(Choice))
    def somebody_chooses(self, which: int, choice: Choice) -> None:
        person = self.people[which]
        profile = {"full_name": person.full_name, "email": person.email, "desk_phone": ""}
        own_account.change_profile(by=person, **profile, email_notifications=choice, now=timezone.now())
        if choice == Choice.OFF:
            self.may_be_untold.add(self.clients[which].client_id)

    @rule(which=st.integers(min_value=0, max_value=2))
    def a_client_is_deleted(self, which: int) -> None:
        ended: dict[str, Any] = {"ended_at": timezone.now(), "end_reason": CaseAssignment.EndReason.DELETED}
        CaseAssignment.objects.filter(pk=self.clients[which].pk, ended_at__isnull=True).update(**ended)
        self.may_be_untold.add(self.clients[which].client_id)

    @rule(minutes=st.sampled_from([0.2, 1, 9, 11, 300]))
    def time_passes(self, minutes: float) -> None:
        self.traveller.shift(timedelta(minutes=minutes))

    @rule()
    def the_sweep_runs(self) -> None:
        notifications.tell_at_once(now=timezone.now())
        notifications.tell_summaries(now=timezone.now())

    @rule()
    def a_worker_dies_in_the_sweep(self) -> None:
        def die(*args: Any, **kwargs: Any) -> Any:
            self.queue(*args, **kwargs)
            raise Dies

        mail.queue = die
        try:
            self.the_sweep_runs()
        except Dies:
            pass
        finally:
            mail.queue = self.note

    @rule()
    def two_days_later_all_is_told(self) -> None:
        for _day in range(2):
            self.traveller.shift(timedelta(days=1))
            self.the_sweep_runs()
        for client_id in {client.client_id for client in self.clients} - self.may_be_untold:
            assert self.told[client_id] == self.came[client_id]

    @invariant()
    def no_text_is_told_of_twice(self) -> None:
        assert all(count <= self.came[client_id] for client_id, count in self.told.items())


def test_nobody_is_told_twice_or_of_another_ones_client_whatever_the_order() -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
