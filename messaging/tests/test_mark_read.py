"""Read marks: those named, or all up to the one named; never one that came later, never a colleague's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment
from messaging.actions.reading import mark_read
from messaging.models import Message
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def client_of_alice(alice: User) -> CaseAssignment:
    return builders.make_client(alice)


@pytest.fixture
def three(client_of_alice: CaseAssignment) -> list[Message]:
    """Unread texts, the oldest first."""
    return [builders.make_incoming(client_of_alice, at=builders.minutes_ago(9 - number)) for number in range(3)]


def unread() -> list[Message]:
    return list(Message.objects.filter(read_at__isnull=True).order_by("pk"))


def test_up_to_a_message_means_it_and_all_before(client_of_alice: CaseAssignment, three: list[Message]) -> None:
    now = timezone.now()
    assert mark_read(assignment=client_of_alice, up_to=three[1].pk, now=now) == 2
    assert unread() == [three[2]]
    assert Message.objects.get(pk=three[0].pk).read_at == now
    client_of_alice.refresh_from_db()
    assert client_of_alice.unread_count == 1


def test_those_named_are_marked_and_no_others(client_of_alice: CaseAssignment, three: list[Message]) -> None:
    assert mark_read(assignment=client_of_alice, messages=[three[0].pk, three[2].pk], now=timezone.now()) == 2
    assert unread() == [three[1]]


def test_nothing_named_marks_nothing(client_of_alice: CaseAssignment, three: list[Message]) -> None:
    assert mark_read(assignment=client_of_alice, now=timezone.now()) == 0
    assert unread() == three


def test_a_second_mark_changes_nothing(client_of_alice: CaseAssignment, three: list[Message]) -> None:
    first = timezone.now()
    mark_read(assignment=client_of_alice, up_to=three[2].pk, now=first)
    assert mark_read(assignment=client_of_alice, up_to=three[2].pk, now=first + timedelta(minutes=5)) == 0
    assert set(Message.objects.values_list("read_at", flat=True)) == {first}


def test_messages_of_other_conversations_are_left_alone(
    client_of_alice: CaseAssignment, three: list[Message], alice: User
) -> None:
    other = builders.make_incoming(builders.make_client(alice))
    mark_read(assignment=client_of_alice, up_to=other.pk, messages=[other.pk], now=timezone.now())
    assert unread() == [other]


def test_outgoing_texts_are_not_read(client_of_alice: CaseAssignment) -> None:
    message = builders.make_outgoing(client_of_alice)
    assert mark_read(assignment=client_of_alice, up_to=message.pk, now=timezone.now()) == 0
