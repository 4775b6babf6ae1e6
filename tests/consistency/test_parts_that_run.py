"""Whoever rings for a task, or lists it in beat's schedule, names one that exists."""

import re
from typing import Any

import pytest

from clientcomm.celery import app
from tests.consistency import tree


@pytest.fixture(scope="module")
def tasks() -> set[str]:
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


@pytest.mark.parametrize("entry", app.conf.beat_schedule.items(), ids=lambda entry: entry[0])
def test_an_entry_of_the_schedule_names_a_task_and_does_not_pile_up(
    entry: tuple[str, dict[str, Any]], tasks: set[str]
) -> None:
    _name, values = entry
    assert values["task"] in tasks
    assert values["options"]["expires"] > 0, "ticks that nobody heard must not pile up in the broker"


def test_every_task_is_ticked_for_so_that_a_lost_ring_loses_nothing(tasks: set[str]) -> None:
    ticked_for = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert tasks - ticked_for == set()


def test_whoever_rings_names_a_task(tasks: set[str]) -> None:
    rung = {
        name for path in tree.product_modules() for name in re.findall(r"\bring\(\s*\"([\w.]+)\"", path.read_text())
    }
    assert rung
    assert rung - tasks == set()


def test_nothing_is_queued_with_a_time_or_as_the_only_copy_of_work() -> None:
    """The database is the mailbox; Celery is only the doorbell (docs/adr/0002)."""
    pattern = re.compile(r"\.(delay|apply_async|s|si)\(|\b(countdown|eta)=|send_task\(")
    allowed = {"accounts/doorbell.py"}
    found = {tree.name(path) for path in tree.product_modules() if pattern.search(path.read_text())}
    assert {path for path in found if "simulator" not in path} == allowed
