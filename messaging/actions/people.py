"""Closing a person's account. Moving their clients, which must come first, moves scheduled texts too."""

from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from clients.models import CaseAssignment, Client

NAMED_AT_MOST = 10


class HasActiveClients(Exception):
    """Texts of these clients would reach nobody. The first names, and how many clients there are."""

    def __init__(self, person: User, names: list[str], count: int) -> None:
        super().__init__(person.pk)
        self.person, self.names, self.count = person, names, count


class OwnAccount(Exception):
    """Nobody closes the own account: the last operator would be out for good."""


@transaction.atomic
def disable_person(*, person: User, by: User, now: datetime) -> User:
    """The person is out at the next request and can't sign in. Raises HasActiveClients, OwnAccount.

    Who gives somebody a client locks that person first, and looks; a text that brings back a deleted client locks only
    the client. So both are locked here, in the order of docs/adr/0004: no client comes to a closed account.
    """
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    if not person.is_active:
        return person
    if person == by:
        raise OwnAccount
    ever_theirs = Client.objects.filter(assignments__case_manager=person).order_by("pk")
    list(ever_theirs.select_for_update(of=("self",), no_key=True).values_list("pk"))
    refuse_with_active_clients(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    audit.record("person.disabled", f"user:{person.pk}", by=by, department=person.department, now=now)
    return person


def refuse_with_active_clients(person: User) -> None:
    """Raises HasActiveClients if the person still works with anybody."""
    active = CaseAssignment.objects.filter(case_manager=person, ended_at__isnull=True)
    first = active.select_related("client").order_by("client__last_name", "client__first_name", "client_id")
    names = [str(assignment.client) for assignment in first[:NAMED_AT_MOST]]
    if names:
        raise HasActiveClients(person, names, count=active.count())
