import unicodedata

import pytest

from sampling.guard.echoes import echoes
from sampling.guard.language import detect, mixes_scripts
from sampling.guard.refusals import identifies_itself, refuses
from sampling.simulated.phrases import LANGUAGES, STANCES, Stance, phrases
from sampling.strategies import persona

EVERY_STANCE = [(language, name) for language in LANGUAGES for name in STANCES]


def whole_sentences(stance: Stance) -> tuple[str, ...]:
    return (*stance.sentences, *stance.closings, *stance.positions)


@pytest.mark.parametrize(("language", "name"), EVERY_STANCE)
def test_every_stance_has_a_dozen_sentences_and_several_openings(language: str, name: str) -> None:
    stance = phrases(language).stances[name]
    assert len(set(stance.sentences)) >= 12
    assert len(set(stance.leads)) >= 6
    assert len(set(stance.closings)) >= 3


@pytest.mark.parametrize(("language", "name"), EVERY_STANCE)
def test_every_sentence_ends_and_is_in_its_language(language: str, name: str) -> None:
    stance = phrases(language).stances[name]
    for text in (*whole_sentences(stance), *stance.leads):
        assert text.endswith("।" if language == "hi" else ".")
        # The detector needs about a dozen words.
        assert len(text.split()) < 12 or detect(text) in {language, None}, text
        assert not mixes_scripts(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_twice_in_a_language(language: str) -> None:
    stances = phrases(language).stances.values()
    texts = [text for one in stances for text in (*whole_sentences(one), *one.leads)]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(("language", "name"), EVERY_STANCE)
def test_no_sentence_repeats_what_its_writer_was_asked(language: str, name: str) -> None:
    stance = phrases(language).stances[name]
    asked = [*persona.STANCES.values(), *stance.positions]

    for text in (*stance.sentences, *stance.closings, *stance.leads):
        assert not echoes(text, own=asked), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_speaks_of_itself_does_not_refuse(language: str) -> None:
    for text in phrases(language).selves:
        assert identifies_itself(text)
        assert not refuses(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_normalised_so_that_they_are_found_again(language: str) -> None:
    for stance in phrases(language).stances.values():
        for text in (*whole_sentences(stance), *stance.leads):
            assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_know_the_same_topics(language: str) -> None:
    assert phrases(language).topics.keys() == phrases("en").topics.keys()
    assert all(len(topic.frames) >= 3 for topic in phrases(language).topics.values())


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        phrases("../en")
