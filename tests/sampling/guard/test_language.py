"""Cheap detection of the five data languages."""

import pytest

from sampling.guard.language import detect, in_another_language
from sampling.guard.words import count_words
from tests.sampling.guard.samples import phrases
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


LONG = {
    language: [text for text in phrases(language) if count_words(text) >= 15]
    for language in LANGUAGES
}


@pytest.mark.parametrize("text", LONG["en"])
@pytest.mark.parametrize("asked", ["hi", "fr", "it", "pt"])
def test_an_english_answer_of_fifteen_words_is_found_wherever_it_was_not_asked(
    text: str, asked: str
) -> None:
    assert in_another_language(text, asked)


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language in LANGUAGES for text in phrases(language)]
)
def test_no_sentence_is_taken_for_another_language(language: str, text: str) -> None:
    assert not in_another_language(text, language)


@pytest.mark.parametrize(
    "text",
    [
        "Aap apne bhai ko paise udhaar de sakte hain, lekin pehle ek kaagaz par likh lijiye.",
        "Mujhe lagta hai ki parivaar sabse pehle aata hai aur paisa baad mein.",
        "Bilkul mat dijiye; zindagi bhar pachhtaenge, bachat sambhaliye.",
    ],
)
def test_romanised_hindi_is_not_hindi(text: str) -> None:
    assert in_another_language(text, "hi")


def test_loan_words_leave_a_text_hindi() -> None:
    assert not in_another_language("EMI और loan की बात घर में पहले कर लीजिए, फिर bank जाइए।", "hi")


def test_a_text_too_short_to_tell_is_given_the_benefit() -> None:
    assert not in_another_language("Oui, oui.", "it")
    assert not in_another_language("OK.", "hi")
