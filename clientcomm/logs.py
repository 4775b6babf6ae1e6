"""What is logged and how it reads: a line of JSON in production, plain lines for a developer, never a person's words.

Two nets lie under the rule that nobody logs a message text: fields by the names texts go by are dropped, and phone
numbers keep only their last two digits wherever they appear, in the trace of an exception too.
"""

import logging.config
import re
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

# Django hangs the request on its records, and a request prints its query string: what was searched for.
DROPPED = frozenset({"body", "text", "message_text", "content", "notes", "password", "authorization", "request"})

# "+18015550123", also as a URL writes the plus; "18015550123"; "(801) 555-0123" and the usual ways around it.
_PHONE_NUMBER = re.compile(
    r"(?:\+|%2B)\d{7,15}(?!\d)"
    r"|(?<![\w.-])\d{10,15}(?![\w-])"
    r"|(?<![\w-])\(?\d{3}\)?[-. ]{1,2}\d{3}[-. ]\d{4}(?![\w-])",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")

# Method, path without its query string, status, bytes, milliseconds: who asked is in the proxy's log.
ACCESS_FORMAT = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"


def masked(text: str) -> str:
    """The text with every phone number in it reduced to its last two digits."""
    return _PHONE_NUMBER.sub(lambda match: _mask(match[0].removeprefix("%2B").removeprefix("%2b")), text)


def _mask(number: str) -> str:
    return _DIGIT.sub("*", number[:-2]) + number[-2:]


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: drops what may hold a text, masks what may hold a number, however deep it lies."""
    return {key: _redacted(value) for key, value in event.items() if _is_kept(key)}


def _is_kept(key: object) -> bool:
    return not (isinstance(key, str) and key.lower() in DROPPED)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items() if _is_kept(key)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(item) for item in value]
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    return masked(str(value))


def trace_without_values(exc_info: ExcInfo) -> str:
    """The trace of an exception with only the first line of each message.

    PostgreSQL puts the failing row, and with it the text, into the lines after the first ("DETAIL: Failing row ...").
    """
    trace = structlog.processors.format_exc_info(None, "", {"exc_info": exc_info})["exception"]
    return masked("\n".join(_without_details(str(trace).splitlines())))


def _without_details(lines: Iterable[str]) -> Iterable[str]:
    in_trace = False
    for line in lines:
        if line.startswith(("Traceback", "  ", "During handling", "The above exception")) or not line:
            in_trace = True
            yield line
        elif in_trace:  # the line that names the exception; those that follow it are its details
            in_trace = False
            yield line


def _render_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, tuple) and exc_info[0] is not None:
        event["exception"] = trace_without_values(exc_info)
    return event


def _processors(*, debug: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _render_exception,
        redact,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if debug else "iso", utc=not debug, key="at"),
    ]
    if debug:
        return [
            *shared,
            structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False, timestamp_key="at"),
        ]
    return [*shared, structlog.processors.JSONRenderer(sort_keys=True)]


def configuration(*, debug: bool) -> dict[str, Any]:
    """For Django's LOGGING, for gunicorn's logconfig_dict and for Celery: every process writes the same way."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": _processors(debug=debug),
                # Their work is done in the list above, for our own records and for those of libraries alike.
                "foreign_pre_chain": [],
                "keep_exc_info": False,
                "keep_stack_info": False,
            }
        },
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
        "root": {"handlers": ["stdout"], "level": "INFO"},
        "loggers": {
            # Their own handlers go: the root's writes for all.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "gunicorn.error": {"handlers": [], "level": "WARNING" if debug else "INFO", "propagate": True},
            "gunicorn.access": {"handlers": [], "level": "WARNING" if debug else "INFO", "propagate": True},
            # A tick a second says nothing; a failure says it at WARNING or above.
            "celery": {"handlers": [], "level": "WARNING" if debug else "INFO", "propagate": True},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "kombu": {"handlers": [], "level": "WARNING", "propagate": True},
            # These log addresses, and at DEBUG whole requests.
            "urllib3": {"handlers": [], "level": "WARNING", "propagate": True},
            "twilio": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


def configure(*, debug: bool) -> None:
    """For processes that start neither Django nor gunicorn's own logging first."""
    logging.config.dictConfig(configuration(debug=debug))
