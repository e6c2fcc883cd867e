"""Words and endings in several scripts."""

import pytest

from sampling.guard.words import count_words, ends, to_last_sentence, words


def test_words_of_every_script_are_whole() -> None:
    assert words("पैसे उधार देना") == ("पैसे", "उधार", "देना")
    assert count_words("L'ami d'enfance, peut-être.") == 3


@pytest.mark.parametrize(
    "text",
    [
        *("Yes.", "Yes!", "Yes?", "Yes…", "हाँ।", "«Oui.»", 'He said "no."', "(Yes.)", "Yes. 🙂"),
        *("**Yes.**", "Yes.\n", "“Sì.”"),
    ],
)
def test_a_closing_mark_ends_a_text_whatever_stands_behind_it(text: str) -> None:
    assert ends(text)


@pytest.mark.parametrize("text", ["", "Yes", "Yes, and", "Yes:", "Yes;", "1. First", "हाँ और"])
def test_a_text_without_one_is_cut(text: str) -> None:
    assert not ends(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One. Two! Thr", "One. Two!"),
        ("Pay 3.50 for it. Then", "Pay 3.50 for it."),
        ('He said "go." And', 'He said "go."'),
        ("पहला। दूसरा", "पहला।"),
        ("No end here", ""),
        ("Costs 3.5", ""),
    ],
)
def test_a_cut_text_goes_back_to_its_last_whole_sentence(text: str, whole: str) -> None:
    assert to_last_sentence(text) == whole
