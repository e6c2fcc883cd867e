"""Letters of another script, and loan words that may stand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.guard.scripts import foreign_letters
from sampling.simulated.phrases import LANGUAGES
from tests.sampling.guard.samples import phrases


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("hi", "एक शक्ति और दान होना नecessर है।"),
        ("hi", "परिवार 未来 से पहले आता है।"),
        ("hi", "यह बात personalहै और रहेगी।"),
        ("it", "Cercate una家 per i genitori."),
        ("en", "It is a personal,づ."),
        ("en", "Be ready to commit to their未来"),
        ("en", "Lend it to дядя and wait."),
        ("fr", "Votre семья passe avant tout."),
        ("pt", "Ajude a sua família, भाई."),
    ],
)
def test_letters_of_another_script_are_seen(language: str, text: str) -> None:
    assert foreign_letters(text, language=language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("hi", "यह EMI और loan की बात है।"),
        ("hi", "EMI-वाला घर लीजिए, 20% बचाइए।"),
        ("en", "Naïve façades, 5 µm and ½ a day: 100 € at most."),
        ("fr", "L’œuvre d’une vie — ça suffit… 😀"),
        ("en", "All of it is plain."),
        ("ja", "これは日本語です。"),
    ],
)
def test_loan_words_signs_and_emoji_may_stand(language: str, text: str) -> None:
    assert not foreign_letters(text, language=language)


def test_letters_that_the_person_wrote_may_be_answered_with() -> None:
    answer = "The word семья means family."

    assert foreign_letters(answer, language="en")
    assert not foreign_letters(answer, language="en", said="What does семья mean?")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_that_people_wrote_has_any(language: str) -> None:
    found = [text for text in phrases(language) if foreign_letters(text, language=language)]

    assert found == []


@given(st.sampled_from(list(phrases("hi"))), st.sampled_from("aeknrst"), st.integers(1, 200))
def test_a_latin_letter_inside_a_hindi_word_is_always_seen(text: str, letter: str, at: int) -> None:
    places = [n for n, (one, two) in enumerate(pairwise(text)) if (one + two).isalpha()]
    place = places[at % len(places)] + 1

    assert foreign_letters(text[:place] + letter + text[place:], language="hi")


@given(st.sampled_from(list(phrases("en", "fr", "it", "pt"))), st.sampled_from("家づकяع한"))
def test_a_foreign_letter_anywhere_in_a_latin_text_is_seen(text: str, letter: str) -> None:
    middle = len(text) // 2

    assert foreign_letters(text[:middle] + letter + text[middle:], language="it")
