"""Sentences of a raw text: stretches that hold every word once, in order."""

from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as some

from annotation.sentences import sentences, without_drawing

PIECES = some.lists(
    some.sampled_from(
        [
            "It is.",
            " ",
            "\n",
            "\n\n",
            "- ",
            "**bold** ",
            "3.5",
            "No?",
            "“Yes!” ",
            "क्या? ",
            "हाँ। ",
            "…",
        ]
    ),
    max_size=25,
)


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One line without a stop", ["One line without a stop"]),
        ("It costs 3.5 lakh. Ask her!", ["It costs 3.5 lakh.", "Ask her!"]),
        ("“Never,” she said. “Why?” he asked.", ["“Never,” she said.", "“Why?”", "he asked."]),
        ("तो आज ही तय करें। रकम लिख लें।", ["तो आज ही तय करें।", "रकम लिख लें।"]),
        ("# Plan\n\n- Write it down.\n- Sign\n\n---", ["Plan", "Write it down.", "Sign"]),
        ("1. First\n2. Second", ["First", "Second"]),
    ],
)
def test_a_text_falls_into_its_sentences(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def test_markup_is_not_read_out() -> None:
    assert without_drawing("> **Lend** no `more`.") == "Lend no more."


@settings(max_examples=60)
@given(PIECES)
def test_sentences_are_in_order_apart_and_leave_no_word_out(pieces: list[str]) -> None:
    text = "".join(pieces)
    spans = sentences(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    inside = "".join(text[start:end] for start, end in spans)
    assert regex.findall(r"\p{L}", inside) == regex.findall(r"\p{L}", text)
