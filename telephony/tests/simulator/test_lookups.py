"""Lookup v2 (section 10)."""

import pytest
from twilio.rest import Client


def test_free_answer_says_nothing_about_the_line(twilio: Client) -> None:
    found = twilio.lookups.v2.phone_numbers("+18015550142").fetch()
    assert (found.valid, found.phone_number, found.national_format) == (True, "+18015550142", "(801) 555-0142")
    assert (found.calling_country_code, found.country_code) == ("1", "US")
    assert (found.line_type_intelligence, found.validation_errors) == (None, [])


@pytest.mark.parametrize(
    ("number", "kind"), [("+18015550142", "mobile"), ("+18015550105", "landline"), ("+18885550142", "tollFree")]
)
def test_line_type(twilio: Client, number: str, kind: str) -> None:
    found = twilio.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
    assert found.line_type_intelligence["type"] == kind


@pytest.mark.parametrize(
    ("number", "error"), [("+1801555", "TOO_SHORT"), ("+180155501421234", "TOO_LONG"), ("abc", "NOT_A_NUMBER")]
)
def test_impossible_number_is_an_answer_and_no_error(twilio: Client, number: str, error: str) -> None:
    found = twilio.lookups.v2.phone_numbers(number).fetch()
    assert (found.valid, found.validation_errors) == (False, [error])


def test_national_format_is_read_with_its_country(twilio: Client) -> None:
    found = twilio.lookups.v2.phone_numbers("8015550142").fetch(country_code="US")
    assert found.phone_number == "+18015550142"
