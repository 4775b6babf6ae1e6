"""Getting the product's MediaUrl from the outside: HEAD, then GET, without credentials (section 9, 12.33)."""

from dataclasses import dataclass

import aiohttp

from telephony.simulator.carrier.journal import Journal
from telephony.simulator.carrier.media import MediaStore
from telephony.simulator.carrier.messages import Message
from telephony.simulator.carrier.webhooks import Webhooks

MAX_TOTAL_BYTES = 5_000_000
TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
# jpeg, gif and png are passed on as they are; these too, within 500 KB.
ACCEPTED = ("image/", "video/", "audio/", "text/vcard", "text/x-vcard", "text/csv", "text/calendar", "application/pdf")

NOT_RETRIEVED, WRONG_TYPE, TOO_LARGE = 11200, 12300, 30019


@dataclass(frozen=True, slots=True)
class Fetched:
    content_type: str
    content: bytes
    error_code: int | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class MediaFetch:
    """Fetches an outbound message's media into the media store."""

    webhooks: Webhooks
    media: MediaStore
    journal: Journal

    async def fetch(self, message: Message) -> int | None:
        """Fetch all of the message's files; gives the error code that fails the message, or None."""
        total = 0
        for media in self.media.of(message.sid):
            fetched = await self._get(media.source_url, message)
            total += len(fetched.content)
            if fetched.error_code:
                return fetched.error_code
            if total > MAX_TOTAL_BYTES:
                return TOO_LARGE
            self.media.fill(media.sid, content_type=fetched.content_type, content=fetched.content)
        return None

    async def _get(self, url: str, message: Message) -> Fetched:
        statuses: list[int] = []
        try:
            async with self.webhooks.session.head(url, timeout=TIMEOUT, allow_redirects=True) as head:
                statuses.append(head.status)
            async with self.webhooks.session.get(url, timeout=TIMEOUT) as response:
                statuses.append(response.status)
                content = await response.read()
                content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        except (aiohttp.ClientError, OSError, ValueError):
            fetched = Fetched("", b"", NOT_RETRIEVED)
        else:
            fetched = _judged(content_type, content, max(statuses))
        self.journal.add(
            "posted", number=message.recipient, purpose="media", url=url, parameters=[], message_sid=message.sid,
            statuses=statuses, content_type=fetched.content_type, error_code=fetched.error_code,
        )  # fmt: skip
        return fetched


def _judged(content_type: str, content: bytes, worst_status: int) -> Fetched:
    if worst_status >= 400:
        return Fetched(content_type, b"", NOT_RETRIEVED)
    if not content_type.startswith(ACCEPTED):
        return Fetched(content_type, b"", WRONG_TYPE)
    return Fetched(content_type, content)
