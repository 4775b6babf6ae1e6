"""What stands in braces is filled in for each recipient, and only what we know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import merge_fields
from messaging.merge_fields import Values

MARIA = Values("Maria", "Lopez", "Alice Adams", "Pretrial Services")
NAMELESS = Values("", "Lopez", "Alice Adams", "Pretrial Services")

words = st.text(st.characters(exclude_characters="{}"))
texts = st.lists(st.one_of(words, st.sampled_from([f"{{{name}}}" for name in merge_fields.NAMES])), max_size=12)


@pytest.mark.parametrize(
    ("typed", "maria", "nameless"),
    [
        ("Hi {first name}, come in", "Hi Maria, come in", "Hi, come in"),
        ("{first name}, come in", "Maria, come in", ", come in"),
        (
            "Dear {first name} {last name}: yours, {my name}",
            "Dear Maria Lopez: yours, Alice Adams",
            "Dear Lopez: yours, Alice Adams",
        ),
        ("{department}", "Pretrial Services", "Pretrial Services"),
        ("{First  NAME}!", "Maria!", "!"),
        ("no field", "no field", "no field"),
        ("Bye {first name}", "Bye Maria", "Bye"),
        ("a { b } c {", "a { b } c {", "a { b } c {"),
    ],
)
def test_fields_are_filled_in(typed: str, maria: str, nameless: str) -> None:
    assert merge_fields.merge(typed, MARIA) == maria
    assert merge_fields.merge(typed, NAMELESS) == nameless


def test_a_first_name_of_blanks_is_empty() -> None:
    assert merge_fields.merge("Hi {first name}.", Values("  ")) == "Hi."


def test_unknown_fields_are_named_once_as_typed() -> None:
    assert merge_fields.unknown("{first name} {Nickname} {} {Nickname}") == ("Nickname", "")
    assert merge_fields.unknown("{ First name } {DEPARTMENT}") == ()


def test_a_name_with_braces_is_not_looked_through() -> None:
    assert merge_fields.merge("Hi {first name}", Values("{my name}", my_name="Alice")) == "Hi {my name}"


@given(texts)
def test_nothing_in_braces_is_left_and_all_else_stays(parts: list[str]) -> None:
    merged = merge_fields.merge("".join(parts), Values("A", "B", "C", "D"))
    assert "{" not in merged
    filled = {"{first name}": "A", "{last name}": "B", "{my name}": "C", "{department}": "D"}
    assert merged == "".join(filled.get(part, part) for part in parts).rstrip()


@given(texts, words)
def test_an_empty_value_takes_away_one_space_at_most(parts: list[str], name: str) -> None:
    typed = "".join(parts)
    with_name = merge_fields.merge(typed, Values("x" + name + "x", "B", "C", "D"))
    without = merge_fields.merge(typed, Values("", "B", "C", "D"))
    times = typed.count("{first name}")
    assert len(without.rstrip()) <= len(with_name.rstrip())
    assert (
        len(merge_fields.merge(typed + ".", Values("", "B", "C", "D")))
        >= len(merge_fields.merge(typed + ".", Values("x", "B", "C", "D"))) - 2 * times
    )


@given(st.text())
def test_any_text_is_read(typed: str) -> None:
    assert set(merge_fields.used(typed)) >= {n for n in merge_fields.NAMES if f"{{{n}}}" in typed}
    merge_fields.merge(typed, MARIA)
    merge_fields.unknown(typed)
