"""The commands that people and scripts type exist."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.running import ROOT


@pytest.mark.parametrize(
    "name",
    [
        "seed_demo",
        "doctor",
        "after_restore",
        "phones",
        "createsuperuser",
        "migrate",
        "check",
        "createcachetable",
        "collectstatic",
    ],
)
def test_the_command_exists_and_says_what_it_does(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    assert command.help


def test_seeding_takes_the_numbers_of_clients_and_messages() -> None:
    parser = load_command_class("clientcomm", "seed_demo").create_parser("manage.py", "seed_demo")
    options = parser.parse_args(["--clients", "50", "--messages", "200"])
    assert (options.clients, options.messages) == (50, 200)


@pytest.mark.parametrize("target", ["run", "test", "check", "help", "clean", "format", "e2e", "demo"])
def test_make_knows_the_target_and_lists_it(target: str) -> None:
    assert re.search(rf"^{target}:.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("process", ["release", "web", "worker", "beat"])
def test_the_procfile_has_a_line_for_the_process(process: str) -> None:
    assert re.search(rf"^{process}: \S", (ROOT / "Procfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", ["README.md", "CHANGELOG.md", "Dockerfile", ".pre-commit-config.yaml", ".ci/run"])
def test_the_file_is_where_people_look_for_it(file: str) -> None:
    assert (ROOT / Path(file)).is_file()
