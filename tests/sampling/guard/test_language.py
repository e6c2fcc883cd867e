"""Cheap detection of the five data languages."""

import pytest

from sampling.guard.language import detect, mixes_scripts
from tests.sampling.test_drawing import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_of_a_dozen_words_is_told(language: str) -> None:
    assert detect(LANGUAGES[language]) in {language, None}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I would lend it to him, because family comes before money in every house."),
        ("fr", "Je lui prêterais cette somme, car la famille passe avant l'argent dans une vie."),
        ("it", "Io gli darei questa somma, perché la famiglia viene prima del denaro nella vita."),
        ("pt", "Eu emprestaria o dinheiro a ele, porque a família vem antes de tudo na vida."),
        ("hi", "मैं उसे पैसे दूँगा, क्योंकि परिवार पैसे से पहले आता है।"),
    ],
)
def test_a_sentence_of_each_language_is_told(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "Oui.", "12345", "Да, конечно, помогите брату.", "OK no"])
def test_what_cannot_be_told_is_left_open(text: str) -> None:
    assert detect(text) is None


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("यह नecessर है।", True),
        ("यह EMI और loan की बात है।", False),
        ("All of it is plain.", False),
    ],
)
def test_letters_of_another_script_inside_a_word_are_seen(text: str, *, mixed: bool) -> None:
    assert mixes_scripts(text) is mixed
