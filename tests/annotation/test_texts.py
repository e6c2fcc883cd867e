"""Text at the edge: stored as it was meant, or refused with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from annotation.refusals import BadText
from annotation.texts import clean, clean_optional, count_words, storable


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Is it so? ", "Is it so?"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("क्या यह ठीक है?", "क्या यह ठीक है?"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("a\tb", "a\tb"),
    ],
)
def test_text_is_stored_as_it_was_meant(typed: str, stored: str) -> None:
    assert clean(typed, limit=100) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("\u200b\u2060\ufeff", "empty"),
        ("\u3164\u2800", "empty"),
        ("a\x00", "nul"),
        ("\ud83d", "surrogate"),
        ("a\x1b[0m", "control"),
        ("a\x85", "control"),
        ("a" * 11, "too_long"),
    ],
)
def test_text_that_cannot_be_stored_is_refused(typed: str, code: str) -> None:
    with pytest.raises(BadText) as refusal:
        clean(typed, limit=10)
    assert refusal.value.code == code


def test_length_counts_what_people_see() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    assert clean(family * 10, limit=10) == family * 10
    with pytest.raises(BadText, match="too_long"):
        clean(family * 11, limit=10)


def test_a_grapheme_without_end_is_refused() -> None:
    with pytest.raises(BadText, match="control"):
        clean("a" + "\u0301" * 10_000, limit=10)
    with pytest.raises(BadText, match="too_long"):
        clean("\U0001f469" + "\u200d\U0001f469" * 10_000, limit=10)
    assert clean("a" + "\u0301" * 5, limit=10)


def test_a_text_that_may_be_left_out_is_empty() -> None:
    assert clean_optional(" \u200b", limit=10) == ""
    with pytest.raises(BadText, match="nul"):
        clean_optional("\x00", limit=10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("—  … !", 0),
        ("It is kind.", 3),
        ("l’amitié, aujourd'hui", 2),
        ("क्या मुझे उधार देना चाहिए?", 5),
        ("Não sei, 100 vezes", 4),
        ("well-being", 1),
    ],
)
def test_words_are_counted_in_every_script(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("因为它很好。", "zh", 5),
        ("因为它很好。", "en", 1),
        ("เพราะดี", "th", 6),
        ("e\u0301" * 3, "ja", 3),
        ("👨‍👩‍👧 …", "ja", 0),
        ("मुझे यह पसंद है", "hi", 4),
    ],
)
def test_where_no_spaces_part_words_graphemes_are_counted(
    text: str, language: str, words: int
) -> None:
    assert count_words(text, language) == words


@given(some.text(max_size=200))
def test_whatever_is_stored_can_be_stored(text: str) -> None:
    try:
        stored = clean(text, limit=50)
    except BadText:
        return
    assert stored.strip()
    assert storable(stored) == stored
    assert clean(stored, limit=50) == stored


@given(some.text(alphabet=some.characters(), max_size=100))
def test_a_draft_keeps_all_that_a_row_can_hold(text: str) -> None:
    assert (
        storable(text).encode().decode()
        == text.replace("\x00", "").encode(errors="ignore").decode()
    )
