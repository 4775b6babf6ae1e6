"""What the API shows of a message and of a media file: strings, RFC 2822 dates, relative URIs (12.4)."""

from typing import Any

from telephony.simulator.carrier.media import Media
from telephony.simulator.carrier.messages import Direction, Message, Status
from telephony.simulator.clock import rfc2822

VERSION = "2010-04-01"

ERROR_MESSAGES = {
    21610: "Attempt to send to unsubscribed recipient",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30019: "Content size exceeds carrier limit",
    30036: "Validity period expired",
    11200: "HTTP retrieval failure",
    12300: "Invalid Content-Type",
}


def message_uri(account_sid: str, sid: str) -> str:
    return f"/{VERSION}/Accounts/{account_sid}/Messages/{sid}"


def message_resource(message: Message, account_sid: str) -> dict[str, Any]:
    """num_segments is "0" until a Messaging Service has begun to send."""
    waiting = message.status in (Status.ACCEPTED, Status.SCHEDULED)
    uri = message_uri(account_sid, message.sid)
    return {
        "account_sid": account_sid,
        "api_version": VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created_at),
        "date_sent": None if message.sent_at is None else rfc2822(message.sent_at),
        "date_updated": rfc2822(message.updated_at),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": ERROR_MESSAGES.get(message.error_code or 0),
        "from": message.sender,
        "messaging_service_sid": message.service_sid,
        "num_media": str(message.media),
        "num_segments": "0" if waiting and message.direction != Direction.INBOUND else str(message.segments),
        "price": message.price,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.recipient,
        "uri": f"{uri}.json",
    }


def media_resource(media: Media, account_sid: str) -> dict[str, Any]:
    return {
        "account_sid": account_sid,
        "content_type": media.content_type or None,
        "date_created": rfc2822(media.created_at),
        "date_updated": rfc2822(media.created_at),
        "parent_sid": media.message_sid,
        "sid": media.sid,
        "uri": f"{message_uri(account_sid, media.message_sid)}/Media/{media.sid}.json",
    }
