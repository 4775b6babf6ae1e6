"""The repository's own files, for rules that hold for all of them."""

from collections.abc import Iterable
from pathlib import Path

from tests.running import ROOT

PACKAGES = ("accounts", "clients", "messaging", "telephony", "clientcomm")  # imports go up this line only
FOLDERS = (*PACKAGES, "tests", "bench", "chaos", "static", "templates")
VENDORED = ROOT / "static" / "vendor"


def files(*suffixes: str, below: Iterable[str] = FOLDERS) -> list[Path]:
    """Those with such a name in these folders and, by default, at the top; but for vendored ones."""
    top = ROOT.glob("*") if below is FOLDERS else ()
    found = [*top, *(path for folder in below for path in (ROOT / folder).rglob("*"))]
    return sorted(it for it in found if it.suffix in suffixes and it.is_file() and VENDORED not in it.parents)


def python_modules() -> list[Path]:
    """Of the product and of the tests, but for migrations, which Django writes."""
    return [path for path in files(".py") if "migrations" not in path.parts]


def product_modules() -> list[Path]:
    return [path for path in python_modules() if path.parts[len(ROOT.parts)] in PACKAGES and "tests" not in path.parts]


def templates() -> list[Path]:
    return files(".html", ".txt", below=["templates"])


def name(path: Path) -> str:
    """As people say it: from the root of the repository."""
    return str(path.relative_to(ROOT))
