"""Numbers are understood in any usual writing, kept as E.164, shown as people write them; impossible ones say why."""

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts import phone_numbers
from accounts.phone_numbers import NotAPhoneNumber

NUMBER = "+18015550142"

FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))

WRITINGS = [
    "(801) 555-0142",
    "801-555-0142",
    "801.555.0142",
    "8015550142",
    "801 555 0142",
    "1 801 555 0142",
    "1-801-555-0142",
    "+1 (801) 555-0142",
    "+18015550142",
    "  801 555 0142\t",
    "tel:+1-801-555-0142",
    "801 555 0142".translate(FULL_WIDTH),
]


@pytest.mark.parametrize("typed", WRITINGS)
def test_any_usual_writing_is_understood(typed: str) -> None:
    assert phone_numbers.parse(typed) == NUMBER


def test_a_number_abroad_is_understood_with_its_country_code() -> None:
    assert phone_numbers.parse("+44 20 7946 0018") == "+442079460018"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("555-0142", "only 7 digits"),
        ("911", "only 3 digits"),
        ("801 555 01422", "too long: it has 11 digits"),
        ("(801) 155-0142", r"area code \(801\)"),
        ("(111) 555-0142", r"area code \(111\)"),
        ("801 555 0142 ext. 12", "extension"),
        ("+999 555 0142", "not a phone number"),
        ("call me", "not a phone number"),
        ("+", "not a phone number"),
        ("\0", "not a phone number"),
        ("", "not a phone number"),
        ("8" * 300, "not a phone number"),
    ],
)
def test_what_can_not_be_a_number_is_refused_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(NotAPhoneNumber, match=reason):
        phone_numbers.parse(typed)


@st.composite
def home_numbers(draw: st.DrawFn) -> str:
    """Ten digits of a number that can exist in North America."""
    area = draw(st.sampled_from(["801", "385", "435", "303", "212", "416"]))
    digits = f"{area}{draw(st.integers(2_000_000, 9_999_999))}"
    assume(phonenumbers.is_valid_number(phonenumbers.parse(digits, "US")))
    return digits


@given(
    home_numbers(), st.sampled_from(["{a}{b}{c}", "({a}) {b}-{c}", "{a}.{b}.{c}", "+1 {a} {b} {c}", "1-{a}-{b}-{c}"])
)
def test_every_writing_of_a_number_means_the_same(digits: str, writing: str) -> None:
    typed = writing.format(a=digits[:3], b=digits[3:6], c=digits[6:])
    assert phone_numbers.parse(typed) == f"+1{digits}"


@given(home_numbers())
def test_a_number_as_shown_is_understood_again(digits: str) -> None:
    assert phone_numbers.parse(phone_numbers.display(f"+1{digits}")) == f"+1{digits}"


@given(st.text() | st.from_regex(r"\+?[\d().\- ]{0,20}"))
def test_whatever_is_typed_becomes_a_textable_number_or_is_refused(typed: str) -> None:
    try:
        number = phone_numbers.parse(typed)
    except NotAPhoneNumber:
        return
    assert phone_numbers.is_phone_number(number)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+18015550142", "(801) 555-0142"),
        ("+442079460018", "+44 20 7946 0018"),
        ("32665", "32665"),
        ("ACME", "ACME"),
        ("whatsapp:+18015550142", "whatsapp:+18015550142"),
        ("+2101234567", "+2101234567"),  # no country has this code
        ("", ""),
    ],
)
def test_an_address_is_shown_as_people_write_it(address: str, shown: str) -> None:
    assert phone_numbers.display(address) == shown


@pytest.mark.parametrize("address", ["+18015550142", "+442079460018", "+8613912345678"])
def test_a_phone_number_can_be_texted(address: str) -> None:
    assert phone_numbers.is_phone_number(address)


@pytest.mark.parametrize(
    "address",
    [
        "32665",
        "ACME",
        "whatsapp:+18015550142",
        "8015550142",
        "+1801555",
        "+2101234567",
        "+0015550142",
        "+18015550142".translate(ARABIC),
        "",
    ],
)
def test_a_short_code_a_name_or_a_channel_can_not_be_texted(address: str) -> None:
    assert not phone_numbers.is_phone_number(address)


@given(st.text(max_size=64) | st.from_regex(r"\+[1-9]\d{6,14}", fullmatch=True))
def test_whatever_address_a_text_came_from_can_be_shown_and_judged(address: str) -> None:
    assert isinstance(phone_numbers.display(address), str)
    assert phone_numbers.is_phone_number(address) in (True, False)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("(801) 555-0142", "8015550142"),
        ("+1 801 555 0142", "8015550142"),
        ("1-801-555-0142", "8015550142"),
        ("555-01", "55501"),
        ("142", "142"),
        ("801.555/0142", "8015550142"),
        ("+44 20 7946 0018", "442079460018"),
        ("14", ""),
        ("A-1234", ""),
        ("Maria", ""),
        ("", ""),
    ],
)
def test_the_digits_of_a_search_are_those_of_a_part_of_a_number(typed: str, digits: str) -> None:
    assert phone_numbers.search_digits(typed) == digits
