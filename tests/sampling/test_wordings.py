"""The words that we put into requests."""

import pytest

from sampling import wordings
from sampling.errors import BadRequest


def test_the_published_sentences_are_unchanged() -> None:
    assert wordings.published(4).text == (
        "Generate four responses that represent diverse values. Each response should start with "
        "### to demarcate where one begins and the other ends."
    )
    assert wordings.published(4).stamp == "published.1:7e3fdefd9dd6a979"


@pytest.mark.parametrize(("k", "number"), [(2, "two"), (3, "three"), (5, "five"), (8, "eight")])
def test_other_numbers_take_the_parametrised_form(k: int, number: str) -> None:
    assert wordings.published(k).text.startswith(f"Generate {number} responses that represent")
    assert wordings.published(k).name == "published-for-k.1"


def test_our_lines_are_the_measured_ones() -> None:
    part = wordings.responses_part(language="pt", sentences=2, words=45)

    assert part.text == (
        "Write each response in Brazilian Portuguese, in two sentences (about 45 words), as plain "
        "text: no title, no number, no list, no bold. Each response answers the person directly."
    )


def test_one_sentence_is_one_sentence() -> None:
    part = wordings.answer_part(language="hi", sentences=1, words=20)

    assert part.text.startswith("Answer in Hindi, in one sentence (about 20 words), as plain text:")


def test_other_languages_go_by_their_english_name() -> None:
    assert wordings.language_name("de") == "German"
    assert wordings.language_name("ta") == "Tamil"


@pytest.mark.parametrize("code", ["", "xx", "english", "e n", "../x"])
def test_a_code_that_is_no_language_is_refused(code: str) -> None:
    with pytest.raises(BadRequest, match="language"):
        wordings.language_name(code)


def test_room_for_answers_follows_the_measured_tokens() -> None:
    assert wordings.tokens_for_answer(language="en", words=45) == 122
    assert wordings.tokens_for_answer(language="hi", words=45) == 370
    assert wordings.tokens_for_responses(language="en", words=45, k=4) == 4 * 122 + 40
