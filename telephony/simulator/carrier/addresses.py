"""Phone numbers as the carrier sees them: their shape, and what the endings of our pretend numbers stand for.

555-0100 to 555-0199 are numbers that no telephone has. Some of them always behave in the same way, so that a person or
a test can reach a landline or a phone that is off by choosing the number (any area code).
"""

import re
from enum import StrEnum

import phonenumbers

E164 = re.compile(r"\+[1-9]\d{6,14}")
NORTH_AMERICAN = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}")
SHORT_CODE = re.compile(r"\d{3,6}")
TOLL_FREE = re.compile(r"\+1(800|888|877|866|855|844|833|822)\d{7}")


class Ending(StrEnum):
    """The last seven digits of a number that always behaves in one way."""

    UNDELIVERED = "5550102"
    FAILED = "5550103"
    OPTED_OUT = "5550104"
    LANDLINE = "5550105"


MEANINGS = {
    Ending.UNDELIVERED: "phone is off: undelivered, 30003",
    Ending.FAILED: "fails for an unknown reason, 30008",
    Ending.OPTED_OUT: "texted STOP earlier: refused, 21610",
    Ending.LANDLINE: "landline: refused, 21614",
}


def ending_of(number: str) -> Ending | None:
    return next((ending for ending in Ending if number.endswith(ending)), None)


def is_phone_number(text: str) -> bool:
    """Whether this is E.164. +1 numbers must have ten digits of the North American plan."""
    shape = NORTH_AMERICAN if text.startswith("+1") else E164
    return shape.fullmatch(text) is not None


def is_short_code(text: str) -> bool:
    return SHORT_CODE.fullmatch(text) is not None


def is_toll_free(number: str) -> bool:
    """Numbers for which the network itself treats STOP and START (section 7)."""
    return TOLL_FREE.fullmatch(number) is not None


def from_typing(text: str) -> str:
    """A number as people type it, in E.164. Raises ValueError in words for the person who typed it."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        raise ValueError(f"“{text}” is not a phone number. Write it like (801) 555-0142.") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not is_phone_number(written):
        raise ValueError(f"“{text}” has too few or too many digits. Write it like (801) 555-0142.")
    return written


def for_reading(number: str) -> str:
    """(801) 555-0142 for North American numbers, +44 20 7946 0000 for others, anything else as it is."""
    if not is_phone_number(number):
        return number
    parsed = phonenumbers.parse(number)
    national = number.startswith("+1")
    style = phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)
