"""What of an earlier conversation is read after a transfer, and by whom."""

from datetime import datetime

import pytest
from django.http import Http404
from django.utils import timezone

from accounts.models import Department, User
from clients import routing
from clients.models import CaseAssignment, ClientStatus, ConversationEvent
from messaging import access
from messaging.actions import claiming
from messaging.models import Message
from messaging.talk import EventItem, MessageItem, read_talk
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def moved(alice: User, bob: User) -> CaseAssignment:
    """Alice's client, transferred to Bob half an hour ago; both have written. Gives Bob's assignment."""
    alices = builders.make_client(alice)
    ConversationEvent.objects.create(client=alices.client, kind="added", by=alice, at=builders.minutes_ago(120))
    builders.make_outgoing(alices, "from Alice", state=Message.State.DELIVERED, at=builders.minutes_ago(60))
    at = builders.minutes_ago(30)
    routing.end(alices, CaseAssignment.EndReason.TRANSFERRED, at)
    ConversationEvent.objects.create(
        client=alices.client, kind="transferred", by=alice, from_person=alice, to_person=bob, at=at, reason="on leave"
    )
    bobs = CaseAssignment.objects.create(client=alices.client, case_manager=bob, started_at=at)
    builders.make_outgoing(bobs, "from Bob", state=Message.State.FAILED, at=builders.minutes_ago(10))
    return bobs


def seen_by(reader: User, client_id: int, now: datetime | None = None) -> list[str]:
    shown = access.conversation_for(reader, client_id)
    talk = read_talk(shown.assignment, reader=reader, now=now or timezone.now())
    items = [item for day in talk.days for item in day.items]
    return [item.body if isinstance(item, MessageItem) else item.text for item in items]


TRANSFER = "Transferred from Alice Adams to Bob Brown: on leave"


def test_the_new_one_reads_what_was_before(bob: User, moved: CaseAssignment) -> None:
    assert seen_by(bob, moved.client_id) == ["Added by Alice Adams", "from Alice", TRANSFER, "from Bob"]


def test_a_department_can_switch_that_off(bob: User, supervisor: User, moved: CaseAssignment) -> None:
    moved.client.department.shows_earlier_history = False
    moved.client.department.save()
    bob.refresh_from_db()
    supervisor.refresh_from_db()
    assert seen_by(bob, moved.client_id) == [TRANSFER, "from Bob"]
    assert seen_by(supervisor, moved.client_id) == ["Added by Alice Adams", "from Alice", TRANSFER, "from Bob"]


def test_the_former_one_reads_the_own_time_alone(alice: User, moved: CaseAssignment) -> None:
    ConversationEvent.objects.create(client=moved.client, kind="opted_out")
    assert seen_by(alice, moved.client_id) == ["Added by Alice Adams", "from Alice", TRANSFER]


def test_what_was_before_is_for_reading_only(bob: User, moved: CaseAssignment) -> None:
    alices = CaseAssignment.objects.get(client=moved.client, case_manager__full_name="Alice Adams")
    builders.make_outgoing(alices, "failed for Alice", state=Message.State.FAILED, at=builders.minutes_ago(50))
    talk = read_talk(access.conversation_for(bob, moved.client_id).assignment, reader=bob, now=timezone.now())
    items = [item for day in talk.days for item in day.items if not isinstance(item, EventItem)]
    assert {item.body: bool(item.choices) for item in items} == {
        "from Alice": False,
        "failed for Alice": False,
        "from Bob": True,
    }


def test_a_stranger_reads_nothing(charlie: User, moved: CaseAssignment) -> None:
    third = builders.make_user(moved.client.department, "Tom Third")
    for reader in (charlie, third):
        with pytest.raises(Http404):
            access.conversation_for(reader, moved.client_id)


def test_older_pages_begin_at_any_message_that_is_seen(bob: User, alice: User, moved: CaseAssignment) -> None:
    builders.make_talk(moved, 60)
    first = read_talk(moved, reader=bob, now=timezone.now())
    assert first.oldest_id is not None
    older = read_talk(moved, reader=bob, now=timezone.now(), before=first.oldest_id)
    bodies = [item.body for day in older.days for item in day.items if isinstance(item, MessageItem)]
    assert "from Alice" in bodies


def test_while_nobody_has_the_client_the_department_sees_what_came_since_then(
    moved: CaseAssignment, alice: User, supervisor: User
) -> None:
    """Bob's account is closed: what he and Alice wrote is not for everybody."""
    colleague = builders.make_user(moved.client.department, "Carl Colleague")
    routing.end(moved, CaseAssignment.EndReason.LEFT, builders.minutes_ago(5))
    unclaimed = routing.unclaimed(moved.client, builders.minutes_ago(4))
    builders.make_incoming(unclaimed, "anybody there?")
    assert seen_by(colleague, moved.client_id) == ["anybody there?"]
    assert seen_by(supervisor, moved.client_id) == [
        "Added by Alice Adams", "from Alice", TRANSFER, "from Bob", "anybody there?",
    ]  # fmt: skip


@pytest.mark.parametrize("shows_earlier", [True, False])
def test_who_claims_reads_what_was_before_if_the_department_allows_it(
    shows_earlier: bool, moved: CaseAssignment, department: Department
) -> None:
    colleague = builders.make_user(department, "Carl Colleague")
    routing.end(moved, CaseAssignment.EndReason.LEFT, builders.minutes_ago(5))
    builders.make_incoming(routing.unclaimed(moved.client, builders.minutes_ago(4)), "anybody there?")
    Department.objects.update(shows_earlier_history=shows_earlier)
    colleague.refresh_from_db()
    status = ClientStatus.objects.filter(department=department).first()
    assert status is not None
    details = claiming.Details("Maria", "Lopez", status)
    claiming.claim(client_id=moved.client_id, details=details, by=colleague, now=timezone.now())
    before = ["Added by Alice Adams", "from Alice", TRANSFER, "from Bob"] if shows_earlier else []
    assert seen_by(colleague, moved.client_id) == [*before, "anybody there?", "Claimed by Carl Colleague"]
