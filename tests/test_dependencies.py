"""What the product imports is what it names, and what it names is explained."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("accounts", "clientcomm", "clients", "messaging", "telephony")
# Parts of the libraries named, published on their own: celery's, Django's, twilio's and aiohttp's.
OTHER_HALVES = {"asgiref", "kombu", "multidict", "requests", "urllib3", "yarl"}


def named_in(requirements: str) -> set[str]:
    lines = (ROOT / requirements).read_text().splitlines()
    return {_plain(re.split(r"[\[=]", line)[0]) for line in lines if re.match(r"[a-z]", line)}


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def imported_by_the_product() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "tests" not in path.parts:
                yield from ((module, path) for module in _imports(ast.parse(path.read_text())))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_every_library_the_product_imports_is_in_requirements_in() -> None:
    distributions = packages_distributions()
    named = named_in("requirements.in") | OTHER_HALVES
    missing = {
        f"{module} in {path.relative_to(ROOT)}"
        for module, path in imported_by_the_product()
        if module not in sys.stdlib_module_names
        and module not in PACKAGES
        and not any(_plain(name) in named for name in distributions.get(module, [module]))
    }
    assert missing == set()


@pytest.mark.parametrize("requirements", ["requirements.in", "requirements-dev.in"])
def test_every_library_is_explained(requirements: str) -> None:
    explained = set(re.findall(r"^\| `([^`\[]+)", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    assert named_in(requirements) - {_plain(name) for name in explained} == set()
