"""Rules of STYLE.md and ARCHITECTURE.md that a reader would else have to remember."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Model

from tests.consistency import tree
from tests.consistency.tree import PACKAGES, name
from tests.running import ROOT

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 35


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in PACKAGES]


def test_there_is_something_to_look_at() -> None:
    assert len(tree.product_modules()) > 80
    assert len(our_models()) > 10
    assert len(tree.templates()) > 30


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [
        name(path)
        for path in tree.python_modules()
        if (code := path.read_text()).strip() and not ast.get_docstring(ast.parse(code))
    ]
    assert silent == []


def test_no_file_is_longer_than_one_reads_in_a_sitting() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in tree.files(".py", ".js", ".css", ".html")}
    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_of_the_product_is_longer_than_a_screen() -> None:
    long = [
        f"{name(path)}: {node.name}"
        for path in tree.product_modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "common", "misc", "signals", "registry"}
    assert [name(path) for path in tree.python_modules() if vague & {path.stem, *path.parent.parts}] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"django\.(db\.models|core|dispatch|test|contrib\.\w+)(\.| import )signals",
        r"from django\.dispatch",
        r"@receiver\b",
        r"allauth\.\w+\.signals",
    ],
)
def test_no_effect_hides_in_a_signal(pattern: str) -> None:
    """Celery's own signals are how a worker says that it begins and ends; Django's would hide what an action does."""
    assert [name(path) for path in tree.product_modules() if re.search(pattern, path.read_text())] == []


def test_no_protection_is_switched_off() -> None:
    pattern = re.compile(r"\b(mark_safe|SafeString|csrf_exempt|xframe_options_exempt|eval|exec)\(")
    allowed = {
        "telephony/signatures.py",  # csrf_exempt: the carrier's signature takes its place
        "messaging/templatetags/talk.py",  # SafeString: bubbles, escaped piece by piece between our own markup
        "messaging/templatetags/caseload.py",  # the same: lines of the list
        "messaging/mass_forms.py",  # csrf_exempt: csrf_protect is asked right after the long form was read
    }
    found = {name(path) for path in tree.product_modules() if pattern.search(path.read_text())}
    assert found == allowed


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_a_model_hides_no_order_and_no_logic_in_saving(model: type[Model]) -> None:
    assert not model._meta.ordering, "order where it is asked for"
    assert not {"save", "delete"} & set(vars(model)), "what happens on saving belongs in an action"


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_no_foreign_key_points_up_the_line_of_packages(model: type[Model]) -> None:
    own = PACKAGES.index(model._meta.app_label)
    fields = [field for field in model._meta.get_fields() if field.is_relation and not field.auto_created]
    pointed_at = {field.related_model._meta.app_label for field in fields if isinstance(field.related_model, type)}
    assert [label for label in pointed_at & set(PACKAGES) if PACKAGES.index(label) > own] == []


@pytest.mark.parametrize("path", [p for p in tree.product_modules() if p.stem == "models"], ids=name)
def test_each_index_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text().splitlines()
    without = [
        f"{name(path)}:{number}"
        for number, line in enumerate(lines, start=1)
        if "models.Index(" in line and not lines[number - 2].strip().startswith("#")
    ]
    assert without == []


@pytest.mark.django_db
@pytest.mark.embedded
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_only_the_wire_knows_the_carriers_name() -> None:
    """Messaging and below say carrier: who it is can change."""
    below = [path for path in tree.product_modules() if path.parts[len(ROOT.parts)] in PACKAGES[:3]]
    assert [name(path) for path in below if "twilio" in _without_docstrings(path).lower()] == []


def _without_docstrings(path: Path) -> str:
    """The code as it runs: strings that only explain are gone, and so are comments."""
    code = ast.parse(path.read_text())
    for node in ast.walk(code):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body[0] = ast.Pass()
    return ast.unparse(code)
