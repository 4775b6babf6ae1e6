"""The demo: believable, complete, safe to repeat, and nothing in it ever leaves this machine."""

import re
from datetime import datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Model
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import travel

from accounts.models import AuditEntry, Department, OutgoingEmail, User
from clientcomm.demo import people, scale
from clientcomm.demo.conversations import CONVERSATIONS
from clientcomm.demo.lines import minutes, open_time
from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber
from messaging import delivery, queries
from messaging.models import Message
from messaging.sms import OutboundText, Outcome
from tests import builders

pytestmark = pytest.mark.django_db

State = Message.State
DENVER = ZoneInfo("America/Denver")


@pytest.fixture(autouse=True)
def debug(settings: Settings) -> None:
    settings.DEBUG = True


def seed(**options: int) -> str:
    written = StringIO()
    call_command("seed_demo", stdout=written, **options)
    return written.getvalue()


def person(name: str) -> User:
    return User.objects.get(email=f"{name}@clientcomm.test")


def everything() -> dict[str, list[Any]]:
    models: tuple[type[Model], ...] = (
        Department,
        User,
        AuditEntry,
        ClientStatus,
        Client,
        PhoneNumber,
        CaseAssignment,
        ConversationEvent,
        Message,
    )
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


def test_it_refuses_without_debug(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=1"):
        seed()
    assert not Department.objects.exists()


def test_the_people_can_sign_in_and_have_their_caseloads() -> None:
    assert seed() == "Demo data added.\n"
    caseloads = {name: queries.caseload(person(name)).total_count for name in ("demo", "colleague", "other")}
    assert caseloads == {"demo": 40, "colleague": 6, "other": 5}
    roles = {user.email.split("@")[0]: user.role for user in User.objects.all()}
    assert roles["supervisor"] == "supervisor"
    assert roles["admin"] == "administrator"
    assert all(user.check_password("clientcomm-demo") for user in User.objects.all())
    statuses = ClientStatus.objects.filter(department=person("demo").department).order_by("position")
    assert list(statuses.values_list("name", flat=True)) == ["Active", "Inactive", "Monitoring"]
    assert not User.objects.filter(is_staff=True).exists()
    assert person("other").department_id != person("demo").department_id == person("admin").department_id
    assert (bool(person("demo").desk_phone), bool(person("colleague").desk_phone)) == (True, False)


def test_a_second_run_changes_nothing(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    seed()
    before = everything()
    with django_assert_max_num_queries(4):
        assert seed() == ""
    assert everything() == before


class Carrier:
    """Nobody may call it."""

    def send(self, text: OutboundText) -> Outcome:
        raise AssertionError("a demo text was sent")


def test_nothing_goes_out_by_seeding() -> None:
    seed()
    assert not Message.objects.filter(state__in=[State.WAITING, State.SENDING, State.UNKNOWN]).exists()
    assert not OutgoingEmail.objects.exists()
    assert delivery.deliver_due(Carrier()) == 0


def test_every_number_is_one_that_no_telephone_has() -> None:
    seed(clients=60)
    pretend = re.compile(r"\+1[2-9]\d{2}55501\d{2}")
    offices = set(Department.objects.values_list("phone_number", flat=True))
    clients = set(PhoneNumber.objects.values_list("address", flat=True))
    desks = set(User.objects.exclude(desk_phone="").values_list("desk_phone", flat=True))
    assert all(pretend.fullmatch(number) for number in offices | clients | desks)
    assert not offices & clients
    assert not desks & (offices | clients)


def test_one_client_stands_on_each_number_that_behaves_in_its_own_way() -> None:
    seed(clients=60)
    for ending in ("5550102", "5550103", "5550104", "5550105"):
        number = PhoneNumber.objects.get(address__endswith=ending)
        assert CaseAssignment.objects.get(client=number.client_id).case_manager == person("demo")
        assert not number.is_opted_out  # so that one can try


def test_conversations_of_every_kind_are_there() -> None:
    seed()
    mine = Message.objects.filter(assignment__case_manager=person("demo"))
    states = set(mine.values_list("state", flat=True))
    assert states == {State.DELIVERED, State.SENT, State.FAILED, State.UNDELIVERED, State.HELD, State.RECEIVED}
    assert max(mine.values("client").annotate(number=Count("pk")).values_list("number", flat=True)) == 120
    rows = queries.caseload(person("demo")).page.object_list
    assert sum(row.last_contact == "--" and not row.snippet for row in rows) >= 4
    assert sum(row.unread_count > 0 for row in rows) >= 4
    assert {True, False} == {row.not_delivered for row in rows} == {row.opted_out for row in rows}
    assert Client.objects.filter(first_name="").exists()
    assert mine.filter(body__contains="\n").exists()
    assert mine.filter(body__contains="https://").exists()


def test_an_opt_out_is_a_text_an_event_and_a_mark_that_agree() -> None:
    seed()
    out = PhoneNumber.objects.filter(opted_out_at__isnull=False)
    assert len(out) == 2
    for number in out:
        event = ConversationEvent.objects.get(client=number.client_id, kind=ConversationEvent.Kind.OPTED_OUT)
        stop = Message.objects.get(client=number.client_id, body="STOP")
        assert number.opted_out_at == event.at == stop.placed_at


@pytest.mark.parametrize("local_time", ["00:20", "08:00", "08:03", "14:30", "21:00"])
def test_every_text_lies_in_the_past_and_in_texting_hours(local_time: str) -> None:
    now = datetime.fromisoformat(f"2026-03-09T{local_time}").replace(tzinfo=DENVER)  # the clocks changed the day before
    with travel(now, tick=False):
        seed()
    for message in Message.objects.all():
        assert message.placed_at < now
        assert message.read_at is None or message.read_at <= now
        assert "08:00" <= message.placed_at.astimezone(DENVER).strftime("%H:%M") < "21:00"
    for client_id in Client.objects.values_list("pk", flat=True):
        in_order = Message.objects.filter(client=client_id).order_by("pk").values_list("placed_at", flat=True)
        assert list(in_order) == sorted(in_order)


def test_a_text_three_minutes_ago_was_written_last_evening_when_the_day_has_just_begun() -> None:
    now = datetime(2026, 3, 10, 8, 1, tzinfo=DENVER)
    assert open_time(now, DENVER, 3) == datetime(2026, 3, 9, 20, 58, tzinfo=DENVER)
    assert open_time(now, DENVER, 1) == datetime(2026, 3, 10, 8, 0, tzinfo=DENVER)


@pytest.mark.parametrize(("ago", "expected"), [("3m", 3), ("2h 5m", 125), ("1d", 780), ("2d 1h 1m", 1621)])
def test_how_long_ago_is_read_in_open_minutes(ago: str, expected: int) -> None:
    assert minutes(ago) == expected


@pytest.mark.parametrize("nonsense", ["nothing", "3", "5 days", "1h 1d"])
def test_a_slip_in_a_conversation_is_noticed(nonsense: str) -> None:
    with pytest.raises(ValueError, match=re.escape(nonsense)):
        minutes(nonsense)


def test_every_conversation_is_somebodys_and_in_order() -> None:
    talks = {client.talk for caseload in people.CASELOADS.values() for client in caseload}
    assert talks - {""} == set(CONVERSATIONS)
    for lines in CONVERSATIONS.values():
        ago = [line.minutes_ago for line in lines]
        assert ago == sorted(ago, reverse=True)
        assert ago[-1] >= 1


def test_a_caseload_grows_to_the_size_asked_for_and_no_further() -> None:
    assert "Added 20 more clients" in seed(clients=60)
    assert queries.caseload(person("demo")).total_count == 60
    assert seed(clients=60) == ""
    assert "Added 5 more clients" in seed(clients=65)
    added = CaseAssignment.objects.filter(case_manager=person("demo"), client__id_number__regex=r"^PT-\d{5}$")
    assert added.count() == 25
    assert not added.filter(last_contact_at__isnull=True).exists()


def test_a_conversation_grows_backwards_to_the_size_asked_for() -> None:
    seed()
    talk = Message.objects.filter(client__numbers__address=people.LONG_TALK_NUMBER)
    newest = talk.latest("placed_at")
    assert "150 older texts" in seed(messages=270)
    assert seed(messages=270) == ""
    assert talk.count() == 270
    assert talk.latest("placed_at") == newest


def test_there_are_numbers_for_ten_thousand_clients_and_more_than_there_are_is_refused() -> None:
    assert len(set(scale.numbers())) > scale.MOST_CLIENTS + 100
    with pytest.raises(CommandError, match="30000 clients at most"):
        seed(clients=scale.MOST_CLIENTS + 1)
    assert not User.objects.exists()


def test_a_real_department_of_that_number_stays_as_it_is() -> None:
    builders.make_department(phone_number="+18015550100", name="Somebody's office")
    with pytest.raises(CommandError, match="taken by another department"):
        seed()
    assert Department.objects.count() == 1
    assert not User.objects.exists()


def test_each_further_client_costs_one_statement(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(140):
        seed()
    with django_assert_max_num_queries(360 + 60):
        seed(clients=400)
