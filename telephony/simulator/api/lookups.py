"""Lookup v2: what is known of a number (section 10). 555-0105 numbers are landlines, toll-free ones tollFree, the rest
mobile; "valid" says nothing about whether anybody can be reached."""

import phonenumbers
from aiohttp import web
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from telephony.simulator.api.edge import Call, operation
from telephony.simulator.carrier.addresses import Ending, ending_of, is_toll_free

VALIDATION_ERRORS = {
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "TOO_SHORT",
}
PACKAGES = (
    "caller_name", "sim_swap", "call_forwarding", "line_status", "identity_match", "reassigned_number",
    "sms_pumping_risk",
)  # fmt: skip


async def fetch(call: Call) -> web.Response:
    """Without `Fields` the answer is free and says nothing about the line; a number that cannot be one is no error."""
    given, query = call.request.match_info["number"], call.request.query
    base = f"{call.exchange.config.base_url}/v2/PhoneNumbers/"
    unknown = dict.fromkeys(("calling_country_code", "country_code", "national_format", "line_type_intelligence"))
    found: dict[str, object] = {**dict.fromkeys(PACKAGES), **unknown, "phone_number": given, "url": base + given}
    try:
        number = phonenumbers.parse(given, query.get("CountryCode", "US"))
    except NumberParseException:
        return web.json_response({**found, "valid": False, "validation_errors": ["NOT_A_NUMBER"]})
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    error = VALIDATION_ERRORS.get(phonenumbers.is_possible_number_with_reason(number))
    found |= {
        "calling_country_code": str(number.country_code),
        "country_code": phonenumbers.region_code_for_country_code(number.country_code or 0),
        "phone_number": written,
        "national_format": phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        "valid": error is None,
        "validation_errors": [error] if error else [],
        "url": base + written,
    }
    if "line_type_intelligence" in query.get("Fields", "").split(","):
        found["line_type_intelligence"] = _line(written)
    return web.json_response(found)


def _line(number: str) -> dict[str, object]:
    kind = "mobile"
    if ending_of(number) == Ending.LANDLINE:
        kind = "landline"
    elif is_toll_free(number):
        kind = "tollFree"
    return {
        "type": kind,
        "carrier_name": "Pocket phones",
        "mobile_country_code": "310" if kind == "mobile" else None,
        "mobile_network_code": "555" if kind == "mobile" else None,
        "error_code": None,
    }


ROUTES = [web.get("/v2/PhoneNumbers/{number}", operation("lookup", fetch))]
