"""Mark unread: the newest text of the client stands as unread again, for its case manager alone."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment
from messaging import notifications
from messaging.actions.reading import mark_read, mark_unread
from messaging.models import Message
from messaging.tests.pages import source, words
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(alice: User) -> CaseAssignment:
    """Two texts of hers, both read, and an answer."""
    assignment = builders.make_client(alice)
    builders.make_incoming(assignment, "first", at=builders.minutes_ago(9))
    builders.make_incoming(assignment, "second", at=builders.minutes_ago(5))
    builders.make_outgoing(assignment, "answer", state=Message.State.DELIVERED, at=builders.minutes_ago(1))
    mark_read(assignment=assignment, up_to=2**60, now=timezone.now())
    return assignment


def unread(assignment: CaseAssignment) -> list[str]:
    incoming = Message.objects.filter(client=assignment.client_id, direction="in", read_at__isnull=True)
    return list(incoming.values_list("body", flat=True))


def address(assignment: CaseAssignment) -> str:
    return f"/conversations/{assignment.client_id}/unread/"


@pytest.mark.embedded
def test_the_newest_text_is_unread_again_and_the_list_says_so(as_alice: Browser, maria: CaseAssignment) -> None:
    page = as_alice.post(address(maria), follow=True)
    assert unread(maria) == ["second"]
    maria.refresh_from_db()
    assert maria.unread_count == 1
    assert page.redirect_chain[-1][0] == "/"
    assert "Marked as unread: Maria Lopez" in source(page)
    assert "1 unread" in words(page)


def test_no_mail_tells_of_what_was_seen_already(as_alice: Browser, alice: User, maria: CaseAssignment) -> None:
    User.objects.filter(pk=alice.pk).update(notifications_from=builders.minutes_ago(99))
    CaseAssignment.objects.update(started_at=builders.minutes_ago(99))
    as_alice.post(address(maria))
    assert notifications.tell_at_once(now=timezone.now() + timedelta(minutes=5)) == 0
    builders.make_incoming(maria, "third")
    assert notifications.tell_at_once(now=timezone.now() + timedelta(minutes=5)) == 1


def test_who_was_not_told_of_what_is_unread_still_is(as_alice: Browser, alice: User, maria: CaseAssignment) -> None:
    User.objects.filter(pk=alice.pk).update(notifications_from=builders.minutes_ago(99))
    CaseAssignment.objects.update(started_at=builders.minutes_ago(99))
    Message.objects.filter(body="first").update(read_at=None)
    as_alice.post(address(maria))
    assert notifications.tell_at_once(now=timezone.now() + timedelta(minutes=5)) == 1


def test_twice_is_as_once(as_alice: Browser, maria: CaseAssignment) -> None:
    for _time in range(2):
        as_alice.post(address(maria))
    assert unread(maria) == ["second"]


def test_older_ones_that_are_unread_stay_so(as_alice: Browser, maria: CaseAssignment) -> None:
    Message.objects.filter(body="first").update(read_at=None)
    as_alice.post(address(maria))
    assert sorted(unread(maria)) == ["first", "second"]
    maria.refresh_from_db()
    assert maria.unread_count == 2


def test_without_a_text_of_the_client_it_says_so(as_alice: Browser, alice: User) -> None:
    assignment = builders.make_client(alice)
    page = as_alice.post(address(assignment), follow=True)
    assert "There is no text from this client to mark as unread." in source(page)
    assert "Mark unread" not in words(as_alice.get(f"/conversations/{assignment.client_id}/"))


def test_the_button_stands_in_ones_own_conversation_only(
    as_alice: Browser, as_supervisor: Browser, maria: CaseAssignment
) -> None:
    page = f"/conversations/{maria.client_id}/"
    assert f'action="{address(maria)}"' in source(as_alice.get(page))
    assert f'action="{address(maria)}"' not in source(as_supervisor.get(page))


def test_nobody_else_can(
    as_bob: Browser, as_charlie: Browser, as_supervisor: Browser, anonymous: Browser, maria: CaseAssignment
) -> None:
    for browser in (as_bob, as_charlie, as_supervisor):
        assert browser.post(address(maria)).status_code == 404
    assert anonymous.post(address(maria)).status_code == 302
    assert unread(maria) == []


def test_in_a_former_conversation_nothing_becomes_unread(as_alice: Browser, maria: CaseAssignment) -> None:
    routing.end(maria, CaseAssignment.EndReason.DELETED, timezone.now())
    assert as_alice.post(address(maria)).status_code == 404
    assert unread(maria) == []


def test_a_client_who_just_went_elsewhere_keeps_what_was_read(alice: User, bob: User, maria: CaseAssignment) -> None:
    """The page found the client on the list; the transfer came first."""
    CaseAssignment.objects.filter(pk=maria.pk).update(case_manager=bob)
    assert not mark_unread(assignment=maria, by=alice, now=timezone.now())
    routing.end(CaseAssignment.objects.get(pk=maria.pk), CaseAssignment.EndReason.DELETED, timezone.now())
    assert not mark_unread(assignment=maria, by=bob, now=timezone.now())
    assert unread(maria) == []
