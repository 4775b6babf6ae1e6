"""Texts of mass messages keep the pace of their department's number; single ones take from it and never wait."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from time_machine import travel

from accounts.models import Department, User
from messaging import claims, due
from messaging.claims import Claim, PutOff
from messaging.due import NotYet
from messaging.models import Message, SenderNumber
from tests import builders
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

NOON = datetime(2026, 3, 3, 19, tzinfo=UTC)  # in Denver, within texting hours
MASS, SINGLE = Message.Priority.MASS, Message.Priority.SINGLE


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with travel(NOON, tick=False):
        yield


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def wait_for(case_manager: User, count: int = 1, *, segments: int = 1, priority: int = MASS) -> list[int]:
    messages = [
        builders.make_outgoing(builders.make_client(case_manager), at=NOON, priority=priority) for _ in range(count)
    ]
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(segments=segments)
    return [message.pk for message in messages]


def set_pace(rate: float | None) -> None:
    Department.objects.update(segments_per_second=None if rate is None else Decimal(str(rate)))


def claimed_at(now: datetime) -> int | None:
    taken = claims.claim_next(now)
    assert not isinstance(taken, PutOff)
    return taken.message_id if isinstance(taken, Claim) else None


def test_mass_texts_go_one_by_one_at_the_pace(alice: User) -> None:
    set_pace(2)
    first, second, third = wait_for(alice, 3)
    assert claimed_at(after(0)) == first
    assert claims.claim_next(after(0.2)) == NotYet(after(0.5))
    assert (claimed_at(after(0.5)), claimed_at(after(0.9)), claimed_at(after(1))) == (second, None, third)
    assert claims.claim_next(after(2)) is None


def test_a_text_in_several_parts_takes_as_many_turns(alice: User) -> None:
    wait_for(alice, 2, segments=3)
    claims.claim_next(NOON)
    assert claims.claim_next(after(1)) == NotYet(after(3))


def test_without_a_limit_they_go_at_once(alice: User) -> None:
    set_pace(None)
    ids = wait_for(alice, 3)
    assert [claimed_at(NOON) for _ in ids] == ids
    assert not SenderNumber.objects.exists()


def test_a_limit_that_was_lifted_delays_nothing(alice: User, department: Department) -> None:
    SenderNumber.objects.create(department=department, next_mass_at=after(60))
    set_pace(None)
    (only,) = wait_for(alice)
    assert claimed_at(NOON) == only


def test_single_texts_wait_for_no_pace_and_push_it_on(alice: User) -> None:
    singles, (mass,) = wait_for(alice, 3, priority=SINGLE), wait_for(alice)
    assert [claimed_at(NOON) for _ in singles] == singles
    assert claims.claim_next(after(0.5)) == NotYet(after(3))
    assert claimed_at(after(3)) == mass


def test_a_text_that_is_taken_a_little_late_moves_none_behind_it(alice: User) -> None:
    wait_for(alice, 3)
    for moment in (0, 1.02):
        claims.claim_next(after(moment))
    assert claims.claim_next(after(1.5)) == NotYet(after(2))


def test_time_in_which_nothing_went_out_is_not_made_up_for(alice: User) -> None:
    wait_for(alice, 3)
    claims.claim_next(NOON)
    claims.claim_next(after(60))
    found = claims.claim_next(after(60))
    assert isinstance(found, NotYet)
    assert after(60.9) < found.until <= after(61)


def test_one_department_does_not_wait_for_anothers_pace(alice: User, charlie: User) -> None:
    (ours, later), (theirs,) = wait_for(alice, 2), wait_for(charlie)
    assert {claimed_at(NOON), claimed_at(NOON)} == {ours, theirs}
    assert (claimed_at(NOON), claimed_at(after(1))) == (None, later)


def test_a_department_without_a_limit_leaves_anothers_moment_alone(alice: User, charlie: User) -> None:
    wait_for(alice, 5)
    Department.objects.update(segments_per_second=None)
    Department.objects.filter(people=charlie).update(segments_per_second=1)
    (theirs,) = wait_for(charlie)
    assert claimed_at(NOON) == theirs


def test_a_loop_may_leave_mass_texts_alone(alice: User) -> None:
    wait_for(alice)
    (single,) = wait_for(alice, priority=SINGLE)
    assert getattr(claims.claim_next(NOON, with_mass=False), "message_id", None) == single
    assert claims.claim_next(after(5), with_mass=False) is None


def test_a_claim_says_whether_it_is_a_mass_text(alice: User) -> None:
    wait_for(alice)
    taken = claims.claim_next(NOON)
    assert isinstance(taken, Claim)
    assert taken.is_mass


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [True, False])
def test_of_loops_that_come_at_the_same_moment_one_gets_it(
    alice: User, department: Department, *, is_known: bool
) -> None:
    if is_known:
        SenderNumber.objects.create(department=department)
    wait_for(alice, 6)
    taken = at_once(lambda: claims.claim_next(NOON), times=6)
    assert len([claim for claim in taken if isinstance(claim, Claim)]) == 1


@pytest.mark.django_db(transaction=True)
def test_single_texts_of_a_new_department_at_the_same_moment_all_go_and_all_count(
    alice: User, department: Department
) -> None:
    wait_for(alice, 6, priority=SINGLE)
    taken = at_once(lambda: claims.claim_next(NOON), times=6)
    assert len([claim for claim in taken if isinstance(claim, Claim)]) == 6
    assert SenderNumber.objects.get(department=department).next_mass_at == after(6)


@pytest.mark.postgresql
def test_a_look_reads_one_end_of_an_index_however_many_wait(bob: User, department: Department) -> None:
    """Ten thousand that wait for the morning are passed over, and what is ahead of a text is looked up."""
    caseload = builders.make_caseload(bob, 200)
    Message.objects.bulk_create(
        Message(
            department=department,
            client_id=assignment.client_id,
            assignment=assignment,
            direction="out",
            state="waiting",
            priority=priority,
            due_at=NOON,
            try_at=after(3600),
        )
        for priority in (MASS, SINGLE)
        for assignment in caseload * 25
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
        for which in (due._SINGLE, due._OF_MASS):
            values: dict[str, datetime | int] = {"now": NOON, "gap_before": after(-3600), "department": department.pk}
            cursor.execute(f"EXPLAIN {due._read_statement(which)}", values)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Index Scan using message_due_" in plan, plan
            assert "Index Scan on message_ahead" in plan, plan
            assert "Seq Scan on messaging_message" not in plan, plan
