"""What the other tests rely on: strict templates, no way out of this machine, databases of their own."""

import os
import socket

import pytest
from django.conf import settings
from django.template import Engine
from django.template.base import Origin, Template
from django.template.context import Context

from conftest import SocketToElsewhereError
from tests import servers
from tests.templates import ROOT, UndefinedVariableError


def draw(source: str, path: str) -> str:
    engine = Engine.get_default()
    return str(Template(source, origin=Origin(path), name=path, engine=engine).render(Context({"known": "yes"})))


def test_an_undefined_variable_in_a_template_of_ours_fails() -> None:
    with pytest.raises(UndefinedVariableError, match="unknown is not defined"):
        draw("{{ unknown }}", str(ROOT / "templates" / "page.html"))


def test_a_known_variable_and_a_question_about_an_unknown_one_do_not() -> None:
    assert draw("{{ known }}{% if unknown %}!{% endif %}", str(ROOT / "templates" / "page.html")) == "yes"


def test_templates_of_libraries_may_rely_on_silence() -> None:
    library = str(ROOT / ".venv" / "lib" / "site-packages" / "django" / "page.html")
    assert draw("[{{ unknown }}]", library) == "[]"


@pytest.mark.parametrize("place", [("192.0.2.1", 443), ("twilio.example", 443), ("2001:db8::1", 443)])
def test_sockets_to_elsewhere_are_refused(place: tuple[str, int]) -> None:
    with socket.socket() as attempt, pytest.raises(SocketToElsewhereError):
        attempt.connect(place)


def test_the_database_is_this_runs_own() -> None:
    assert servers.run_id() in str(settings.DATABASES["default"]["TEST"]["NAME"])


def test_a_developers_own_debug_is_not_seen() -> None:
    assert "DEBUG" not in os.environ


def test_only_databases_of_dead_runs_are_leftovers() -> None:
    nobody = 2**22 + 1
    names = ["test_clientcomm_1", f"test_clientcomm_{nobody}", f"test_clientcomm_{nobody}_gw1", "test_clientcomm_x"]
    assert list(servers.of_dead_runs(names)) == [f"test_clientcomm_{nobody}", f"test_clientcomm_{nobody}_gw1"]
