"""Opting out and back in: by the client's word, at the time the carrier gives it, for the number."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment, ConversationEvent, PhoneNumber
from messaging import opt_outs
from messaging.models import Message
from messaging.opt_outs import OptOutSource
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
TEN = timezone.now() - timedelta(hours=1)


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def text(
    assignment: CaseAssignment, body: str, *, at: datetime = TEN, opt_out_type: str = "", later: int = 0
) -> PhoneNumber:
    """The number after this text from it; later: minutes."""
    number = builders.number_of(assignment)
    opt_outs.apply_text(number, body, opt_out_type, at=at + timedelta(minutes=later), now=timezone.now())
    return builders.number_of(assignment)


def opt_out(assignment: CaseAssignment, source: PhoneNumber.OptOutSource, *, by: User | None = None) -> PhoneNumber:
    opt_outs.opt_out(builders.number_of(assignment), source=source, at=TEN, now=timezone.now(), by=by)
    return builders.number_of(assignment)


def events() -> list[str]:
    return list(ConversationEvent.objects.order_by("pk").values_list("kind", flat=True))


def test_stop_marks_the_number_with_time_and_source_and_shows_as_an_event(client_of_alice: CaseAssignment) -> None:
    number = text(client_of_alice, "STOP")
    assert (number.opted_out_at, number.opted_out_source, number.opted_out_by) == (TEN, "keyword", None)
    assert number.opt_changed_at == TEN
    event = ConversationEvent.objects.get()
    assert (event.kind, event.at, event.client) == ("opted_out", TEN, client_of_alice.client)


def test_start_lifts_the_mark_and_shows_as_an_event(client_of_alice: CaseAssignment) -> None:
    text(client_of_alice, "STOP")
    number = text(client_of_alice, "START", later=5)
    assert (number.opted_out_at, number.opted_out_source) == (None, "")
    assert number.opt_changed_at == TEN + timedelta(minutes=5)
    assert events() == ["opted_out", "opted_in"]


def test_stop_twice_is_one_opt_out_since_the_first(client_of_alice: CaseAssignment) -> None:
    text(client_of_alice, "STOP")
    number = text(client_of_alice, "STOP", later=5)
    assert (number.opted_out_at, events()) == (TEN, ["opted_out"])


def test_start_from_someone_who_is_not_opted_out_shows_nothing(client_of_alice: CaseAssignment) -> None:
    assert not text(client_of_alice, "START").is_opted_out
    assert events() == []


@pytest.mark.parametrize("source", [OptOutSource.KEYWORD, OptOutSource.CARRIER])
def test_yes_brings_back_who_opted_out(source: PhoneNumber.OptOutSource, client_of_alice: CaseAssignment) -> None:
    opt_out(client_of_alice, source)
    assert not text(client_of_alice, "Yes", later=1).is_opted_out
    assert events() == ["opted_out", "opted_in"]


def test_yes_is_just_an_answer_for_who_did_not_opt_out(client_of_alice: CaseAssignment) -> None:
    text(client_of_alice, "Yes")
    assert events() == []
    assert builders.number_of(client_of_alice).opt_changed_at is None


def test_yes_does_not_lift_what_a_person_wrote_down(client_of_alice: CaseAssignment, alice: User) -> None:
    opt_out(client_of_alice, OptOutSource.PERSON, by=alice)
    assert text(client_of_alice, "Yes", later=1).is_opted_out


def test_start_lifts_what_a_person_wrote_down(client_of_alice: CaseAssignment, alice: User) -> None:
    number = opt_out(client_of_alice, OptOutSource.PERSON, by=alice)
    assert number.opted_out_by == alice
    number = text(client_of_alice, "START", later=1)
    assert (number.is_opted_out, number.opted_out_by) == (False, None)


def test_a_stop_after_a_persons_opt_out_makes_it_the_clients_own(client_of_alice: CaseAssignment, alice: User) -> None:
    """Then no person can lift it any more."""
    opt_out(client_of_alice, OptOutSource.PERSON, by=alice)
    number = text(client_of_alice, "STOP", later=5)
    assert (number.opted_out_source, number.opted_out_by) == ("keyword", None)
    assert events() == ["opted_out", "opted_out"]


def test_a_persons_opt_out_after_a_stop_leaves_it_the_clients_own(client_of_alice: CaseAssignment, alice: User) -> None:
    text(client_of_alice, "STOP")
    number = opt_out(client_of_alice, OptOutSource.PERSON, by=alice)
    assert (number.opted_out_source, events()) == ("keyword", ["opted_out"])


def test_any_other_text_changes_nothing(client_of_alice: CaseAssignment) -> None:
    assert not text(client_of_alice, "please stop texting me").is_opted_out
    text(client_of_alice, "STOP")
    assert text(client_of_alice, "never mind", later=1).is_opted_out
    assert events() == ["opted_out"]


@pytest.mark.parametrize(
    ("opt_out_type", "body", "is_opted_out"),
    [("STOP", "Detener", True), ("START", "STOP", False), ("HELP", "STOP", True), ("HELP", "help", False)],
)
def test_what_the_carrier_makes_of_the_text_counts_more_than_our_reading(
    opt_out_type: str, body: str, is_opted_out: bool, client_of_alice: CaseAssignment
) -> None:
    assert text(client_of_alice, body, opt_out_type=opt_out_type).is_opted_out is is_opted_out


def test_a_stop_that_is_older_than_the_last_start_comes_too_late(client_of_alice: CaseAssignment) -> None:
    text(client_of_alice, "STOP")
    text(client_of_alice, "START", later=10)
    assert not text(client_of_alice, "STOP", later=5).is_opted_out


def test_a_stop_that_is_older_than_a_start_comes_too_late_though_nothing_was_to_be_lifted(
    client_of_alice: CaseAssignment,
) -> None:
    text(client_of_alice, "START", later=10)
    assert not text(client_of_alice, "STOP", later=5).is_opted_out


def test_a_start_that_is_older_than_the_last_of_two_stops_lifts_nothing(client_of_alice: CaseAssignment) -> None:
    text(client_of_alice, "STOP")
    text(client_of_alice, "STOP", later=10)
    assert text(client_of_alice, "START", later=5).is_opted_out


def test_what_waits_is_held_and_nothing_else(client_of_alice: CaseAssignment, alice: User) -> None:
    waiting = [builders.make_outgoing(client_of_alice) for _ in range(2)]
    scheduled = builders.make_outgoing(client_of_alice, due_at=timezone.now() + timedelta(days=1))
    on_its_way = builders.make_outgoing(client_of_alice, state=State.SENDING)
    somebody_elses = builders.make_outgoing(builders.make_client(alice))
    text(client_of_alice, "STOP")
    held = Message.objects.filter(state="held", hold_reason="opted_out")
    assert set(held) == {*waiting, scheduled}
    assert set(Message.objects.exclude(pk__in=held)) == {on_its_way, somebody_elses}


def test_start_releases_nothing(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    text(client_of_alice, "STOP")
    text(client_of_alice, "START", later=5)
    message.refresh_from_db()
    assert message.state == "held"


def test_a_stop_from_a_number_that_was_given_up_holds_nothing(client_of_alice: CaseAssignment) -> None:
    given_up = PhoneNumber.objects.create(
        department=client_of_alice.client.department,
        client=client_of_alice.client,
        address="+18015550188",
        is_current=False,
    )
    message = builders.make_outgoing(client_of_alice)
    opt_outs.apply_text(given_up, "STOP", "", at=TEN, now=timezone.now())
    message.refresh_from_db()
    given_up.refresh_from_db()
    assert (message.state, given_up.is_opted_out) == ("waiting", True)
    assert not builders.number_of(client_of_alice).is_opted_out


def test_what_an_opt_out_holds_is_counted_for_the_list(alice: User) -> None:
    maria = builders.make_client(alice)
    for _ in range(2):
        builders.make_outgoing(maria, at=timezone.now() + timedelta(days=1))
    opt_outs.opt_out(builders.number_of(maria), source=opt_outs.OptOutSource.KEYWORD, at=TEN, now=timezone.now())
    maria.refresh_from_db()
    assert (maria.held_count, maria.scheduled_count) == (2, 0)
