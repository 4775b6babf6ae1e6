"""Counting segments, against the rules of section 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.simulator.carrier.segments import count_segments, is_gsm7, smart_encoded, utf16_units

CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "{", 2),
        # An escape and its character stay together: 152 + (2) doesn't fit into 153.
        ("a" * 152 + "{" + "a" * 152, 3),
        ("ñ" * 160, 1),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("👋" * 35, 1),
        ("👋" * 36, 2),
        ("a" * 66 + "👋" + "a" * 66, 3),
        ("a" * 69 + CURLY, 1),
        ("a" * 70 + CURLY, 2),
    ],
)
def test_segments(text: str, segments: int) -> None:
    assert count_segments(text) == segments


@given(st.text(max_size=400))
def test_never_fewer_than_the_bare_length_needs(text: str) -> None:
    alone, joined = (160, 153) if is_gsm7(text) else (70, 67)
    length = utf16_units(text)
    assert count_segments(text) >= (1 if length <= alone else -(-length // joined))


@given(st.text(max_size=200), st.characters())
def test_one_more_character_never_saves_a_segment(text: str, character: str) -> None:
    assert count_segments(text + character) >= count_segments(text)


def test_smart_encoding_saves_segments() -> None:
    text = "a" * 100 + CURLY
    assert (count_segments(text), count_segments(smart_encoded(text))) == (2, 1)
