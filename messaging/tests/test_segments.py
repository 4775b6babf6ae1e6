"""How many texts the carrier makes of a message, and how long it is for the carrier."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import segments

EMOJI = "\N{GRINNING FACE}"
GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡AZÄÖÑÜ§¿azäöñüà"
EXTENDED = "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("x", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("x" * 1600, 11),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 8, 2),
        ("x" * 152 + "€" * 77, 3),  # the euro of two units isn't torn: 152 + 76 of two + 1
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("x" * 70 + "’", 2),  # noqa: RUF001  # one typographic apostrophe makes all of it UCS-2
        (EMOJI * 35, 1),
        (EMOJI * 36, 2),
        (EMOJI * 66, 2),
        (EMOJI * 67, 3),  # 33 emoji a part: the 67th unit stays empty
        ("ё", 1),
    ],
)
def test_the_carriers_parts_are_counted(text: str, count: int) -> None:
    assert segments.count(text) == count


@pytest.mark.parametrize("character", GSM)
def test_a_character_of_the_basic_alphabet_counts_one(character: str) -> None:
    assert (segments.count(character * 160), segments.count(character * 161)) == (1, 2)


@pytest.mark.parametrize("character", EXTENDED)
def test_a_character_of_the_extension_counts_two(character: str) -> None:
    assert (segments.count(character * 80), segments.count(character * 81)) == (1, 2)


@pytest.mark.parametrize("character", ["`", "ç", "á", "“", "–", "\t", "\N{NO-BREAK SPACE}", "ş", "α"])  # noqa: RUF001
def test_any_other_character_makes_it_short(character: str) -> None:
    assert (segments.count(character * 70), segments.count(character * 71)) == (1, 2)


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("abc", 3), ("€", 1), (EMOJI, 2), ("e\u0301", 2), ("\n", 1), ("\ud83d", 1)]
)
def test_length_is_in_utf16_units(text: str, length: int) -> None:
    assert segments.length(text) == length


@given(st.text(st.sampled_from("abc é€{ж" + EMOJI), max_size=500))
def test_parts_hold_all_of_it_and_none_is_superfluous(text: str) -> None:
    is_gsm = all(character in GSM + EXTENDED + "bc" for character in text)
    units = sum(2 if character in EXTENDED else 1 for character in text) if is_gsm else segments.length(text)
    alone, part = (160, 153) if is_gsm else (70, 67)
    count = segments.count(text)
    if units <= alone:
        assert count == 1
    else:  # a part loses one unit at most, when a character of two doesn't fit
        assert math.ceil(units / part) <= count <= math.ceil(units / (part - 1))


@given(st.text(max_size=300), st.text(max_size=5))
def test_more_text_never_makes_fewer_parts(text: str, more: str) -> None:
    assert segments.count(text + more) >= segments.count(text) >= 1
