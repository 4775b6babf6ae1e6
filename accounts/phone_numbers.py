"""Phone numbers: understood in any usual writing, kept as E.164, shown as people write them.

An address is whatever a text can come from: a phone number, but also a short code (32665), a name (ACME), or a channel
address (whatsapp:+1801…). Only a phone number can be texted back.
"""

import functools
import re

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

HOME_REGION = "US"
MAX_ADDRESS_LENGTH = 64

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class NotAPhoneNumber(ValueError):
    """Says in plain words why what was typed can't be a phone number."""


def parse(typed: str) -> str:
    """What a person typed, as E.164. Numbers without a country are North American.

    Raises NotAPhoneNumber with the reason.
    """
    try:
        number = phonenumbers.parse(typed, HOME_REGION)
    except NumberParseException as error:
        raise NotAPhoneNumber(_("This is not a phone number. Write it like (801) 555-0142.")) from error
    if number.extension:
        raise NotAPhoneNumber(_("A number with an extension can't receive texts. Leave the extension out."))
    if not phonenumbers.is_valid_number(number):
        raise NotAPhoneNumber(_why_impossible(number))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def parse_desk(typed: str) -> str:
    """A desk phone as E.164, with ";ext=12" behind it if an extension is dialled after the answer.

    Raises NotAPhoneNumber.
    """
    try:
        number = phonenumbers.parse(typed, HOME_REGION)
    except NumberParseException as error:
        raise NotAPhoneNumber(_("This is not a phone number. Write it like (801) 555-0142 ext. 12.")) from error
    extension, number.extension = number.extension, None
    if not phonenumbers.is_valid_number(number):
        raise NotAPhoneNumber(_why_impossible(number))
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{e164};ext={extension}" if extension else e164


def display_desk(number: str) -> str:
    """A desk phone as people write it: (801) 555-0142 ext. 12."""
    address, _separator, extension = number.partition(";ext=")
    return f"{display(address)} ext. {extension}" if extension else display(address)


def _why_impossible(number: phonenumbers.PhoneNumber) -> str:
    digits = str(number.national_number)
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return _("This number has only %(count)s digits. Is the area code there?") % {"count": len(digits)}
        case ValidationResult.TOO_LONG | ValidationResult.INVALID_LENGTH:
            return _("This number is too long: it has %(count)s digits.") % {"count": len(digits)}
        case ValidationResult.INVALID_COUNTRY_CODE:
            return _("No country has this code.")
    return _("No such number can exist. Check the area code (%(area)s) and the digits.") % {"area": digits[:3]}


def is_phone_number(address: str) -> bool:
    """Whether the address is a phone number in E.164 that can be texted (not a short code, name or channel)."""
    number = _read_address(address)
    return number is not None and phonenumbers.is_possible_number(number)


@functools.lru_cache(maxsize=20_000)  # a list shows fifty of them, the same ones on every page
def display(address: str) -> str:
    """The address as people write it: (801) 555-0142; abroad with its country code; anything else as it is."""
    number = _read_address(address)
    if number is None:
        return address
    home = number.country_code == 1
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL)


def _read_address(address: str) -> phonenumbers.PhoneNumber | None:
    """The number behind an address in E.164; None for anything else, also for a country code that no country has."""
    if not _E164.fullmatch(address):
        return None
    try:
        return phonenumbers.parse(address)
    except NumberParseException:
        return None


def search_digits(typed: str) -> str:
    """The digits of a search in any writing, for finding a part of a number. Empty if there are fewer than three."""
    if re.search(r"[^\d\s()+./-]", typed):
        return ""
    digits = re.sub(r"\D", "", typed)
    return digits.removeprefix("1") if len(digits) == 11 else digits if len(digits) >= 3 else ""
