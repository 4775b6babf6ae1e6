"""What messaging needs of a carrier, and the shapes in which texts cross that border.

The class named in settings.SMS_BACKEND provides it; only telephony knows who the carrier is.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from messaging.failures import FailureReason


@dataclass(frozen=True)
class OutboundText:
    """One text to hand over. Both numbers in E.164."""

    public_id: UUID
    from_number: str
    to_number: str
    body: str


@dataclass(frozen=True)
class Accepted:
    """The carrier has it and will report what becomes of it."""

    carrier_id: str


@dataclass(frozen=True)
class Refused:
    """The carrier certainly did not take it, and would not take it a second time."""

    reason: FailureReason
    error_code: int


@dataclass(frozen=True)
class NotTaken:
    """The carrier certainly did not take it (too busy, not reachable): it may be offered again."""


@dataclass(frozen=True)
class Unclear:
    """Nobody can say whether the carrier took it. Never to be offered again by a machine."""


Outcome = Accepted | Refused | NotTaken | Unclear


class ReportedState(StrEnum):
    """What the carrier says of a text it took; the same words as Message.State."""

    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


@dataclass(frozen=True)
class DeliveryReport:
    """One status callback: whose text (our public id), under which carrier id, and what became of it."""

    public_id: UUID
    carrier_id: str
    state: ReportedState
    reason: FailureReason | None = None
    error_code: int | None = None


@dataclass(frozen=True)
class InboundMedia:
    """A picture or file that waits at the carrier."""

    url: str
    content_type: str


@dataclass(frozen=True)
class InboundText:
    """One text as it came in. from_address may be a short code or a name; to_number is ours, in E.164."""

    carrier_id: str
    from_address: str
    to_number: str
    body: str
    media: tuple[InboundMedia, ...] = ()
    opt_out_type: str = ""


@dataclass(frozen=True)
class CarrierRecord:
    """One text as it stands in the carrier's own list. state: None for a word that moves nothing."""

    carrier_id: str
    our_number: str
    their_number: str
    body: str
    created_at: datetime
    state: ReportedState | None = None
    reason: FailureReason | None = None
    error_code: int | None = None


class CarrierUnreachable(Exception):
    """The carrier can't be asked now."""


class CarrierList(Protocol):
    """What the carrier knows of our texts: the second opinion where ours is missing or in doubt."""

    def outgoing_since(self, our_number: str, since: datetime) -> Iterator[CarrierRecord]:
        """The texts that went out from our number since then, newest first. Raises CarrierUnreachable."""

    def incoming_since(self, our_number: str, since: datetime) -> Iterator[tuple[InboundText, datetime]]:
        """The texts that came to our number since then, newest first, each with when. Raises CarrierUnreachable."""

    def outgoing_text(self, carrier_id: str) -> CarrierRecord | None:
        """One text of ours, however old; None if the carrier doesn't have it (any more). Raises CarrierUnreachable."""


class CarrierErasure(Protocol):
    """What the carrier can be asked to forget."""

    def erase(self, carrier_id: str, *, with_media: bool) -> bool:
        """Blanks the words of a text, and deletes its files if asked to.

        True if none are left there, also if the text is gone altogether. False if it refuses for now: the text is still
        on its way. Raises CarrierUnreachable.
        """


class SmsBackend(Protocol):
    def send(self, text: OutboundText) -> Outcome:
        """Offers the text to the carrier, for at most 20 seconds. Doesn't raise for what can go wrong on the wire."""


def get_backend() -> SmsBackend:
    """The carrier's side, one for the process (it keeps connections open)."""
    return cast(SmsBackend, _carrier())


def get_carrier_list() -> CarrierList:
    """The same carrier's list of texts."""
    return cast(CarrierList, _carrier())


def get_carrier_erasure() -> CarrierErasure:
    """The same carrier, where it is asked to forget."""
    return cast(CarrierErasure, _carrier())


@functools.cache
def _carrier() -> object:
    return import_string(settings.SMS_BACKEND)()
