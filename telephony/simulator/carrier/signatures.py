"""X-Twilio-Signature as Twilio computes it (section 5, "Signature"). Written from the rule, not with Twilio's package,
so that the product's check is held against a second implementation."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

Parameters = list[tuple[str, str]]


def signed_url(url: str) -> str:
    """The URL as it is signed: without fragment and without user:password; port and query stay."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def sign(url: str, parameters: Iterable[tuple[str, str]], token: str) -> str:
    """base64(HMAC-SHA1(token, URL + name + value of each parameter)).

    Names in byte order; of a repeated name the set of its values, sorted. For a GET or a JSON body pass no parameters.
    """
    values: dict[str, set[str]] = {}
    for name, value in parameters:
        values.setdefault(name, set()).add(value)
    text = signed_url(url)
    for name in sorted(values, key=str.encode):
        text += "".join(name + value for value in sorted(values[name]))
    digest = hmac.new(token.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def body_sha256_url(url: str, body: bytes) -> str:
    """The URL of a JSON webhook: its body is covered by `bodySHA256` in the query."""
    parts = urlsplit(url)
    extra = "bodySHA256=" + hashlib.sha256(body).hexdigest()
    query = f"{parts.query}&{extra}" if parts.query else extra
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
