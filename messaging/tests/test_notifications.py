"""Who is e-mailed about which texts, and when: at once, once a day, or not at all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import Traveller, travel

from accounts import mail
from accounts.actions import own_account
from accounts.models import OutgoingEmail, User
from clients.models import CaseAssignment
from messaging import notifications, tasks
from messaging.actions.caseload import NewClient, add_client
from messaging.actions.reading import mark_read
from messaging.actions.receiving import receive_text
from messaging.known_numbers import SAME_PERSON
from messaging.models import Message
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

SIX = datetime(2027, 3, 2, 13, tzinfo=UTC)  # am, in Denver
Choice = User.EmailNotifications
SECRET = "I sleep in the blue van"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Traveller]:
    with travel(SIX, tick=False) as traveller:
        yield traveller


@pytest.fixture
def maria(clock: Traveller, alice: User) -> CaseAssignment:
    return builders.make_client(alice, first_name="Maria", last_name="Lopez")


def now() -> datetime:
    return datetime.now(UTC)


def texts(assignment: CaseAssignment, body: str = SECRET) -> Message:
    return receive_text(text=builders.inbound_text(assignment, body), now=now())


def choose(person: User, choice: Choice) -> None:
    own_account.change_profile(
        by=person,
        full_name=person.full_name,
        email=person.email,
        desk_phone="",
        email_notifications=choice,
        now=now(),
    )


def sweep(clock: Traveller, **after: float) -> int:
    clock.shift(timedelta(**after))
    return notifications.tell_at_once(now=now()) + notifications.tell_summaries(now=now())


class TestAtOnce:
    def test_a_text_that_nobody_read_is_told_with_who_wrote_and_a_link(
        self, clock: Traveller, alice: User, maria: CaseAssignment
    ) -> None:
        texts(maria)
        assert sweep(clock, seconds=15) == 1
        sent = OutgoingEmail.objects.get()
        assert (sent.to, sent.subject) == (alice.email, "New message from Maria Lopez")
        for body in (sent.text_body, sent.html_body):
            assert f"http://testserver/conversations/{maria.client_id}/" in body
            assert "Maria Lopez sent you a message" in body
            assert "http://testserver/account/settings/" in body

    def test_what_they_wrote_and_their_number_are_in_no_mail(self, clock: Traveller, maria: CaseAssignment) -> None:
        texts(maria)
        sweep(clock, seconds=15)
        sent = OutgoingEmail.objects.get()
        for secret in (SECRET, builders.number_of(maria).address, builders.number_of(maria).display):
            assert secret not in sent.subject + sent.text_body + sent.html_body

    def test_a_name_is_written_as_it_is_and_never_as_markup(self, clock: Traveller, alice: User) -> None:
        texts(builders.make_client(alice, first_name="<b>", last_name="O'Neil"))
        sweep(clock, seconds=15)
        sent = OutgoingEmail.objects.get()
        assert sent.subject == "New message from <b> O'Neil"
        assert "<b> O'Neil sent you" in sent.text_body
        assert "&lt;b&gt; O&#x27;Neil sent you" in sent.html_body

    def test_an_open_page_has_a_moment_to_mark_it_as_read(self, clock: Traveller, maria: CaseAssignment) -> None:
        texts(maria)
        assert sweep(clock, seconds=5) == 0
        assert sweep(clock, seconds=6) == 1

    def test_what_was_read_is_not_told(self, clock: Traveller, maria: CaseAssignment) -> None:
        message = texts(maria)
        mark_read(assignment=maria, messages=[message.pk], now=now())
        assert sweep(clock, minutes=1) == 0

    def test_a_second_text_is_told_ten_minutes_after_the_first_mail(
        self, clock: Traveller, maria: CaseAssignment
    ) -> None:
        texts(maria)
        sweep(clock, seconds=15)
        texts(maria)
        texts(maria)
        assert sweep(clock, minutes=9, seconds=59) == 0
        assert sweep(clock, seconds=1) == 1
        assert "Maria Lopez sent you 2 messages" in OutgoingEmail.objects.latest("pk").text_body

    def test_one_text_is_told_once_however_long_it_stays_unread(self, clock: Traveller, maria: CaseAssignment) -> None:
        texts(maria)
        assert [sweep(clock, minutes=11) for _time in range(4)] == [1, 0, 0, 0]

    def test_another_client_has_ten_minutes_of_its_own(
        self, clock: Traveller, alice: User, maria: CaseAssignment
    ) -> None:
        texts(maria)
        sweep(clock, seconds=15)
        texts(builders.make_client(alice, first_name="Ali"))
        assert sweep(clock, seconds=15) == 1

    def test_each_case_manager_is_told_of_their_own_clients_and_nobody_of_unclaimed_ones(
        self, clock: Traveller, alice: User, bob: User, charlie: User, supervisor: User
    ) -> None:
        texts(builders.make_client(bob))
        texts(builders.make_client(charlie))
        texts(builders.make_client(None, department=alice.department))
        assert sweep(clock, seconds=15) == 2
        assert {sent.to for sent in OutgoingEmail.objects.all()} == {bob.email, charlie.email}

    def test_who_switched_it_off_is_not_told_nor_afterwards_of_what_came_meanwhile(
        self, clock: Traveller, alice: User, maria: CaseAssignment
    ) -> None:
        choose(alice, Choice.OFF)
        texts(maria)
        assert sweep(clock, minutes=1) == 0
        choose(alice, Choice.AT_ONCE)
        assert sweep(clock, minutes=1) == 0
        texts(maria)
        assert sweep(clock, minutes=1) == 1
        assert "sent you a message" in OutgoingEmail.objects.get().text_body

    def test_a_closed_account_is_not_told(self, clock: Traveller, alice: User, maria: CaseAssignment) -> None:
        texts(maria)
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert sweep(clock, minutes=1) == 0

    def test_who_takes_an_unclaimed_client_is_not_told_of_what_they_have_just_seen(
        self, clock: Traveller, alice: User
    ) -> None:
        unclaimed = builders.make_client(None, department=alice.department, address="+13855550142")
        texts(unclaimed)
        clock.shift(60)
        department = alice.department
        assert department is not None
        new = NewClient("Maria", "Lopez", "+13855550142", department.statuses.all()[0])
        assignment = add_client(new=new, by=alice, department=department, now=now(), answer=SAME_PERSON).assignment
        assert sweep(clock, minutes=1) == 0
        texts(assignment)
        assert sweep(clock, minutes=1) == 1

    def test_a_deleted_client_who_texts_is_back_and_told(self, clock: Traveller, maria: CaseAssignment) -> None:
        maria.ended_at, maria.end_reason = now(), CaseAssignment.EndReason.DELETED
        maria.save()
        clock.shift(60)
        texts(maria)
        assert sweep(clock, minutes=1) == 1

    def test_a_text_that_arrived_late_is_told(self, clock: Traveller, maria: CaseAssignment) -> None:
        clock.shift(timedelta(hours=3))
        receive_text(text=builders.inbound_text(maria), now=now(), sent_at=SIX - timedelta(hours=1))
        assert sweep(clock, minutes=1) == 1

    def test_a_worker_that_dies_in_between_forgets_and_doubles_nothing(
        self, clock: Traveller, maria: CaseAssignment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        texts(maria)

        def die(*_: object, **__: object) -> None:
            raise SystemExit

        monkeypatch.setattr(mail, "queue", die)
        with pytest.raises(SystemExit):
            sweep(clock, seconds=15)
        monkeypatch.undo()
        assert (sweep(clock, seconds=15), sweep(clock, seconds=15)) == (1, 0)

    def test_more_than_a_sweep_takes_is_told_by_the_next(
        self, clock: Traveller, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notifications, "PER_SWEEP", 2)
        for _client in range(3):
            texts(builders.make_client(alice))
        assert (sweep(clock, seconds=15), sweep(clock, seconds=15)) == (2, 1)


class TestSummary:
    @pytest.fixture(autouse=True)
    def daily(self, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(email_notifications=Choice.DAILY)

    def test_it_comes_at_eight_in_the_departments_zone_and_once(
        self, clock: Traveller, alice: User, maria: CaseAssignment
    ) -> None:
        texts(maria)
        texts(maria)
        texts(builders.make_client(alice, first_name="Ali", last_name="Khan"))
        assert sweep(clock, hours=1, minutes=59) == 0
        assert sweep(clock, minutes=1) == 1
        sent = OutgoingEmail.objects.get()
        assert (sent.to, sent.subject) == (alice.email, "3 new messages")
        for body in (sent.text_body, sent.html_body):
            assert "Maria Lopez (2 messages)" in body
            assert "Ali Khan (1 message)" in body
            assert f"http://testserver/conversations/{maria.client_id}/" in body
            assert SECRET not in body
        assert [sweep(clock, hours=6) for _time in range(3)] == [0, 0, 0]

    def test_another_zone_has_another_eight(self, clock: Traveller, charlie: User) -> None:
        User.objects.filter(pk=charlie.pk).update(email_notifications=Choice.DAILY)
        assert charlie.department is not None
        charlie.department.time_zone = "America/New_York"
        charlie.department.save()
        texts(builders.make_client(charlie))
        clock.shift(1)
        assert sweep(clock) == 1

    def test_nothing_unread_means_no_mail(self, clock: Traveller, maria: CaseAssignment) -> None:
        message = texts(maria)
        mark_read(assignment=maria, messages=[message.pk], now=now())
        assert sweep(clock, hours=2) == 0

    def test_what_comes_after_eight_waits_for_the_next_day(self, clock: Traveller, maria: CaseAssignment) -> None:
        assert sweep(clock, hours=3) == 0
        texts(maria)
        assert sweep(clock, hours=1) == 0
        assert sweep(clock, hours=22) == 1

    def test_a_text_is_in_one_summary_only(self, clock: Traveller, maria: CaseAssignment) -> None:
        texts(maria)
        assert [sweep(clock, hours=2), sweep(clock, days=1), sweep(clock, days=1)] == [1, 0, 0]

    def test_there_is_one_a_day_whatever_becomes_unread_again(self, clock: Traveller, maria: CaseAssignment) -> None:
        read = texts(maria)
        texts(maria)
        Message.objects.filter(pk=read.pk).update(read_at=now())
        assert sweep(clock, hours=2) == 1
        Message.objects.filter(pk=read.pk).update(read_at=None)
        CaseAssignment.objects.filter(pk=maria.pk).update(mailed_up_to=None)
        assert sweep(clock, hours=2) == 0

    def test_a_morning_that_was_slept_through_is_made_up_for(self, clock: Traveller, maria: CaseAssignment) -> None:
        texts(maria)
        assert sweep(clock, hours=14) == 1

    def test_what_was_told_at_once_is_not_told_again(
        self, clock: Traveller, alice: User, maria: CaseAssignment
    ) -> None:
        choose(alice, Choice.AT_ONCE)
        texts(maria)
        sweep(clock, seconds=15)
        choose(alice, Choice.DAILY)
        assert sweep(clock, hours=2) == 0

    def test_a_long_list_is_cut_and_says_so(
        self, clock: Traveller, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notifications, "NAMED_AT_MOST", 1)
        for _client in range(3):
            texts(builders.make_client(alice))
        sweep(clock, hours=2)
        assert "and 2 more clients." in OutgoingEmail.objects.get().text_body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("choice", [Choice.AT_ONCE, Choice.DAILY])
def test_workers_that_sweep_at_the_same_moment_tell_once(
    clock: Traveller, alice: User, maria: CaseAssignment, choice: Choice
) -> None:
    User.objects.filter(pk=alice.pk).update(email_notifications=choice)
    for _client in range(5):
        texts(builders.make_client(alice))
    clock.shift(timedelta(hours=2))
    told = at_once(lambda: notifications.tell_at_once(now=now()) + notifications.tell_summaries(now=now()), times=4)
    assert sum(told) == OutgoingEmail.objects.count() == (5 if choice == Choice.AT_ONCE else 1)


def queries_of_a_sweep() -> int:
    with CaptureQueriesContext(connection) as queries:
        tasks.tell_at_once()
        tasks.tell_summaries()
    return len(queries)


def test_a_sweep_without_news_costs_the_same_with_few_and_many_clients(clock: Traveller, alice: User) -> None:
    few = queries_of_a_sweep()
    builders.make_caseload(alice, 200)  # unread by their counts, without a text
    assert queries_of_a_sweep() == few
