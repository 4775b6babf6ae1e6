"""Hold the pocket phones' answers against Twilio's own OpenAPI description, in development only:

    python -m telephony.simulator.openapi_check path/to/twilio_api_v2010.json

Starts phones of its own, asks each operation of the Messages API, and prints where an answer differs from its schema
(fields missing or unknown, types, patterns, enum values), which operations and parameters are not there. Ends with
status 1 if an answer differs. No test needs this, since the file isn't in the repository.
"""

import argparse
import json
import re
import sys
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from telephony.simulator.threaded import ACCOUNT_SID, NUMBERS, TOKENS, RunningPhones, phones_in_thread

CLIENT = "+18015550142"
SERVICE = "MG" + "5e" * 16
# Until what was created has been sent, or has failed for want of its picture.
SETTLING_SECONDS = 0.5
PREFIX = "/2010-04-01/Accounts/{AccountSid}/Messages"
TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "object": (dict,), "array": (list,)}

# Parameters of the create call that are taken, as what they do shows nowhere on the phones' side of the wire.
WITHOUT_EFFECT = {
    "MaxPrice": "obsolete since 2024-06-03",
    "ForceDelivery": "reserved",
    "PersistentAction": "of other channels than SMS and MMS",
    "FallbackFrom": "of other channels than SMS and MMS",
    "ProvideFeedback": "only announces a request to Feedback",
    "Attempt": "only counted in Twilio's reports",
    "RiskCheck": "no protection against pumping is imitated, so none can be switched off",
    "TrafficType": "all traffic is free",
    "ShortenUrls": "only with a domain of one's own, which no service here has",
    "ApplicationSid": "only with a TwiML application, and there is none here",
    "ContentRetention": "only for accounts where Twilio switched it on",
    "AddressRetention": "only for accounts where Twilio switched it on",
}

Schema = dict[str, Any]


class Description:
    """The parts of the OpenAPI file that this check needs."""

    def __init__(self, path: Path) -> None:
        self._whole = json.loads(path.read_text())

    def answer_of(self, operation_id: str) -> Schema:
        """The schema of an operation's successful answer."""
        (operation,) = (found for _, _, found in self.operations() if found["operationId"] == operation_id)
        (good,) = (answer for status, answer in operation["responses"].items() if status.startswith("2"))
        schema: Schema = good["content"]["application/json"]["schema"]
        return schema

    def resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def operations(self) -> Iterator[tuple[str, str, Schema]]:
        for path, methods in self._whole["paths"].items():
            if path.startswith(PREFIX):
                yield from (
                    (method.upper(), path, methods[method]) for method in ("get", "post", "delete") if method in methods
                )

    def form_parameters(self, operation: Schema) -> list[str]:
        body = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
        return list(body.get("schema", {}).get("properties", {}))


def differences(value: Any, schema: Schema, description: Description, where: str) -> Iterator[str]:
    """What is wrong with a value by its schema, in words."""
    schema = description.resolved(schema)
    if value is None:
        if not schema.get("nullable"):
            yield f"{where} is null"
        return
    if "enum" in schema:
        if value not in schema["enum"]:
            yield f"{where} is {value!r}, not one of {schema['enum']}"
        return
    if not isinstance(value, TYPES[schema["type"]]):
        yield f"{where} is {value!r}, no {schema['type']}"
        return
    if "pattern" in schema and not re.fullmatch(schema["pattern"].strip("^$"), str(value)):
        yield f"{where} is {value!r}, which doesn't match {schema['pattern']}"
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from differences(item, schema["items"], description, f"{where}[{place}]")
    properties = schema.get("properties", {})
    if isinstance(value, dict) and properties:
        yield from (f"{where}.{name} is missing" for name in properties.keys() - value.keys())
        yield from (f"{where}.{name} is not in the description" for name in value.keys() - properties.keys())
        for name in properties.keys() & value.keys():
            yield from differences(value[name], properties[name], description, f"{where}.{name}")


