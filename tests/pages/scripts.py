"""What of a page is in a script that is not its language's, less what the study itself says."""

from collections.abc import Iterable, Iterator
from typing import Any

import regex
from django.conf import settings
from django.db import transaction
from django.db.models import Model

from annotation.templatetags.reading import country_name
from sampling.models import Endpoint, Plan
from sampling.strategies import REGISTRY
from studies.models import (
    Cohort,
    Decision,
    Enquiry,
    Enrolment,
    Prompt,
    Questionnaire,
    Researcher,
    Study,
    StudyVersion,
)
from studies.models.study import Language
from tests.pages.reading import Texts
from tests.pages.states import State

# Letters A to D and the like are no words. What Babel and the clock write is not ours.
UNTRANSLATED = regex.compile(r"[A-Za-z]{2,}")
SCRIPTS = {
    "hi": regex.compile(r"[\p{L}--\p{Devanagari}]{2,}", regex.VERSION1),
    "ar": regex.compile(r"[\p{L}--\p{Arabic}]{2,}", regex.VERSION1),
}
NAMES_OF_OURS = ("Counterpoint", "UTC", "US$")
MOMENT = regex.compile(r"\p{L}+ \d{1,2}, \d{4}|\d{1,2}:\d\d\s[ap]m|\b\d+ min\b", regex.IGNORECASE)
IN_SCRIPT = [code for code in SCRIPTS if code not in settings.UNFINISHED_LANGUAGES]


def texts_with(wrong: regex.Pattern[str], state: State, locale: str) -> list[str]:
    """What is to be read on the page and is wrong, also less what the study says in English."""
    response = state.visit(locale).open()
    assert response.status_code == state.status, state.name
    read = Texts(response.content.decode())
    assert read.lang == locale, state.name
    doubtful = [text for text in read.texts if wrong.search(text)]
    if not doubtful:
        return []
    known = [*words_of_studies(), *(names_of_rows() if state.console else ())]
    return [text for text in doubtful if wrong.search(without(text, known))]


def words_of_studies() -> Iterator[str]:
    """What a page cannot mark with its language: the title in a window's own, what people wrote.

    And the keys that the factories put into openings, for these to differ.
    """
    yield from Prompt.objects.values_list("key", flat=True)
    yield from leaves(list(StudyVersion.objects.values_list("body__title", flat=True)))
    yield from leaves(list(Questionnaire.objects.values_list("sections", flat=True)))
    for told in Endpoint.objects.values_list("operator", "country", "retention"):
        yield from filter(None, told)
    # What Babel calls a country is English in the pseudo-language, as its dates are.
    yield from map(country_name, Endpoint.objects.values_list("country", flat=True))
    yield from Decision.objects.values_list("reason", flat=True)
    for asked in Enquiry.objects.values_list("text", "answer"):
        yield from filter(None, asked)


def names_of_rows() -> Iterator[str]:
    """What researchers know by its name in any language: a strategy, an endpoint, a slug."""
    named: list[tuple[type[Model], str]] = [
        (Study, "slug"),
        (Cohort, "slug"),
        (Endpoint, "name"),
        (Endpoint, "model"),
        (Endpoint, "revision"),
        (Researcher, "email"),
        (Enrolment, "pseudonym"),
        (Enrolment, "ui_language"),
    ]
    for model, name in named:
        yield from model._default_manager.values_list(name, flat=True)
    yield from Plan.objects.values_list("version", flat=True)
    yield from (*REGISTRY, "community_alignment", *Language.values, *Language.labels)
    yield from Cohort.objects.values_list("country", flat=True)


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for one in value.values() for text in leaves(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in leaves(one))


def without(text: str, known: Iterable[str]) -> str:
    names = {" ".join(words.split()) for words in (*known, *NAMES_OF_OURS)}
    for words in sorted(names, key=len, reverse=True):
        text = regex.sub(rf"(?<!\w){regex.escape(words)}(?!\w)", "", text)
    return MOMENT.sub("", text)


def wrong_texts(
    states: Iterable[State], locale: str, wrong: regex.Pattern[str]
) -> dict[str, list[str]]:
    """The texts of each state's page in which `wrong` is found."""
    found = {}
    for state in states:
        with transaction.atomic():
            found[state.name] = texts_with(wrong, state, locale)
            transaction.set_rollback(True)
    return {name: texts for name, texts in found.items() if texts}
