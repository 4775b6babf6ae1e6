"""Why a text did not go out, in our words: the reason, what it means, and whether trying again can help.

The carrier's error codes are mapped to these once, in telephony.errors.
"""

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class FailureReason(models.TextChoices):
    NOT_A_MOBILE = "not_a_mobile", _("this number can't receive texts")
    UNKNOWN_NUMBER = "unknown_number", _("this number doesn't exist any more")
    IMPOSSIBLE_NUMBER = "impossible_number", _("this is not a phone number that can be texted")
    PHONE_OFF = "phone_off", _("the phone was off or out of reach for long")
    BLOCKED = "blocked", _("the client's phone company blocked it")
    FILTERED = "filtered", _("the phone company took it for spam")
    OPTED_OUT = "opted_out", _("this client has opted out by replying STOP")
    COUNTRY_OFF = "country_off", _("texts to this country are switched off")
    TOO_LONG = "too_long", _("the text is too long")
    CONGESTION = "congestion", _("the phone network was overloaded")
    EXPIRED = "expired", _("it waited too long at the phone company")
    OUR_NUMBER = "our_number", _("the department's number is not set up for this")
    ACCOUNT = "account", _("ClientComm's account with the phone company has a problem")
    SET_UP = "set_up", _("ClientComm made a mistake")
    UNEXPLAINED = "unexplained", _("the phone company gives no reason")


@dataclass(frozen=True)
class Advice:
    """What the case manager can do about a failed text."""

    next_step: str | Promise
    can_try_again: bool


_ASK_NUMBER = _("Ask the client for another number.")
_TELL_ADMINISTRATOR = _("Tell your administrator; sending it again won't help until this is settled.")
_TRY_LATER = _("You can send it again.")

ADVICE: dict[FailureReason, Advice] = {
    FailureReason.NOT_A_MOBILE: Advice(_("It may be a landline. Ask the client for a mobile number."), False),
    FailureReason.UNKNOWN_NUMBER: Advice(_("Somebody else may get this number. Check it with the client."), False),
    FailureReason.IMPOSSIBLE_NUMBER: Advice(_("Check the number."), False),
    FailureReason.PHONE_OFF: Advice(_("Send it again later, or reach the client another way."), True),
    FailureReason.BLOCKED: Advice(_("Reach the client another way; their phone company may have to allow us."), False),
    FailureReason.FILTERED: Advice(_("Leave out links, and write it in other words."), False),
    FailureReason.OPTED_OUT: Advice(_("They can text START to come back."), False),
    FailureReason.COUNTRY_OFF: Advice(_TELL_ADMINISTRATOR, False),
    FailureReason.TOO_LONG: Advice(_("Send it in two texts."), False),
    FailureReason.CONGESTION: Advice(_TRY_LATER, True),
    FailureReason.EXPIRED: Advice(_TRY_LATER, True),
    FailureReason.OUR_NUMBER: Advice(_TELL_ADMINISTRATOR, False),
    FailureReason.ACCOUNT: Advice(_TELL_ADMINISTRATOR, False),
    FailureReason.SET_UP: Advice(_TELL_ADMINISTRATOR, False),
    FailureReason.UNEXPLAINED: Advice(_("You can send it again, or reach the client another way."), True),
}


class HoldReason(models.TextChoices):
    """Why a text waits for a person."""

    OPTED_OUT = "opted_out", _("this client has opted out by replying STOP")
    WRONG_NUMBER = "wrong_number", _("this number is marked as wrong")
    NOT_TEXTABLE = "not_textable", _("texts can't be sent to this kind of number")
    NO_CLIENT = "no_client", _("the client is no longer on a list")
    NO_CASE_MANAGER = "no_case_manager", _("the case manager's account is closed")
    TOO_LATE = "too_late", _("it could not be sent in time")
