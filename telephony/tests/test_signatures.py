"""Only what the carrier signed gets in; everything else gets an empty 403, and leaves nothing behind but a count."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from clients.models import Client as ClientPerson
from messaging.models import Message
from telephony.models import StrayText
from telephony.signatures import REFUSED
from telephony.simulator.carrier.signatures import sign
from telephony.tests import wire
from telephony.tests.everything_logged import everything_logged
from telephony.tests.wire import FORM_TYPE, INBOUND, PUBLIC_URL, STATUS, TOKEN, inbound_form, post, post_raw
from tests.builders import make_department

SECRET_TEXT = "I am hiding at the harbour"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def department() -> None:
    make_department(phone_number=wire.OUR_NUMBER)


@pytest.fixture
def form() -> dict[str, str]:
    return inbound_form(Body=SECRET_TEXT)


def refused_count() -> float:
    (metric,) = REFUSED.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_total"))


def is_let_in(response: Any) -> bool:
    return bool(response.status_code == 200) and Message.objects.count() == 1


def signed(form: dict[str, str], path: str = INBOUND, *, token: str = TOKEN, public_url: str = PUBLIC_URL) -> str:
    return sign(public_url + path, form.items(), token)


# --- Let in ----------------------------------------------------------------------------------------------------------


def test_a_form_signed_over_our_public_address_is_let_in(form: dict[str, str]) -> None:
    assert is_let_in(post(INBOUND, form))


def test_the_public_address_counts_and_not_the_host_that_the_request_names(
    settings: Settings, form: dict[str, str]
) -> None:
    settings.PUBLIC_URL = "https://texts.example.org"
    assert post(INBOUND, form, public_url="http://testserver").status_code == 403
    assert is_let_in(post(INBOUND, form, public_url="https://texts.example.org"))


def test_the_headers_of_a_proxy_change_nothing(form: dict[str, str]) -> None:
    forwarded: dict[str, Any] = {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "https"}
    assert is_let_in(post(INBOUND, form, **forwarded))


def test_a_public_address_with_a_port_is_signed_with_it(settings: Settings, form: dict[str, str]) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert is_let_in(post(INBOUND, form, public_url="http://127.0.0.1:8000"))


def test_while_a_token_is_rotated_both_are_good(settings: Settings, form: dict[str, str]) -> None:
    settings.TWILIO_AUTH_TOKENS = ["the new token", "the old token"]
    assert post(INBOUND, form, token="the new token").status_code == 200
    assert post(INBOUND, inbound_form(), token="the old token").status_code == 200
    assert Message.objects.count() == 2


def test_the_query_string_is_part_of_what_is_signed() -> None:
    form = wire.status_form("delivered", wire.new_sid())
    assert post(f"{STATUS}?m=6f1c2b1e-1234-4321-9876-123456789012", form).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "  leading and trailing  ",
        "\ttabs\t",
        "line\r\nends\r\n",
        "a+b=c&d%20e",
        "¿Mañana? 😀",
        "\uff2d",
        "\ufeff",
    ],
)
def test_a_value_is_checked_exactly_as_it_came(body: str) -> None:
    assert is_let_in(post(INBOUND, inbound_form(Body=body)))


def test_a_name_given_twice_is_signed_with_both_values() -> None:
    pairs = [*inbound_form().items(), ("AddOns", "second"), ("AddOns", "first"), ("AddOns", "first")]
    assert is_let_in(post(INBOUND, pairs))


# --- Refused ---------------------------------------------------------------------------------------------------------


def unsigned(form: dict[str, str]) -> Any:
    return post(INBOUND, form, signature="")


def forged(form: dict[str, str]) -> Any:
    return post(INBOUND, form, signature="QmFzZTY0IG9mIG5vdGhpbmc=")


def not_even_base64(form: dict[str, str]) -> Any:
    return post(INBOUND, form, signature="\xfc\xe9 %s")


def wrong_token(form: dict[str, str]) -> Any:
    return post(INBOUND, form, token="somebody else's token")


def empty_token(form: dict[str, str]) -> Any:
    return post(INBOUND, form, token="")


def truncated(form: dict[str, str]) -> Any:
    whole = urlencode(list(form.items()))
    return post(INBOUND, form, data=whole[: len(whole) // 2])


def tampered(form: dict[str, str]) -> Any:
    return post(INBOUND, {**form, "From": "+13855550199"}, signature=signed(form))


def with_more(form: dict[str, str]) -> Any:
    return post(INBOUND, {**form, "OptOutType": "STOP"}, signature=signed(form))


def with_less(form: dict[str, str]) -> Any:
    return post(INBOUND, {name: form[name] for name in form if name != "MessageSid"}, signature=signed(form))


def value_given_twice(form: dict[str, str]) -> Any:
    return post(INBOUND, [*form.items(), ("Body", "another")], signature=signed(form))


def stripped(form: dict[str, str]) -> Any:
    return post(INBOUND, form, signature=signed({**form, "Body": SECRET_TEXT + " "}))


def normalised(form: dict[str, str]) -> Any:
    """ "é" as one character, signed as two."""
    return post(INBOUND, {**form, "Body": "caf\u00e9"}, signature=signed({**form, "Body": "cafe\u0301"}))


def other_path(form: dict[str, str]) -> Any:
    return post(INBOUND, form, signature=signed(form, STATUS))


def query_added(form: dict[str, str]) -> Any:
    return post(f"{INBOUND}?m=1", form, signature=signed(form, INBOUND))


def query_changed(form: dict[str, str]) -> Any:
    return post(f"{INBOUND}?m=1", form, signature=signed(form, f"{INBOUND}?m=2"))


def other_host(form: dict[str, str]) -> Any:
    return post(INBOUND, form, public_url="http://evil.example")


def latin_1(form: dict[str, str]) -> Any:
    """Bytes that are no UTF-8: what was signed can't be told from them."""
    data = urlencode(list({**form, "Body": SECRET_TEXT + " caf\u00e9"}.items()), encoding="latin-1")
    return post(INBOUND, {**form, "Body": SECRET_TEXT + " caf\u00e9"}, data=data)


