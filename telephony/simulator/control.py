"""A typed client for the pocket phones' switches: what end-to-end tests, chaos runs and benchmarks use.

phones = PocketPhones("http://127.0.0.1:8001")
phones.text("+18015550142", "+18015550100", "Running late")
arrived = phones.wait_for("+18015550142", "No problem")
assert len(phones.received("+18015550142")) == 1
"""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

LOOK_AGAIN_SECONDS = 0.03


class PhonesError(Exception):
    """The phones refused a switch, in their words."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """How the product answered one webhook; `status` is None when it didn't, `error` then says why."""

    status: int | None
    error: str
    error_code: int | None
    attempts: int
    seconds: float
    content_type: str | None
    body: str


@dataclass(frozen=True, slots=True)
class SentText:
    """A client's text: its sid in the account, and an answer for each webhook that went out."""

    sid: str
    webhooks: list[WebhookAnswer]


@dataclass(frozen=True, slots=True)
class ArrivedText:
    """A text that reached a phone. `by`: the department, or the carrier itself (its opt-out confirmations)."""

    sender: str
    body: str
    media: list[dict[str, Any]]
    message_sid: str
    by: str
    at: float


class PocketPhones:
    """The phones that run at `base_url`. `timeout` in seconds bounds each request but those for texts."""

    def __init__(self, base_url: str, *, timeout: float = 10.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout

    def text(
        self,
        from_: str,
        to: str = "",
        body: str = "",
        times: int = 1,
        *,
        media: Sequence[tuple[str, bytes]] = (),
        parameters: Mapping[str, str | None] | None = None,
        signing: Literal["right", "wrong", "old", "none"] = "right",
        as_json: bool = False,
    ) -> SentText:
        """A client texts the department; comes back when the product has answered (or was given up on).

        `to` "" is the account's first number. `times`: as many webhooks at once for the one message. `media`: pairs of
        content type and content. `parameters` changes the webhook's form (None takes one out).
        """
        files = [{"content_type": kind, "base64": base64.b64encode(content).decode()} for kind, content in media]
        wanted = {
            "from": from_, "to": to, "body": body, "times": times, "media": files,
            "parameters": dict(parameters or {}), "signing": signing, "as_json": as_json,
        }  # fmt: skip
        given = self._ask("POST", "/control/texts", wanted, timeout=90)
        return SentText(given["sid"], [WebhookAnswer(**answer) for answer in given["webhooks"]])

    def log(self, *, kind: str = "", number: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Everything on the wire, oldest first: `arrived`, `posted`, `asked`, `alert` entries."""
        entries: list[dict[str, Any]] = []
        while True:
            query = urllib.parse.urlencode({"kind": kind, "number": number, "after": after})
            more = self._ask("GET", f"/control/log?{query}")["entries"]
            if not more:
                return entries
            entries += more
            after = more[-1]["id"]

    def received(self, number: str) -> list[ArrivedText]:
        """What has reached this phone, oldest first."""
        return [_arrived(entry) for entry in self.log(kind="arrived", number=number)]

    def wait_for(self, number: str, text: str, timeout: float = 5.0) -> ArrivedText:
        """The first text on this phone that contains `text`. Raises TimeoutError with what did arrive."""
        deadline = time.monotonic() + timeout
        while True:
            arrived = self.received(number)
            for message in arrived:
                if text in message.body:
                    return message
            if time.monotonic() > deadline:
                bodies = [message.body for message in arrived]
                raise TimeoutError(f"{text!r} did not reach {number} within {timeout} s; there are {bodies}")
            time.sleep(LOOK_AGAIN_SECONDS)

    def callbacks(self, message_sid: str) -> list[str]:
        """The statuses posted for this message so far, in the order of their answers."""
        return [
            dict(entry["parameters"])["MessageStatus"]
            for entry in self.log(kind="posted")
            if entry["purpose"] == "status" and entry["message_sid"] == message_sid
        ]

    def faults(
        self,
        kind: str,
        *,
        number: str = "",
        times: int | None = 1,
        seconds: float | None = None,
        code: int | None = None,
        operation: str = "create",
    ) -> str:
        """Switch a fault on (see `carrier.faults.Kind`); gives its id. `times` None: until it is switched off."""
        wanted = {
            "kind": kind, "number": number, "times": times, "seconds": seconds, "code": code, "operation": operation,
        }  # fmt: skip
        return str(self._ask("POST", "/control/faults", wanted)["id"])

    def active_faults(self) -> list[dict[str, Any]]:
        faults: list[dict[str, Any]] = self._ask("GET", "/control/faults")["faults"]
        return faults

    def clear_faults(self, fault_id: str = "") -> None:
        """Switch one fault off, or all of them."""
        self._ask("DELETE", f"/control/faults/{fault_id}" if fault_id else "/control/faults")

    def timing(self, **seconds: float) -> None:
        """`sent`, `delivered`: seconds after the message has left the queue."""
        self._ask("POST", "/control/timing", seconds)

    def account(self, **modes: Any) -> dict[str, Any]:
        """Change the account's modes (see `carrier.settings.Account`); gives all of them."""
        return dict(self._ask("POST", "/control/account", modes))

    def advance(self, seconds: float) -> None:
        """Let time pass at the carrier."""
        self._ask("POST", "/control/clock", {"advance": seconds})

    def reset(self) -> None:
        """Forget messages, phones, opt-outs, faults and settings."""
        self._ask("POST", "/control/reset")

    def ready(self) -> dict[str, Any]:
        """`numbers` of the account; `pending`, how much is still to happen. Raises OSError while nobody listens."""
        return dict(self._ask("GET", "/control/ready"))

    def wait_until_ready(self, timeout: float = 10.0) -> None:
        """For a process that was just started. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.ready()
            except OSError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no pocket phones at {self.base_url}") from None
                time.sleep(LOOK_AGAIN_SECONDS)
            else:
                return

    def wait_until_quiet(self, timeout: float = 5.0) -> None:
        """Until nothing more is due: every message at its end, every callback posted. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while pending := self.ready()["pending"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"still {pending} to do after {timeout} s")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = 0.0) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data=data, method=method)  # noqa: S310  our own URL
        try:
            with urllib.request.urlopen(request, timeout=timeout or self._timeout) as response:  # noqa: S310
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise PhonesError(f"{error.code} {error.read().decode('utf-8', 'replace')}") from None
        return json.loads(content) if content else None


def _arrived(entry: dict[str, Any]) -> ArrivedText:
    return ArrivedText(
        sender=entry["from"],
        body=entry["body"],
        media=entry["media"],
        message_sid=entry["message_sid"],
        by=entry["by"],
        at=entry["at"],
    )
