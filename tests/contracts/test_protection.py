"""What each answer of ours tells a browser: nothing foreign runs, nothing is framed, kept or handed on."""

import json
from pathlib import Path

import pytest
from django.test import Client as Browser

from accounts.models import User
from tests.builders import PASSWORD, make_client
from tests.running import Installation

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["list", "conversation", "sign-in", "help", "404", "webhook", "redirect"])
def answer(request: pytest.FixtureRequest, as_alice: Browser, anonymous: Browser, alice: User) -> dict[str, str]:
    """The headers of an answer of each kind."""
    answers = {
        "list": lambda: as_alice.get("/"),
        "conversation": lambda: as_alice.get(f"/conversations/{make_client(alice).client_id}/"),
        "sign-in": lambda: anonymous.get("/accounts/login/"),
        "help": lambda: anonymous.get("/help/"),
        "404": lambda: as_alice.get("/no-such-page/"),
        "webhook": lambda: anonymous.post("/webhooks/twilio/sms/"),
        "redirect": lambda: anonymous.get("/"),
    }
    return dict(answers[request.param]().headers)


def test_scripts_styles_and_everything_else_come_from_here_alone(answer: dict[str, str]) -> None:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    directives = {name: sources for name, *sources in parts}
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == ["'self'"]
    assert directives["style-src"] == ["'self'"]
    assert directives["frame-ancestors"] == ["'none'"]
    assert directives["base-uri"] == ["'none'"]
    assert directives["form-action"] == ["'self'"]
    assert set().union(*directives.values()) == {"'none'", "'self'", "data:"}
    assert directives["img-src"] == ["'self'", "data:"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ],
)
def test_nothing_is_guessed_framed_or_handed_on(answer: dict[str, str], header: str, value: str) -> None:
    assert answer[header] == value


def test_nothing_is_kept(answer: dict[str, str]) -> None:
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]


def test_no_script_reaches_camera_microphone_or_place(answer: dict[str, str]) -> None:
    for feature in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert f"{feature}=()" in answer["Permissions-Policy"]


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(alice: User, anonymous: Browser) -> None:
    anonymous.get("/accounts/login/")
    anonymous.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    session, csrf = anonymous.cookies["sessionid"], anonymous.cookies["csrftoken"]
    assert session["httponly"]
    assert (session["samesite"], csrf["samesite"]) == ("Lax", "Lax")
    assert (session["path"], session["domain"]) == ("/", "")


HTTPS_PROGRAM = """
import json
from django.test import Client
browser = Client(headers={"host": "texts.example.org"})
page = browser.get("/", headers={"x-forwarded-proto": "https"})
plain = browser.get("/help/")
print()
print(json.dumps({
    "page": [page.status_code, page.headers.get("Strict-Transport-Security")],
    "plain": [plain.status_code, plain.headers.get("Location")],
    "hook": browser.post("/webhooks/twilio/sms/").status_code,
    "probe": browser.get("/healthz").status_code,
}))
"""


def test_behind_https_browsers_are_told_to_stay_there_and_webhooks_are_not_redirected(tmp_path: Path) -> None:
    """A redirected webhook comes back as a GET without its text (TWILIO.md section 5)."""
    output = Installation(tmp_path).in_django(
        HTTPS_PROGRAM,
        SECRET_KEY="only-for-this-test",
        PUBLIC_URL="https://texts.example.org",
        ALLOWED_HOSTS="texts.example.org",
        TWILIO_AUTH_TOKEN="token",
    )
    assert json.loads(output.splitlines()[-1]) == {
        "page": [302, "max-age=31536000; includeSubDomains; preload"],
        "plain": [301, "https://texts.example.org/help/"],
        "hook": 403,
        "probe": 200,
    }
