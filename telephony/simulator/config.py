"""What the pocket phones are told at their start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

INBOUND_PATH = "/webhooks/twilio/sms/"


@dataclass(frozen=True, kw_only=True)
class PhonesConfig:
    """The account, where the product is, and where the state is kept.

    `auth_tokens`: the first is the primary one, which signs webhooks; the API takes any of them.
    `find_numbers`: gives the account's own numbers in E.164. It may block: it is called in a thread and its answer is
    kept for `numbers_kept_for` seconds.
    """

    account_sid: str
    auth_tokens: Sequence[str]
    product_url: str
    state: Path
    find_numbers: Callable[[], Sequence[str]]
    numbers_kept_for: float = 5.0
    host: str = "127.0.0.1"
    port: int = 8001
    test_account_sid: str = "AC" + "7e57" * 8
    test_auth_token: str = "test-credentials"  # noqa: S105  the emulator's own, opens nothing

    @property
    def base_url(self) -> str:
        """Where the phones are reached: the start of every media URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def inbound_url(self) -> str:
        """Where the product takes incoming texts."""
        return self.product_url.rstrip("/") + INBOUND_PATH
