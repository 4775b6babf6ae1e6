"""Our signature and Twilio's package, held against each other."""

from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from telephony.simulator.carrier.signatures import sign, signed_url

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(words.filter(bool), words), max_size=8))
def test_agrees_with_twilios_package(parameters: list[tuple[str, str]]) -> None:
    url = "https://clientcomm.example.org/webhooks/twilio/sms/?m=1"
    assert sign(url, parameters, "token") == RequestValidator("token").compute_signature(url, MultiDict(parameters))


def test_repeated_names_count_once_per_value() -> None:
    twice = [("A", "2"), ("A", "1"), ("A", "2")]
    assert sign("https://x.example/", twice, "t") == sign("https://x.example/", [("A", "1"), ("A", "2")], "t")


def test_fragment_and_password_are_not_signed() -> None:
    assert signed_url("https://user:pass@x.example:8443/p/?q=1#rc=2") == "https://x.example:8443/p/?q=1"
