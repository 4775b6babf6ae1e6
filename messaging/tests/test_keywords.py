"""The words of opting out and in: the whole message, any case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import keywords
from messaging.keywords import OptWord

STOPS = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]
STARTS = ["START", "UNSTOP"]


@pytest.mark.parametrize("word", STOPS)
def test_stop_and_its_kin_are_understood(word: str) -> None:
    assert keywords.read(word) is OptWord.STOP


@pytest.mark.parametrize("word", STARTS)
def test_start_and_its_kin_are_understood(word: str) -> None:
    assert keywords.read(word) is OptWord.START


def test_yes_is_a_word_of_its_own() -> None:
    assert keywords.read("YES") is OptWord.YES


@given(st.sampled_from([*STOPS, *STARTS, "YES"]), st.data())
def test_case_and_blanks_around_a_word_do_not_matter(word: str, data: st.DataObject) -> None:
    cases = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    written = "".join(letter.lower() if low else letter for letter, low in zip(word, cases, strict=True))
    blanks = st.text(" \t\r\n", max_size=3)
    assert keywords.read(f"{data.draw(blanks)}{written}{data.draw(blanks)}") is keywords.read(word)


@given(st.sampled_from(STOPS), st.text(".!?,;:'\"-()*", min_size=1, max_size=3), st.booleans())
def test_a_word_with_punctuation_is_for_a_person_to_judge(word: str, marks: str, in_front: bool) -> None:
    """The carrier goes by the whole message, and so do we; but somebody is to look."""
    body = marks + word if in_front else word + marks
    assert keywords.read(body) is None
    assert keywords.suspect(body) is keywords.Suspicion.WANTS_NO_TEXTS


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "HELP",
        "INFO",
        "stop.",
        "please stop",
        "STOP texting me",
        "ST OP",
        "yes please",
        "no",
        "don't stop",
        "終了",
    ],
)
def test_any_other_text_is_none_of_them(body: str) -> None:
    assert keywords.read(body) is None
