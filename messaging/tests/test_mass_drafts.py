"""A mass message is written, and ticked: the ticks are the author's own clients, and nobody else."""

import uuid
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from clients import routing
from clients.models import CaseAssignment, ClientStatus
from messaging.actions import mass_drafts
from messaging.actions.mass_drafts import AlreadyConfirmed, Ticks
from messaging.mass_choice import Listed, due_for_follow_up, follow_ups, read_choice, ticked_in
from messaging.models import MassMessage
from messaging.schedule import WallClock
from messaging.tests import mass as masses
from messaging.tests.mass import NOBODY, chosen, make_draft
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


def ids(*assignments: CaseAssignment) -> frozenset[int]:
    return frozenset(it.client_id for it in assignments)


def save(draft: MassMessage, body: str = "Hello", **ticks: Any) -> int:
    return mass_drafts.save_draft(draft=draft, body=body, ticks=Ticks(**ticks), when=None)


def test_the_same_key_begins_one_draft(alice: User) -> None:
    assert alice.department is not None
    begin: Any = {"by": alice, "department": alice.department, "submission_key": uuid.uuid4(), "now": timezone.now()}
    assert mass_drafts.begin_draft(ticked=NOBODY, **begin) == mass_drafts.begin_draft(ticked=NOBODY, **begin)


def test_text_and_ticks_are_kept(alice: User) -> None:
    one, two, three = (builders.make_client(alice) for _ in range(3))
    draft = make_draft(alice, [three])
    save(draft, "Hi\r\n{first name}\0", shown=ids(one, two), ticked=ids(one))
    draft.refresh_from_db()
    assert (draft.body, chosen(draft)) == ("Hi\n{first name}", set(ids(one, three)))
    save(draft, shown=ids(one, two), ticked=ids(two))
    assert chosen(draft) == set(ids(two, three))


def test_who_is_not_ones_own_is_refused_and_the_rest_is_kept(alice: User, bob: User, charlie: User) -> None:
    own, gone = builders.make_client(alice), builders.make_client(alice)
    routing.end(gone, CaseAssignment.EndReason.DELETED, timezone.now())
    others = ids(builders.make_client(bob), builders.make_client(charlie), gone) | {2**62}
    draft = make_draft(alice)
    assert save(draft, "kept", ticked=others | ids(own)) == 4
    draft.refresh_from_db()
    assert (draft.body, chosen(draft)) == ("kept", set(ids(own)))


def test_select_all_adds_everyone_who_matches_and_clears_them_again(alice: User, bob: User) -> None:
    matching = [builders.make_client(alice, last_name="Lopez") for _ in range(3)]
    other = builders.make_client(alice, last_name="Patel")
    builders.make_client(bob, last_name="Lopez")
    draft = make_draft(alice, [other])
    save(draft, everyone=True, listed=Listed(search="lopez"))
    assert chosen(draft) == set(ids(other, *matching))
    save(draft, everyone=False, listed=Listed(search="lopez"), ticked=ids(*matching), shown=ids(*matching))
    assert chosen(draft) == set(ids(other))


def test_select_all_follows_the_status(alice: User) -> None:
    status = ClientStatus.objects.get(department=alice.department, name="Inactive")
    inactive, _active = builders.make_client(alice), builders.make_client(alice)
    CaseAssignment.objects.filter(pk=inactive.pk).update(status=status)
    draft = make_draft(alice)
    save(draft, everyone=True, listed=Listed(status_id=status.pk))
    assert chosen(draft) == set(ids(inactive))


def test_thousands_of_ids_in_one_form_are_taken(alice: User) -> None:
    clients = builders.make_caseload(alice, 1_200)
    draft = make_draft(alice)
    assert save(draft, ticked=ids(*clients)) == 0
    assert len(chosen(draft)) == 1_200
    save(draft, shown=ids(*clients), ticked=ids(*clients[:3]))
    assert chosen(draft) == set(ids(*clients[:3]))


