"""The texts of the demonstration: every one in five languages, written as each of them is."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import polib
import pytest
import regex
from django.conf import settings

from console import study_reading
from tests.console.study_files import DEMO

FILE = study_reading.read(DEMO.read_bytes()).file
LANGUAGES = {"en", "fr", "it", "pt", "hi"}
LOCALES = {"fr": "fr", "it": "it", "pt": "pt_BR", "hi": "hi"}


def texts(value: Any) -> Iterator[dict[str, str]]:
    """Every text of the file as a dict by language, wherever it stands."""
    if isinstance(value, dict) and value.keys() & LANGUAGES:
        yield {
            key: text if isinstance(text, str) else text[-1]["content"]
            for key, text in value.items()
        }
        return
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in below:
        yield from texts(one)


TEXTS = list(texts(FILE.model_dump(mode="json")))
PROMPTS = [{key: text[0].content for key, text in prompt.texts.items()} for prompt in FILE.prompts]


def test_there_are_enough_prompts_of_many_kinds() -> None:
    assert len(FILE.prompts) >= 24
    assert len({prompt.category for prompt in FILE.prompts}) >= 10


def test_every_text_is_there_in_five_languages() -> None:
    assert len(TEXTS) > len(FILE.prompts)
    assert all(text.keys() == LANGUAGES for text in TEXTS)


def test_every_text_is_in_the_script_of_its_language() -> None:
    for text in TEXTS:
        devanagari = regex.findall(r"\p{Devanagari}", text["hi"])
        latin = regex.findall(r"\p{Latin}", text["hi"])
        assert len(devanagari) > len(latin), text["hi"]
        others = "".join(text[language] for language in LANGUAGES - {"hi"})
        assert not regex.search(r"[^\p{Latin}\p{Common}\p{Inherited}]", others), others


def test_no_two_prompts_and_no_two_languages_say_the_same() -> None:
    said = [text.casefold() for prompt in PROMPTS for text in prompt.values()]
    assert len(said) == len(set(said)) == 5 * len(PROMPTS)


def test_every_prompt_is_one_or_two_sentences_that_end_in_a_question() -> None:
    for prompt in PROMPTS:
        for language, text in prompt.items():
            assert text.endswith("?"), text
            assert len(regex.findall(r"[.?!।]+(?=\s|$)", text)) <= 3, text
            assert 5 <= len(text.split()) <= 40, (language, text)


def test_letters_are_composed_and_french_marks_keep_their_space() -> None:
    assert unicodedata.is_normalized("NFC", DEMO.read_text())
    for text in TEXTS:
        assert not regex.search(r"[ \w][?!;](?=\s|$)|[ \w]»|« ", text["fr"]), text["fr"]


def test_quotes_and_apostrophes_are_those_of_print() -> None:
    assert not [text for one in TEXTS for text in one.values() if "'" in text or '"' in text]


def test_the_local_model_answers_in_english_and_says_what_it_is() -> None:
    plans = {cohort.slug: cohort.arms[0].plan for cohort in FILE.cohorts}
    english = [slug for slug, plan in plans.items() if plan == "persona"]
    assert english == ["us-en", "in-en"]
    notices = {entry.name: entry.notice or {} for entry in FILE.endpoints}
    assert notices["local-model"]["en"].startswith("These answers come from SmolLM2-135M, a very")
    assert notices["simulated"]["en"].endswith("Connect a model to collect real data.")


@pytest.mark.parametrize("language", sorted(LOCALES))
@pytest.mark.parametrize(
    ("label", "where"), [("None of these represents me", "instructions"), ("Withdraw", "consent")]
)
def test_buttons_are_called_what_the_pages_call_them(label: str, where: str, language: str) -> None:
    path = settings.ROOT / "locale" / LOCALES[language] / "LC_MESSAGES" / "django.po"
    entry = polib.pofile(str(path)).find(label)
    texts = FILE.instructions if where == "instructions" else FILE.consent.texts
    named = {str(key): text for key, text in texts.items()}[language]
    assert entry is not None
    assert entry.msgstr in named
