"""Collects what every logger says, also what its level would hold back: for tests of what must never be said."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Collector(logging.Handler):
    """Keeps each record as a log file would have it: message, arguments, trace."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
        self.lines.append(f"{self._formatter.format(record)} {extra or ''}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


_USUAL = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "request"}


@contextmanager
def everything_logged() -> Iterator[Collector]:
    """All loggers at DEBUG, all their records in one place."""
    collector = Collector()
    loggers = [logging.getLogger(), *(it for it in logging.root.manager.loggerDict.values() if _is_logger(it))]
    levels = [(logger, logger.level) for logger in loggers if isinstance(logger, logging.Logger)]
    for logger, _ in levels:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(collector)
    try:
        yield collector
    finally:
        logging.getLogger().removeHandler(collector)
        for logger, level in levels:
            logger.setLevel(level)


def _is_logger(it: object) -> bool:
    return isinstance(it, logging.Logger)