def test_what_was_confirmed_is_changed_no_more(alice: User) -> None:
    client = builders.make_client(alice)
    draft = make_draft(alice, [client], "first words")
    masses.confirm(draft)
    with pytest.raises(AlreadyConfirmed):
        save(draft, "other words", shown=ids(client))
    with pytest.raises(AlreadyConfirmed):
        mass_drafts.delete_draft(draft=draft)
    draft.refresh_from_db()
    assert (draft.body, chosen(draft)) == ("first words", set(ids(client)))


def test_a_draft_can_be_deleted(alice: User) -> None:
    mass_drafts.delete_draft(draft=make_draft(alice, [builders.make_client(alice)]))
    assert not MassMessage.objects.exists()


def test_the_time_is_kept_as_the_clock_shows_it(alice: User) -> None:
    assert alice.department is not None
    when = WallClock(date(2027, 3, 1), time(9), alice.department.zone)
    draft = make_draft(alice, when=when)
    assert (draft.scheduled_date, draft.scheduled_time, draft.scheduled_zone) == (when.date, when.time, when.zone.key)
    mass_drafts.save_draft(draft=draft, body="x", ticks=Ticks(), when=None)
    draft.refresh_from_db()
    assert (draft.scheduled_date, draft.scheduled_zone) == (None, "")


# --- The list --------------------------------------------------------------------------------------------------------


def test_who_cannot_be_texted_is_listed_with_the_reason_and_not_counted(alice: User) -> None:
    now = timezone.now()
    fine = builders.make_client(alice)
    out = builders.make_client(alice, opted_out_at=now, opted_out_source="keyword")
    wrong = builders.make_client(alice, wrong_at=now)
    short = builders.make_client(alice, address="54321")
    draft = make_draft(alice)
    save(draft, everyone=True)
    found = read_choice(alice, Listed(), ticked_in(draft), now)
    assert (found.chosen, found.total, found.matching, found.is_all) == (1, 4, 4, True)
    assert {row.client_id: row.reason for row in found.page} == {
        fine.client_id: "",
        out.client_id: "opted out",
        wrong.client_id: "the number is marked as wrong",
        short.client_id: "texts can't be sent to this kind of number",
    }


@pytest.mark.parametrize("sort", ["contact", "name", "status"])
def test_each_order_lists_everyone_once(sort: str, alice: User) -> None:
    builders.make_caseload(alice, 120)
    draft = make_draft(alice)
    pages = [read_choice(alice, Listed(sort=sort, page=page), ticked_in(draft), timezone.now()) for page in "123"]
    assert len({row.client_id for found in pages for row in found.page}) == 120


# --- Follow-ups ------------------------------------------------------------------------------------------------------


def days_ago(days: float) -> datetime:
    return builders.minutes_ago(days * 24 * 60)


def test_clients_are_due_from_five_days_before_the_deadline_on(alice: User, bob: User) -> None:
    active = ClientStatus.objects.get(department=alice.department, name="Active")
    ClientStatus.objects.filter(pk=active.pk).update(follow_up_days=30)
    contacts = {26: True, 24: False}
    due = []
    for days, is_due in contacts.items():
        contacted, never = builders.make_client(alice), builders.make_client(alice)
        CaseAssignment.objects.filter(pk=contacted.pk).update(last_contact_at=days_ago(days))
        CaseAssignment.objects.filter(pk=never.pk).update(started_at=days_ago(days))
        due += [contacted.pk, never.pk] if is_due else []
    CaseAssignment.objects.filter(pk=builders.make_client(bob).pk).update(started_at=days_ago(300))
    now = timezone.now()
    mine = CaseAssignment.objects.filter(case_manager=alice)
    assert set(mine.filter(due_for_follow_up(now)).values_list("pk", flat=True)) == set(due)
    assert [(it.status_name, it.count) for it in follow_ups(alice, now)] == [("Active", 2)]


def test_a_status_without_days_asks_for_nothing(alice: User) -> None:
    CaseAssignment.objects.filter(pk=builders.make_client(alice).pk).update(started_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert follow_ups(alice, timezone.now()) == []
