"""What must be true of clients is true in the database, whoever writes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

Write = Callable[[CaseAssignment], Any]


def a_second_number(assignment: CaseAssignment, **fields: Any) -> PhoneNumber:
    client = assignment.client
    return PhoneNumber.objects.create(
        **{"department": client.department, "client": client, "address": "32665"} | fields
    )


REFUSED: dict[tuple[str, str], Write] = {
    ("a number twice in a department", "phone_number_unique_in_department"): lambda mine: a_second_number(
        builders.make_client(mine.case_manager), is_current=False, address=builders.number_of(mine).address
    ),
    ("two current numbers of a client", "phone_number_one_current"): a_second_number,
    ("an empty address", "phone_number_address_not_empty"): lambda mine: a_second_number(
        mine, is_current=False, address=""
    ),
    ("an opt-out without a source", "phone_number_opt_out_has_source"): lambda mine: PhoneNumber.objects.update(
        opted_out_at=timezone.now()
    ),
    ("a source without an opt-out", "phone_number_opt_out_has_source"): lambda mine: PhoneNumber.objects.update(
        opted_out_source="keyword"
    ),
    ("two open assignments of a client", "assignment_one_open"): lambda mine: CaseAssignment.objects.create(
        client=mine.client, case_manager=builders.make_user(mine.client.department)
    ),
    ("two assignments of a pair", "assignment_one_per_pair"): lambda mine: CaseAssignment.objects.create(
        client=mine.client, case_manager=mine.case_manager, ended_at=timezone.now(), end_reason="deleted"
    ),
    ("two unclaimed assignments of a client", "assignment_one_unclaimed"): lambda mine: [
        CaseAssignment.objects.create(client=mine.client, ended_at=timezone.now(), end_reason="claimed")
        for _ in range(2)
    ],
    ("an end without a reason", "assignment_end_has_reason"): lambda mine: CaseAssignment.objects.update(
        ended_at=timezone.now()
    ),
    ("a reason without an end", "assignment_end_has_reason"): lambda mine: CaseAssignment.objects.update(
        end_reason="deleted"
    ),
    ("a negative unread count", "unread_count_check"): lambda mine: CaseAssignment.objects.update(unread_count=-1),
    ("a client merged into itself", "client_not_merged_into_itself"): lambda mine: Client.objects.update(
        merged_into=mine.client
    ),
    ("two statuses of one name", "client_status_name_unique"): lambda mine: ClientStatus.objects.create(
        department=mine.client.department, name="Active"
    ),
}


@pytest.mark.parametrize(("what", "constraint"), REFUSED)
def test_the_database_refuses(what: str, constraint: str, alice: User) -> None:
    assignment = builders.make_client(alice)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        REFUSED[what, constraint](assignment)
    if connection.vendor == "postgresql":  # SQLite names the columns instead
        assert constraint in str(refusal.value)


ALLOWED: dict[str, Write] = {
    "a number in two departments": lambda mine: builders.make_client(
        None, department=builders.make_department(), address=builders.number_of(mine).address
    ),
    "a number that was given up beside the current one": lambda mine: a_second_number(mine, is_current=False),
    "an ended assignment beside the open one": lambda mine: CaseAssignment.objects.create(
        client=mine.client,
        case_manager=builders.make_user(mine.client.department),
        ended_at=timezone.now(),
        end_reason="transferred",
    ),
    "a status of that name in another department": lambda mine: builders.make_department(),
    "an opt-out with its source": lambda mine: PhoneNumber.objects.update(
        opted_out_at=timezone.now(), opted_out_source="keyword"
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_the_database_allows(what: str, alice: User) -> None:
    assignment = builders.make_client(alice)
    ALLOWED[what](assignment)
    assert CaseAssignment.objects.filter(pk=assignment.pk, ended_at__isnull=True).exists()
