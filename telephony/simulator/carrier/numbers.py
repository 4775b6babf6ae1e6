"""The account's own numbers, asked from whoever owns them and kept for some seconds."""

import asyncio
import logging

from telephony.simulator.config import PhonesConfig

logger = logging.getLogger(__name__)


class OwnNumbers:
    """`find_numbers` of the configuration, called in a thread. While it fails, the last answer holds."""

    def __init__(self, config: PhonesConfig) -> None:
        self._config = config
        self._numbers: tuple[str, ...] = ()
        self._fresh_until = 0.0
        self._asking = asyncio.Lock()

    async def all(self, *, expecting: str = "") -> tuple[str, ...]:
        """In the order given, without doubles. A kept answer without the `expecting` number isn't good enough: the
        number may have been added since."""
        async with self._asking:
            known = not expecting or expecting in self._numbers
            if self._now() >= self._fresh_until or not known:
                await self._ask()
        return self._numbers

    async def _ask(self) -> None:
        try:
            found = await asyncio.to_thread(self._config.find_numbers)
        except Exception as error:  # whatever the product's side raises, the phones go on
            logger.warning("the account's numbers could not be asked: %s", error)
        else:
            self._numbers = tuple(dict.fromkeys(number for number in found if number))
        self._fresh_until = self._now() + self._config.numbers_kept_for

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
