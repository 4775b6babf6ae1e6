"""What a client and a number say of themselves."""

import pytest
from django.utils import timezone

from clients.models import CaseAssignment, Client, ClientStatus, ConversationEvent, PhoneNumber


@pytest.mark.parametrize(
    ("first", "last", "full"),
    [("Maria", "Lopez", "Maria Lopez"), ("", "Lopez", "Lopez"), ("Maria", "", "Maria"), ("", "", "")],
)
def test_a_clients_name_is_as_much_of_it_as_is_known(first: str, last: str, full: str) -> None:
    assert Client(first_name=first, last_name=last).full_name == full


def test_an_unclaimed_client_is_named_by_its_row() -> None:
    assert str(Client(pk=7)) == "client 7"
    assert str(Client(pk=7, last_name="Lopez")) == "Lopez"


def test_a_number_is_shown_as_people_write_it_but_not_in_logs() -> None:
    number = PhoneNumber(pk=7, address="+18015550142")
    assert number.display == "(801) 555-0142"
    assert "555" not in str(number)


@pytest.mark.parametrize(
    ("address", "textable"),
    [
        ("+18015550142", True),
        ("32665", False),
        ("ACME", False),
        ("whatsapp:+18015550142", False),
        ("+2101234567", False),
    ],
)
def test_only_a_phone_number_can_be_texted(address: str, textable: bool) -> None:
    assert PhoneNumber(address=address).can_be_texted is textable


def test_the_marks_on_a_number_say_what_they_mean() -> None:
    marked = PhoneNumber(opted_out_at=timezone.now(), wrong_at=timezone.now())
    assert (marked.is_opted_out, marked.is_wrong) == (True, True)
    assert (PhoneNumber().is_opted_out, PhoneNumber().is_wrong) == (False, False)


def test_an_assignment_is_open_until_it_ends() -> None:
    assert CaseAssignment(pk=7).is_open
    assert not CaseAssignment(ended_at=timezone.now()).is_open


def test_names_in_the_operators_lists() -> None:
    assert str(ClientStatus(name="Active")) == "Active"
    assert str(CaseAssignment(pk=7)) == "assignment 7"
    assert str(ConversationEvent(pk=7, kind="added")) == "added 7"
