"""How the exchange behaves: its pace and the account's modes. Kept in the state file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from telephony.simulator.database import Database

SCHEMA = "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `sent` and `delivered` count from the moment the message leaves the queue."""

    sent: float = 0.4
    delivered: float = 1.0


@dataclass(frozen=True, slots=True)
class MessagingService:
    """A Messaging Service (MG...): a pool of numbers with settings in common."""

    sid: str
    numbers: list[str]
    status_callback: str = ""
    inbound_url: str = ""
    advanced_opt_out: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The account's modes. The defaults are a plain paid account whose senders have no rate limit."""

    trial: bool = False
    verified_numbers: list[str] = field(default_factory=list)
    suspended: bool = False
    media_needs_credentials: bool = False
    segments_per_second: float | None = None
    queue_hours: float = 10.0
    concurrent_requests: int = 100
    inbound_url: str = ""
    fallback_url: str = ""
    services: list[MessagingService] = field(default_factory=list)

    def service(self, sid: str) -> MessagingService | None:
        return next((service for service in self.services if service.sid == sid), None)

    def service_of(self, number: str) -> MessagingService | None:
        return next((service for service in self.services if number in service.numbers), None)


class Settings:
    """The two of them, read once and written through."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connection
        self.reload()

    def reload(self) -> None:
        self.timing = Timing(**self._read("timing"))
        account = self._read("account")
        account["services"] = [MessagingService(**service) for service in account.get("services", [])]
        self.account = Account(**account)
        self.clock_offset = float(self._read("clock").get("offset", 0.0))

    def change_timing(self, changes: Mapping[str, Any]) -> None:
        """Raises ValueError for an unknown name or a negative time."""
        known = _known(Timing, changes)
        timing = replace(self.timing, **{name: float(value) for name, value in known.items()})
        if timing.sent < 0 or timing.delivered < timing.sent:
            raise ValueError("0 <= sent <= delivered, in seconds")
        self._write("timing", asdict(timing))

    def change_account(self, changes: Mapping[str, Any]) -> None:
        """Raises ValueError for an unknown name."""
        known = _known(Account, changes)
        if "services" in known:
            known["services"] = [MessagingService(**_known(MessagingService, service)) for service in known["services"]]
        self._write("account", asdict(replace(self.account, **known)))

    def move_clock(self, offset: float) -> None:
        self._write("clock", {"offset": offset})

    def _read(self, name: str) -> dict[str, Any]:
        row = self._connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return dict(json.loads(row["value"])) if row else {}

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        self._connection.execute("REPLACE INTO setting (name, value) VALUES (?, ?)", (name, json.dumps(value)))
        self.reload()


def _known(kind: type, changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(changes) - {item.name for item in fields(kind)}
    if unknown:
        raise ValueError(f"not a setting of {kind.__name__}: {', '.join(sorted(unknown))}")
    return dict(changes)
