"""HTTP Basic with the account's sid and one of its tokens (12.1)."""

import hmac
from enum import StrEnum

from aiohttp import BasicAuth, web

from telephony.simulator.api.errors import ApiError
from telephony.simulator.config import PhonesConfig


class Caller(StrEnum):
    """Whose credentials a request carries."""

    ACCOUNT = "account"
    TEST = "test"


def caller_of(request: web.Request, config: PhonesConfig) -> Caller:
    """Raises ApiError 20003 without good credentials. Tokens are compared in constant time."""
    try:
        given = BasicAuth.decode(request.headers.get("Authorization", ""))
    except ValueError:
        raise ApiError(20003) from None
    if given.login == config.account_sid and any(_same(given.password, token) for token in config.auth_tokens):
        return Caller.ACCOUNT
    if given.login == config.test_account_sid and _same(given.password, config.test_auth_token):
        return Caller.TEST
    raise ApiError(20003)


def check_account(request: web.Request, account_sid: str) -> None:
    """Another account's path doesn't exist for this caller: ApiError 20404."""
    if request.match_info.get("account", account_sid) != account_sid:
        raise ApiError(20404, path=request.path)


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