def latin_1_declared(form: dict[str, str]) -> Any:
    data = urlencode(list(form.items()), encoding="latin-1")
    return post(INBOUND, form, data=data, content_type="application/x-www-form-urlencoded; charset=ISO-8859-1")


def fields_without_end(form: dict[str, str]) -> Any:
    """More than Django reads: then what was signed can't be known."""
    return post(INBOUND, {**form, **{f"Field{n}": "" for n in range(1_200)}})


def megabytes(form: dict[str, str]) -> Any:
    return post(INBOUND, {**form, "Body": SECRET_TEXT * 120_000})


def json_body(form: dict[str, str]) -> Any:
    return post(INBOUND, form, data='{"Body": "' + SECRET_TEXT + '"}', content_type="application/json")


def broken_multipart(form: dict[str, str]) -> Any:
    return post(INBOUND, form, data=SECRET_TEXT, content_type="multipart/form-data")


def cut_off(form: dict[str, str]) -> Any:
    """The line breaks in the middle of the form."""
    line: dict[str, Any] = {"wsgi.input": BrokenLine()}
    return post(INBOUND, form, **line)


class BrokenLine(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError("connection reset by peer")


REFUSED_REQUESTS: list[Callable[[dict[str, str]], Any]] = [
    unsigned, forged, not_even_base64, wrong_token, empty_token, truncated, tampered, with_more, with_less,
    value_given_twice, stripped, normalised, other_path, query_added, query_changed, other_host, latin_1,
    latin_1_declared, fields_without_end, megabytes, json_body, broken_multipart, cut_off,
]  # fmt: skip


@pytest.fixture(params=REFUSED_REQUESTS, ids=[request.__name__ for request in REFUSED_REQUESTS])
def refused_request(request: pytest.FixtureRequest) -> Callable[[dict[str, str]], Any]:
    refused: Callable[[dict[str, str]], Any] = request.param
    return refused


def test_the_rest_is_refused_without_a_trace(
    refused_request: Callable[[dict[str, str]], Any], form: dict[str, str], settings: Settings
) -> None:
    settings.TWILIO_AUTH_TOKENS = [TOKEN, ""]
    before = refused_count()
    with everything_logged() as log:
        response = refused_request(form)
    assert response.status_code == 403
    assert response.content == b""
    assert not Message.objects.exists()
    assert not StrayText.objects.exists()
    assert not ClientPerson.objects.exists()
    assert refused_count() == before + 1
    assert f"no valid signature at {INBOUND}" in log.text
    assert SECRET_TEXT not in log.text
    assert wire.THEIR_NUMBER not in log.text


def test_a_status_report_that_nobody_signed_is_refused_too() -> None:
    before = refused_count()
    response = post(STATUS, wire.status_form("delivered", wire.new_sid()), signature="")
    assert (response.status_code, response.content) == (403, b"")
    assert refused_count() == before + 1


def test_a_refused_request_never_asks_the_database(form: dict[str, str], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        unsigned(form)


@pytest.mark.parametrize("path", [INBOUND, STATUS])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_a_post_is_understood(path: str, method: str) -> None:
    """A redirected webhook would come as a GET without its form: it must not look as if it had been taken."""
    response = Client().generic(method, path, headers={"X-Twilio-Signature": sign(PUBLIC_URL + path, [], TOKEN)})
    assert response.status_code == 405
    assert response.content == b""
    assert not StrayText.objects.exists()


@pytest.mark.parametrize("path", [INBOUND, STATUS])
def test_the_path_without_its_slash_never_looks_as_if_the_text_was_taken(path: str) -> None:
    """The carrier follows a redirect by a GET without the form; the 405 at its end shows up in its debugger."""
    url = path.rstrip("/")
    signature = sign(PUBLIC_URL + url, [], TOKEN)
    response = post_raw(url, signature=signature, data="", content_type=FORM_TYPE)
    assert (response.status_code, response["Location"]) == (301, path)
    assert Client().get(path, headers={"X-Twilio-Signature": signature}).status_code == 405
