"""Every code of Twilio's about a text means something on purpose: a reason of ours, "later", or no business of ours."""

import pytest

from messaging.failures import ADVICE, FailureReason
from telephony import errors

Reason = FailureReason

# From Twilio's error dictionary: what a text of ours can be refused with, and what the case manager is told.
REASONS = {
    20003: Reason.ACCOUNT, 20004: Reason.SET_UP, 20005: Reason.ACCOUNT, 20006: Reason.SET_UP, 20008: Reason.SET_UP,
    30002: Reason.ACCOUNT, 63038: Reason.ACCOUNT, 90010: Reason.ACCOUNT,
    21211: Reason.IMPOSSIBLE_NUMBER, 21265: Reason.IMPOSSIBLE_NUMBER, 21612: Reason.IMPOSSIBLE_NUMBER,
    21910: Reason.IMPOSSIBLE_NUMBER,
    21614: Reason.NOT_A_MOBILE, 21635: Reason.NOT_A_MOBILE, 30006: Reason.NOT_A_MOBILE,
    30005: Reason.UNKNOWN_NUMBER,
    30003: Reason.PHONE_OFF,
    21610: Reason.OPTED_OUT, 30004: Reason.OPTED_OUT,
    21618: Reason.FILTERED, 30007: Reason.FILTERED,
    30018: Reason.BLOCKED, 30410: Reason.BLOCKED, 30450: Reason.BLOCKED, 30610: Reason.BLOCKED, 30640: Reason.BLOCKED,
    21408: Reason.COUNTRY_OFF,
    21605: Reason.TOO_LONG, 21617: Reason.TOO_LONG, 30019: Reason.TOO_LONG,
    30001: Reason.CONGESTION, 30017: Reason.CONGESTION, 30022: Reason.CONGESTION, 30023: Reason.CONGESTION,
    63018: Reason.CONGESTION,
    30036: Reason.EXPIRED,
    21212: Reason.OUR_NUMBER, 21601: Reason.OUR_NUMBER, 21603: Reason.OUR_NUMBER, 21606: Reason.OUR_NUMBER,
    21608: Reason.SET_UP, 21616: Reason.SET_UP, 21621: Reason.SET_UP, 21622: Reason.SET_UP,
    21660: Reason.OUR_NUMBER, 21661: Reason.OUR_NUMBER, 21703: Reason.SET_UP, 21704: Reason.SET_UP,
    21705: Reason.SET_UP, 21706: Reason.SET_UP, 30024: Reason.OUR_NUMBER, 30032: Reason.OUR_NUMBER,
    30033: Reason.OUR_NUMBER, 30034: Reason.OUR_NUMBER, 30035: Reason.OUR_NUMBER, 30532: Reason.SET_UP,
    30533: Reason.SET_UP,
    20404: Reason.SET_UP, 20409: Reason.SET_UP, 21602: Reason.SET_UP, 21604: Reason.SET_UP, 21609: Reason.SET_UP,
    21619: Reason.SET_UP, 21620: Reason.SET_UP, 21623: Reason.SET_UP, 21624: Reason.SET_UP, 21654: Reason.SET_UP,
    21656: Reason.SET_UP, 14103: Reason.SET_UP, 90007: Reason.SET_UP, 30012: Reason.SET_UP, 30013: Reason.SET_UP,
    30014: Reason.SET_UP, 30015: Reason.SET_UP, 30016: Reason.SET_UP, 30045: Reason.SET_UP,
    # The carrier itself doesn't know: a person may send it once more.
    30008: Reason.UNEXPLAINED, 30020: Reason.UNEXPLAINED, 30021: Reason.UNEXPLAINED,
}  # fmt: skip

# Certainly not taken: offered again by the machine, so nobody reads a reason.
OFFERED_AGAIN = {20429, 21611, 21730}

# In the same table, and never said of a text as we send them.
NOT_SAID_OF_OUR_TEXTS = {
    20001: "a warning about a parameter that nobody knows",
    20500: "comes with a 5xx: unclear, whatever the code",
    20503: "comes with a 5xx: unclear, whatever the code",
    21215: "a call", 21219: "a call", 13227: "a call",
    13214: "a call", 13223: "a call", 13224: "a call", 13225: "a call",
    30009: "an incoming text",
    30010: "a limit on the price, which is gone since 2024",
    30011: "a picture, which we don't send yet",
    30025: "a warning", 30026: "a warning", 30027: "a warning",
    30039: "an incoming text",
    35111: "the carrier's own scheduling", 35114: "the carrier's own scheduling", 35115: "the carrier's own scheduling",
    35117: "the carrier's own scheduling", 35118: "the carrier's own scheduling", 35125: "the carrier's own scheduling",
    63005: "another channel", 63007: "another channel", 63016: "another channel", 63024: "another channel",
    80901: "another product",
    11200: "our webhook", 11205: "our webhook", 11206: "our webhook", 11210: "our webhook", 11215: "our webhook",
    11220: "our webhook", 11235: "our webhook", 11237: "our webhook",
    11750: "our TwiML", 11751: "our TwiML", 12100: "our TwiML", 12200: "our TwiML", 12300: "our TwiML",
    12400: "our TwiML", 14101: "our TwiML", 14104: "our TwiML", 14107: "our TwiML", 14108: "our TwiML",
    14109: "our TwiML", 14111: "our TwiML",
}  # fmt: skip


@pytest.mark.parametrize(("code", "reason"), REASONS.items())
def test_each_code_has_its_reason(code: int, reason: FailureReason) -> None:
    assert errors.reason_for(code) is reason
    assert code not in errors.NOT_TAKEN


def test_those_that_are_safe_to_repeat_are_these() -> None:
    assert errors.NOT_TAKEN == OFFERED_AGAIN
    assert all(errors.reason_for(code) is Reason.UNEXPLAINED for code in OFFERED_AGAIN)


@pytest.mark.parametrize("code", [*NOT_SAID_OF_OUR_TEXTS, 0, -1, 99999, None])
def test_what_is_not_said_of_our_texts_or_unknown_is_unexplained(code: int | None) -> None:
    assert errors.reason_for(code) is Reason.UNEXPLAINED


def test_no_code_has_two_reasons_and_none_is_forgotten_here() -> None:
    listed = [code for codes in errors._CODES_BY_REASON.values() for code in codes]
    assert len(listed) == len(set(listed))
    # 21214 is about calls, but harmless to know.
    explained = {code for code, reason in REASONS.items() if reason is not Reason.UNEXPLAINED}
    assert set(listed) - {21214} == explained


@pytest.mark.parametrize("code", [21610, 30004, 20003, 21606, 30007, 30034])
def test_what_repeating_makes_worse_is_not_offered_to_be_sent_again(code: int) -> None:
    assert not ADVICE[errors.reason_for(code)].can_try_again
