"""Each template is used, none runs or shows what a client typed as anything but text, and no file was tampered with."""

import hashlib
import re
from pathlib import Path

import allauth
import pytest

from accounts.sessions import BACKGROUND_HEADER
from tests.consistency import tree
from tests.consistency.tree import VENDORED, name
from tests.running import ROOT

ALLAUTH = Path(allauth.__file__).parent / "templates"
DJANGOS_OWN = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html", "429.html"}
FORM_PACK = "bootstrap5/"  # crispy-bootstrap5 asks for these by name


def template_name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


def mentioned() -> str:
    """Every place that can name a template."""
    return "\n".join(path.read_text() for path in [*tree.product_modules(), *tree.templates()])


def is_used(template: str, places: str) -> bool:
    as_text = re.sub(r"\.html$", ".txt", template)  # allauth asks for a mail's HTML part, and brings only the other
    if template in DJANGOS_OWN or template.startswith(FORM_PACK):
        return True
    if (ALLAUTH / template).exists() or ((ALLAUTH / as_text).exists() and "/email/" in template):
        return True
    # Mails are named by what their three parts have in common.
    stem = re.sub(r"_(message|subject)\.(html|txt)$", "", template)
    return f'"{template}"' in places or f'"{stem}"' in places


def test_each_template_is_used() -> None:
    places = mentioned()
    assert [t for t in map(template_name, tree.templates()) if not is_used(t, places)] == []


def test_a_template_that_nobody_uses_would_be_noticed() -> None:
    assert not is_used("nobody_asks_for_me.html", mentioned())


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a filter that lets markup through", r"\|\s*(safe|safeseq)\b"),
        ("an escape that is switched off", r"autoescape\s+off"),
        ("a script in the page", r"<script(?![^>]*\bsrc=)"),
        ("a style sheet in the page", r"<style\b"),
        ("an event handler in the page", r"\s(on[a-z]+|hx-on[:a-z-]*)\s*="),
        ("a script as an address", r"javascript:"),
        ("something from elsewhere", r"(src|href)=\"(https?:)?//"),
        ("values that htmx would run", r"hx-(vals|headers)=['\"]js:"),
    ],
)
def test_no_template_has(what: str, pattern: str) -> None:
    found = re.compile(pattern, re.IGNORECASE)
    pages = [path for path in [*tree.templates(), *simulator_templates()] if path.suffix == ".html"]
    assert [name(path) for path in pages if found.search(path.read_text())] == [], what


def test_no_page_has_an_inline_style() -> None:
    """The policy of our pages would not apply them. Mails must have them: most mail programs drop style sheets."""
    pages = [path for path in [*tree.templates(), *simulator_templates()] if "email" not in path.parts]
    assert [name(path) for path in pages if re.search(r"\sstyle=", path.read_text())] == []


def simulator_templates() -> list[Path]:
    return tree.files(".html", below=["telephony/simulator"])


def test_every_static_file_that_a_template_names_is_there() -> None:
    for path in tree.templates():
        for asset in re.findall(
            r"{% static '([^']+)' %}|{% static \"([^\"]+)\" %}|\"/static/([^\"]+)\"", path.read_text()
        ):
            file = next(part for part in asset if part)
            assert (ROOT / "static" / file).is_file(), f"{name(path)} names {file}"


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (VENDORED / "bootstrap-icons" / "sprite.svg").read_text()
    for path in tree.templates():
        for icon in re.findall(r"{% icon \"([\w-]+)\"", path.read_text()):
            assert f'id="{icon}"' in sprite, f"{name(path)} names {icon}"


def test_what_a_page_asks_by_itself_does_not_count_as_use() -> None:
    """A session ends after the department's idle time, also where a page is left open (accounts/sessions.py)."""
    repeating = [path for path in tree.files(".js", below=["static/js"]) if "setInterval(" in path.read_text()]
    assert repeating
    assert [name(path) for path in repeating if f'"{BACKGROUND_HEADER}"' not in path.read_text()] == []


def listed_sums() -> dict[str, str]:
    rows = re.findall(r"^\| ([\w./-]+) \|.*\| `([0-9a-f]{64})` \|$", (VENDORED / "README.md").read_text(), re.MULTILINE)
    return dict(rows)


def test_every_vendored_file_is_listed_with_its_origin() -> None:
    files = {str(path.relative_to(VENDORED)) for path in VENDORED.rglob("*") if path.is_file()}
    assert {file for file in files if Path(file).name not in ("README.md", "LICENSE")} == set(listed_sums())
    assert all((VENDORED / file).parent.joinpath("LICENSE").is_file() for file in listed_sums())


@pytest.mark.parametrize(("file", "listed"), listed_sums().items())
def test_a_vendored_file_is_the_one_that_was_looked_at(file: str, listed: str) -> None:
    assert hashlib.sha256((VENDORED / file).read_bytes()).hexdigest() == listed