class Account:
    """Asks the API of phones that run for this check alone."""

    def __init__(self, running: RunningPhones) -> None:
        self._base_url = running.config.base_url
        self.messages = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"

    def ask(self, method: str, path: str, **form: str) -> Any:
        data = urlencode(form).encode() if form else None
        credentials = b64encode(f"{ACCOUNT_SID}:{TOKENS[0]}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}"}
        request = urllib.request.Request(self._base_url + path, data=data, method=method, headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310  our own address
            return json.loads(response.read())


def answers(running: RunningPhones) -> Iterator[tuple[str, str, Any]]:
    """Each kind of answer: what was asked, by which operation, and what came back."""
    account = Account(running)
    running.control.timing(sent=0, delivered=0)
    running.control.account(services=[{"sid": SERVICE, "numbers": list(NUMBERS)}])
    text = {"To": CLIENT, "From": NUMBERS[0], "Body": "Hello"}
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    through = {"To": CLIENT, "MessagingServiceSid": SERVICE, "Body": "Hello"}
    created = account.ask("POST", f"{account.messages}.json", **text)
    with_media = account.ask("POST", f"{account.messages}.json", **text, MediaUrl="http://127.0.0.1:9/y.png")
    scheduled = account.ask("POST", f"{account.messages}.json", **through, ScheduleType="fixed", SendAt=later)
    picture = running.control.text(CLIENT, body="See", media=[("image/png", b"PNG")]).sid
    yield "create", "CreateMessage", created
    yield "create with media", "CreateMessage", with_media
    yield "create through a service", "CreateMessage", account.ask("POST", f"{account.messages}.json", **through)
    yield "schedule", "CreateMessage", scheduled
    cancelled = account.ask("POST", f"{account.messages}/{scheduled['sid']}.json", Status="canceled")
    time.sleep(SETTLING_SECONDS)
    yield "cancel", "UpdateMessage", cancelled
    yield "fetch", "FetchMessage", account.ask("GET", f"{account.messages}/{created['sid']}.json")
    yield "list", "ListMessage", account.ask("GET", f"{account.messages}.json")
    yield "page of a list", "ListMessage", account.ask("GET", f"{account.messages}.json?PageSize=1")
    files = account.ask("GET", f"{account.messages}/{picture}/Media.json")
    yield "list of media", "ListMedia", files
    file = files["media_list"][0]["sid"]
    yield "fetch media", "FetchMedia", account.ask("GET", f"{account.messages}/{picture}/Media/{file}.json")


def missing(description: Description, running: RunningPhones) -> Iterator[str]:
    """Operations that are refused as unknown, and form parameters that the source never names."""
    source = "".join(path.read_text() for path in (Path(__file__).parent / "api").glob("*.py"))
    for method, path, operation in description.operations():
        if "Feedback" in path:
            yield f"{method} {path} ({operation['operationId']}) is not there"
            continue
        given = [name for name in description.form_parameters(operation) if name not in WITHOUT_EFFECT]
        ignored = [name for name in given if f'"{name}"' not in source]
        if ignored:
            yield f"{operation['operationId']} takes and ignores {', '.join(ignored)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("openapi", type=Path, help="Twilio's twilio_api_v2010.json")
    description = Description(parser.parse_args().openapi)
    with (
        tempfile.TemporaryDirectory() as folder,
        phones_in_thread(product_url="http://127.0.0.1:9", state=Path(folder) / "state.sqlite3") as running,
    ):
        wrong = [
            f"{asked}: {difference}"
            for asked, operation_id, answer in answers(running)
            for difference in differences(answer, description.answer_of(operation_id), description, asked)
        ]
        left_out = list(missing(description, running))
    idle = [f"{name}: {why}" for name, why in WITHOUT_EFFECT.items()]
    lines = ["Answers that differ:", *(wrong or ["none"]), "", "Left out:", *(left_out or ["nothing"])]
    lines += ["", "Parameters taken without effect:", *idle]
    print("\n".join(lines))  # noqa: T201  what it is for
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
