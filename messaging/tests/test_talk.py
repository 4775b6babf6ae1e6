"""A conversation as its page shows it: in order, by day, fifty at a time, in the department's time zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Department, User
from clients.models import CaseAssignment, ConversationEvent
from messaging import talk
from messaging.models import Attachment, Message
from messaging.talk import EventItem, MessageItem, Talk
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

State = Message.State
NOON = datetime(2026, 3, 3, 19, tzinfo=UTC)  # in Denver


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


def read(assignment: CaseAssignment, *, before: int | None = None, reader: User | None = None) -> Talk:
    who = reader or assignment.case_manager
    assert who is not None
    return talk.read_talk(assignment, reader=who, now=timezone.now(), before=before)


def items(shown: Talk) -> list[MessageItem | EventItem]:
    return [item for day in shown.days for item in day.items]


def bodies(shown: Talk) -> list[str]:
    return [item.body for item in items(shown) if isinstance(item, MessageItem)]


def only_message(assignment: CaseAssignment, **reading: Any) -> MessageItem:
    (item,) = items(read(assignment, **reading))
    assert isinstance(item, MessageItem)
    return item


def event(assignment: CaseAssignment, kind: str, at: datetime, *, by: User | None = None) -> ConversationEvent:
    return ConversationEvent.objects.create(client=assignment.client, kind=kind, at=at, by=by)


def test_an_empty_conversation_is_empty(client_of_alice: CaseAssignment) -> None:
    shown = read(client_of_alice)
    assert (shown.days, shown.oldest_id, shown.latest_incoming_id, shown.has_unread) == ([], None, None, False)


def test_messages_stand_in_order_of_time(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, "second", at=NOON)
    builders.make_incoming(client_of_alice, "third", at=NOON + timedelta(seconds=1))
    builders.make_incoming(client_of_alice, "first", at=NOON - timedelta(seconds=1))
    assert bodies(read(client_of_alice)) == ["first", "second", "third"]


def test_messages_of_the_same_moment_keep_their_order_of_arrival(client_of_alice: CaseAssignment) -> None:
    for number in range(5):
        builders.make_incoming(client_of_alice, str(number), at=NOON)
    assert bodies(read(client_of_alice)) == ["0", "1", "2", "3", "4"]


def test_days_are_those_of_the_department(client_of_alice: CaseAssignment) -> None:
    midnight = datetime(2026, 3, 4, 7, tzinfo=UTC)  # in Denver
    builders.make_incoming(client_of_alice, "late", at=midnight - timedelta(minutes=1))
    builders.make_incoming(client_of_alice, "early", at=midnight)
    shown = read(client_of_alice)
    assert [day.key for day in shown.days] == ["2026-03-03", "2026-03-04"]
    assert [day.name for day in shown.days] == ["Tuesday, March 3, 2026", "Wednesday, March 4, 2026"]


def test_times_are_those_of_the_department(client_of_alice: CaseAssignment, charlie: User) -> None:
    builders.make_incoming(client_of_alice, at=NOON)
    assert only_message(client_of_alice).time == "12:00 pm"
    assert only_message(client_of_alice).full_time == "Tuesday, March 3, 2026, 12:00 pm (America/Denver)"
    Department.objects.exclude(pk=client_of_alice.client.department_id).update(time_zone="America/New_York")
    in_new_york = builders.make_client(User.objects.get(pk=charlie.pk))
    builders.make_incoming(in_new_york, at=NOON)
    assert only_message(in_new_york).time == "2:00 pm"


def test_the_hour_that_comes_twice_in_autumn_stays_in_order(client_of_alice: CaseAssignment) -> None:
    """At 2 am on November 1 the clocks go back: 1:50 am comes before 1:10 am."""
    builders.make_incoming(client_of_alice, "1:50 summer time", at=datetime(2026, 11, 1, 7, 50, tzinfo=UTC))
    event(client_of_alice, "opted_out", datetime(2026, 11, 1, 8, 5, tzinfo=UTC))
    builders.make_incoming(client_of_alice, "1:10 winter time", at=datetime(2026, 11, 1, 8, 10, tzinfo=UTC))
    assert [item.time for item in items(read(client_of_alice))] == ["1:50 am", "1:05 am", "1:10 am"]
    assert bodies(read(client_of_alice)) == ["1:50 summer time", "1:10 winter time"]


def test_fifty_are_shown_and_the_rest_page_by_page_without_a_gap(client_of_alice: CaseAssignment) -> None:
    messages = [builders.make_incoming(client_of_alice, str(n), at=NOON + timedelta(minutes=n)) for n in range(120)]
    newest = read(client_of_alice)
    older = read(client_of_alice, before=newest.oldest_id)
    oldest = read(client_of_alice, before=older.oldest_id)
    assert bodies(newest) == [str(n) for n in range(70, 120)]
    assert bodies(older) == [str(n) for n in range(20, 70)]
    assert bodies(oldest) == [str(n) for n in range(20)]
    assert (newest.oldest_id, older.oldest_id, oldest.oldest_id) == (messages[70].pk, messages[20].pk, None)


def test_exactly_fifty_have_no_older_ones(client_of_alice: CaseAssignment) -> None:
    builders.make_talk(client_of_alice, 50)
    shown = read(client_of_alice)
    assert (len(bodies(shown)), shown.oldest_id) == (50, None)


def test_paging_loses_nothing_when_all_came_at_one_moment(client_of_alice: CaseAssignment) -> None:
    for number in range(60):
        builders.make_incoming(client_of_alice, str(number), at=NOON)
    newest = read(client_of_alice)
    older = read(client_of_alice, before=newest.oldest_id)
    assert bodies(older) + bodies(newest) == [str(number) for number in range(60)]


def test_an_unknown_edge_shows_the_newest(client_of_alice: CaseAssignment, alice: User) -> None:
    builders.make_incoming(client_of_alice, "newest")
    foreign = builders.make_incoming(builders.make_client(alice))
    for before in (foreign.pk, 2**62):
        assert bodies(read(client_of_alice, before=before)) == ["newest"]


def test_each_event_stands_on_one_page_between_its_messages(client_of_alice: CaseAssignment, alice: User) -> None:
    for number in range(60):
        builders.make_incoming(client_of_alice, str(number), at=NOON + timedelta(minutes=number))
    event(client_of_alice, "added", NOON - timedelta(days=1), by=alice)
    event(client_of_alice, "opted_out", NOON + timedelta(minutes=10))  # at the first message of the newest page
    event(client_of_alice, "opted_in", NOON + timedelta(minutes=30, seconds=1))
    newest = read(client_of_alice)
    older = read(client_of_alice, before=newest.oldest_id)
    assert [item.text for item in items(older) if isinstance(item, EventItem)] == ["Added by Alice Adams"]
    assert isinstance(items(older)[0], EventItem)
    texts = [item.body if isinstance(item, MessageItem) else item.text for item in items(newest)]
    assert texts[1].startswith("Opted out")
    assert texts[texts.index("30") + 1].startswith("Opted in")


@pytest.mark.parametrize(
    ("kind", "by", "text"),
    [
        ("added", True, "Added by Alice Adams"),
        ("restored", True, "Back on the list of Alice Adams"),
        ("restored", False, "Back on the list: a text came"),
        ("opted_out", False, "Opted out: no texts can be sent until the client texts START"),
        ("opted_in", False, "Opted in again by texting START"),
    ],
)
def test_events_are_told_in_words(kind: str, by: bool, text: str, client_of_alice: CaseAssignment, alice: User) -> None:
    made = event(client_of_alice, kind, NOON, by=alice if by else None)
    (item,) = items(read(client_of_alice))
    assert isinstance(item, EventItem)
    assert (item.text, item.time, item.dom_id) == (text, "12:00 pm", f"event-{made.pk}")


def test_an_outgoing_text_names_its_author_for_everybody_else(
    client_of_alice: CaseAssignment, supervisor: User
) -> None:
    builders.make_outgoing(client_of_alice)
    assert only_message(client_of_alice).author_name == ""
    assert only_message(client_of_alice, reader=supervisor).author_name == "Alice Adams"


def test_an_incoming_text_is_unread_until_it_is_marked(client_of_alice: CaseAssignment) -> None:
    message = builders.make_incoming(client_of_alice)
    shown = read(client_of_alice)
    assert (shown.has_unread, shown.latest_incoming_id) == (True, message.pk)
    assert only_message(client_of_alice).is_unread
    Message.objects.update(read_at=timezone.now())
    assert not read(client_of_alice).has_unread
    assert not only_message(client_of_alice).is_unread


def test_the_page_knows_its_newest_incoming_text(client_of_alice: CaseAssignment) -> None:
    incoming = [builders.make_incoming(client_of_alice, at=NOON + timedelta(minutes=n)) for n in (2, 1)]
    builders.make_outgoing(client_of_alice, at=NOON + timedelta(minutes=3))
    assert read(client_of_alice).latest_incoming_id == max(message.pk for message in incoming)


def test_cancelled_texts_are_not_shown(client_of_alice: CaseAssignment) -> None:
    builders.make_outgoing(client_of_alice, "cancelled", state=State.CANCELLED)
    assert bodies(read(client_of_alice)) == []


@pytest.mark.parametrize(("minutes", "is_late"), [(4.9, False), (5.1, True)])
def test_a_text_that_was_long_on_its_way_says_so(
    minutes: float, is_late: bool, client_of_alice: CaseAssignment
) -> None:
    message = builders.make_incoming(client_of_alice, at=NOON)
    Message.objects.filter(pk=message.pk).update(state_at=NOON + timedelta(minutes=minutes))
    assert only_message(client_of_alice).is_late is is_late


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("image/jpeg", "Picture (can't be shown here yet)"),
        ("video/mp4", "Video (can't be shown here yet)"),
        ("audio/amr", "Audio (can't be shown here yet)"),
        ("text/vcard", "File (can't be shown here yet)"),
        ("", "File (can't be shown here yet)"),
    ],
)
def test_attachments_are_named_by_their_kind(content_type: str, name: str, client_of_alice: CaseAssignment) -> None:
    message = builders.make_incoming(client_of_alice)
    Attachment.objects.create(message=message, position=0, carrier_url="https://carrier/1", content_type=content_type)
    assert [file.name for file in only_message(client_of_alice).media] == [name]


def outgoing(assignment: CaseAssignment, *states: Message.State, apart: int = 10) -> list[bool]:
    """Whether each of these texts, sent some seconds apart, shows its state."""
    for number, state in enumerate(states):
        at = NOON + timedelta(seconds=apart * number)
        if state is State.RECEIVED:
            builders.make_incoming(assignment, at=at)
        else:
            builders.make_outgoing(assignment, state=state, at=at)
    return [item.show_state for item in items(read(assignment)) if isinstance(item, MessageItem) and item.is_outgoing]


@pytest.mark.parametrize(
    ("states", "apart", "shown"),
    [
        ([State.DELIVERED, State.DELIVERED, State.DELIVERED], 10, [False, False, True]),
        ([State.DELIVERED, State.DELIVERED], 60, [True, True]),
        ([State.DELIVERED, State.WAITING], 10, [True, True]),
        ([State.DELIVERED, State.RECEIVED, State.DELIVERED], 10, [True, True]),
        ([State.FAILED, State.FAILED], 10, [True, True]),
    ],
)
def test_a_state_is_shown_once_for_texts_of_one_minute_but_a_problem_always(
    states: list[Message.State], apart: int, shown: list[bool], client_of_alice: CaseAssignment
) -> None:
    assert outgoing(client_of_alice, *states, apart=apart) == shown


def test_a_day_has_a_key_that_sorts(client_of_alice: CaseAssignment) -> None:
    builders.make_incoming(client_of_alice, at=NOON)
    (day,) = read(client_of_alice).days
    assert date.fromisoformat(day.key) == date(2026, 3, 3)
