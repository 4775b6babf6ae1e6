"""Reading what the product answers to an incoming text (section 5, "Reply to an inbound message"; 12.29)."""

from dataclasses import dataclass, field
from xml.etree import ElementTree

from telephony.simulator.carrier.webhooks import Result

MAX_BYTES = 64 * 1024
XML_TYPES = frozenset({"text/xml", "application/xml", "text/html", "application/twiml+xml"})

HTTP_FAILURE, BAD_XML, UNKNOWN_ELEMENT, BAD_CONTENT_TYPE, TOO_LARGE = 11200, 12100, 12200, 12300, 11750
TOO_MANY_MESSAGES = 14109
MAX_MESSAGES = 10


@dataclass(frozen=True, slots=True)
class ReplyMessage:
    """A <Message>; `to` and `sender` are "" unless the document names them."""

    body: str
    media_urls: list[str] = field(default_factory=list)
    to: str = ""
    sender: str = ""
    status_callback: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the answer asks for. `alerts`: the codes that Twilio's debugger would show."""

    messages: list[ReplyMessage] = field(default_factory=list)
    redirect: str = ""
    alerts: list[int] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether Twilio counts the webhook as failed and turns to the fallback URL."""
        return any(code in (HTTP_FAILURE, BAD_XML, BAD_CONTENT_TYPE, TOO_LARGE) for code in self.alerts)


def read_reply(result: Result) -> Reply:
    """An empty 2xx says nothing; plain text is sent to the client as it is; everything else must be TwiML."""
    if not result.ok:
        return Reply(alerts=[result.error_code or HTTP_FAILURE])
    if len(result.body) > MAX_BYTES:
        return Reply(alerts=[TOO_LARGE])
    if not result.body:
        return Reply()
    content_type = (result.content_type or "").partition(";")[0].strip().lower()
    if content_type == "text/plain":
        return Reply(messages=[ReplyMessage(result.body.decode("utf-8", "replace"))])
    if content_type not in XML_TYPES:
        return Reply(alerts=[BAD_CONTENT_TYPE])
    return _read_twiml(result.body)


def _read_twiml(document: bytes) -> Reply:
    try:
        # The document is our own product's; expat refuses entity expansion beyond bounds by itself.
        root = ElementTree.fromstring(document)  # noqa: S314
    except ElementTree.ParseError:
        return Reply(alerts=[BAD_XML])
    if root.tag != "Response":
        return Reply(alerts=[BAD_XML])
    messages: list[ReplyMessage] = []
    redirect, alerts = "", []
    for verb in root:
        if verb.tag in ("Message", "Sms"):
            messages.append(_message(verb))
        elif verb.tag == "Redirect":
            redirect = (verb.text or "").strip()
            break
        else:
            alerts.append(UNKNOWN_ELEMENT)
    if len(messages) > MAX_MESSAGES:
        alerts.append(TOO_MANY_MESSAGES)
    return Reply(messages[:MAX_MESSAGES], redirect, alerts)


def _message(verb: ElementTree.Element) -> ReplyMessage:
    bodies = [noun.text or "" for noun in verb if noun.tag == "Body"]
    return ReplyMessage(
        body="".join(bodies) if bodies else (verb.text or "").strip(),
        media_urls=[(noun.text or "").strip() for noun in verb if noun.tag == "Media"],
        to=verb.get("to", ""),
        sender=verb.get("from", ""),
        status_callback=verb.get("statusCallback") or verb.get("action") or "",
    )
