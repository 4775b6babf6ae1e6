"""The exchange's clock: seconds since 1970 (UTC), with an offset that tests move forward."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime


class Clock:
    """Real time plus an offset, so that ten hours in a queue needn't be waited for."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        return time.time() + self.offset


def rfc2822(seconds: float) -> str:
    """A moment as Twilio writes it: `Thu, 24 Aug 2023 05:01:45 +0000` (section 1)."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC))
