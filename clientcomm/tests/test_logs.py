"""No message text and no whole phone number reaches a log line, whichever way it tries."""

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from clientcomm import logs

SECRET_TEXT = "I am at the court house"


@pytest.fixture(params=[False, True], ids=["production", "debug"])
def lines(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    written = StringIO()
    yield from _log_into(written, debug=request.param)


@pytest.fixture
def json_lines() -> Iterator[StringIO]:
    yield from _log_into(StringIO(), debug=False)


def _log_into(written: StringIO, *, debug: bool) -> Iterator[StringIO]:
    configuration = logs.configuration(debug=debug)
    formatter = logging.config.DictConfigurator(configuration).configure_formatter(configuration["formatters"]["line"])
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    logger = logging.getLogger("clientcomm.tests.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield written
    logger.removeHandler(handler)
    logger.propagate = True


def log(message: str, *args: object, **options: Any) -> None:
    logging.getLogger("clientcomm.tests.logs").warning(message, *args, **options)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("to +18015550123.", "to +*********23."),
        ("To=%2B18015550123&x", "To=*********23&x"),
        ("18015550123 said", "*********23 said"),
        ("(801) 555-0123", "(***) ***-**23"),
        ("801-555-0123", "***-***-**23"),
        ("801.555.0123,", "***.***.**23,"),
    ],
)
def test_phone_numbers_keep_two_digits(written: str, expected: str) -> None:
    assert logs.masked(written) == expected


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-22T21:30:51.123456+00:00",
        "SM0123456789abcdef0123456789abcdef",
        "6f1c2b1e-1234-4321-9876-123456789012",
        "127.0.0.1:8000",
        "took 1234 ms, 50331648 bytes",
        "/conversations/123456/",
    ],
)
def test_what_is_no_phone_number_stays_readable(harmless: str) -> None:
    assert logs.masked(harmless) == harmless


def test_numbers_in_the_message_its_arguments_and_its_fields_are_masked(lines: StringIO) -> None:
    log("from +18015550123 to %s", "+18015550124", extra={"sender": "+18015550125", "all": [("+18015550126",)]})
    assert "555" not in lines.getvalue()
    assert "23" in lines.getvalue()


@pytest.mark.parametrize("name", sorted(logs.DROPPED))
def test_fields_named_as_texts_are_dropped_however_deep(lines: StringIO, name: str) -> None:
    log("sent", extra={name: SECRET_TEXT, "form": {name: SECRET_TEXT, "deep": [{name: SECRET_TEXT}]}})
    assert SECRET_TEXT not in lines.getvalue()
    assert "sent" in lines.getvalue()


def test_the_details_of_a_database_error_are_cut_off(lines: StringIO) -> None:
    try:
        raise ValueError(f"violates check constraint\nDETAIL:  Failing row contains (1, {SECRET_TEXT}, +18015550123).")
    except ValueError:
        log("not stored", exc_info=True)
    written = lines.getvalue()
    assert SECRET_TEXT not in written
    assert "violates check constraint" in written
    assert "test_logs.py" in written


def test_a_chain_of_errors_keeps_the_first_line_of_each() -> None:
    try:
        try:
            raise ValueError(f"first\nDETAIL: {SECRET_TEXT}")
        except ValueError as error:
            raise RuntimeError("second") from error
    except RuntimeError as error:
        trace = logs.trace_without_values((RuntimeError, error, error.__traceback__))
    assert "ValueError: first" in trace
    assert "RuntimeError: second" in trace
    assert SECRET_TEXT not in trace


def test_production_writes_a_line_of_json_for_each_record(json_lines: StringIO) -> None:
    log("first\nstill first")
    log("second", extra={"message_id": 7})
    first, second = json_lines.getvalue().splitlines()
    assert json.loads(first)["event"] == "first\nstill first"
    assert json.loads(second) == {
        "at": json.loads(second)["at"],
        "event": "second",
        "level": "warning",
        "logger": "clientcomm.tests.logs",
        "message_id": 7,
    }


def test_the_access_log_has_no_query_string_and_no_referrer() -> None:
    assert not any(atom in logs.ACCESS_FORMAT for atom in ("%(q)s", "%(r)s", "%(f)s", "%(a)s"))
