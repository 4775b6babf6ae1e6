"""Twilio's error codes, mapped once to our reasons. Source: https://www.twilio.com/docs/api/errors"""

from messaging.failures import FailureReason as Reason

_CODES_BY_REASON: dict[Reason, frozenset[int]] = {
    Reason.NOT_A_MOBILE: frozenset({21614, 21635, 30006}),
    Reason.UNKNOWN_NUMBER: frozenset({30005}),
    Reason.IMPOSSIBLE_NUMBER: frozenset({21211, 21214, 21265, 21612, 21910}),
    Reason.PHONE_OFF: frozenset({30003}),
    Reason.OPTED_OUT: frozenset({21610, 30004}),
    Reason.FILTERED: frozenset({21618, 30007}),
    Reason.BLOCKED: frozenset({30018, 30410, 30450, 30610, 30640}),
    Reason.COUNTRY_OFF: frozenset({21408}),
    Reason.TOO_LONG: frozenset({21605, 21617, 30019}),
    Reason.CONGESTION: frozenset({30001, 30017, 30022, 30023, 63018}),
    Reason.EXPIRED: frozenset({30036}),
    # These two stop all sending from the number or the account (messaging.holds): the next text would fail too.
    Reason.OUR_NUMBER: frozenset({21212, 21601, 21603, 21606, 21660, 21661, 30024, 30032, 30033, 30034, 30035}),
    Reason.ACCOUNT: frozenset({20003, 20005, 30002, 63038, 90010}),
    Reason.SET_UP: frozenset(
        {20004, 20006, 20008, 21608, 21616, 21621, 21622, 21703, 21704, 21705, 21706, 30532, 30533}
        | {20404, 20409, 21602, 21604, 21609, 21619, 21620, 21623, 21624, 21654, 21656, 14103}
        | {90007, 30012, 30013, 30014, 30015, 30016, 30045}
    ),
}

_REASON_BY_CODE = {code: reason for reason, codes in _CODES_BY_REASON.items() for code in codes}

# "Never processed, always safe to retry": https://www.twilio.com/docs/api/errors/20429, 21611 (queue full), 21730.
NOT_TAKEN = frozenset({20429, 21611, 21730})


def reason_for(code: int | None) -> Reason:
    """Our reason for the code; UNEXPLAINED for those that say nothing or that we don't know."""
    return _REASON_BY_CODE.get(code or 0, Reason.UNEXPLAINED)
