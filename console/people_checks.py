"""What a study file asks of people before their work: consent, questions, tutorial.

Each fault is what is wrong between fields that are each right by themselves.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from console.marked_yaml import Path
from console.rule_fields import DATA_LANGUAGES
from console.study_file import CohortEntry, StudyFile
from studies import bank
from studies.consenting import CONVERSATIONS, PURPOSES, SENSITIVE, TAKE_PART
from studies.questionnaires import part_of
from studies.questions import AnyQuestion, ChoiceQuestion, NumberQuestion

Fault = tuple[Path, str, str]

QUESTIONS: Path = ("questionnaire", "questions")


def people_faults(file: StudyFile) -> Iterator[Fault]:
    """Every fault of the consent, the questionnaire and the tutorial of a file."""
    yield from _consent_faults(file)
    yield from _unknown_keys(file)
    yield from _repeated_keys(file)
    yield from _condition_faults(file)
    yield from _tutorial_faults(file)
    yield from _missing_texts(file)


def repeated(path: Path, field: str, values: list[str]) -> Iterator[Fault]:
    """A fault for each value that stands in a list before."""
    counts = Counter(values)
    for at, value in enumerate(values):
        if counts[value] > 1 and values.index(value) < at:
            wrong = f"{value!r} is already the {field} of entry {values.index(value) + 1}"
            yield (*path, at, field), wrong, f"give each its own {field}"


def _consent_faults(file: StudyFile) -> Iterator[Fault]:
    consent = file.consent
    at: Path = ("consent", "purposes")
    if TAKE_PART not in consent.purposes:
        yield at, "take_part is missing", "people must agree to take part"
    for number, purpose in enumerate(consent.purposes):
        if purpose in consent.purposes[:number]:
            yield (*at, number), f"{purpose!r} stands here twice", "ask for each purpose once"
        if purpose not in (*PURPOSES, *consent.asks):
            todo = f"word it under asks, or use one of: {', '.join(PURPOSES)}"
            yield (*at, number), f"no words are known for {purpose!r}", todo
    for purpose in consent.asks:
        if purpose not in consent.purposes:
            yield ("consent", "asks", purpose), "is no purpose", "add it to purposes"
    if SENSITIVE not in consent.purposes and any(_all(file, "sensitive")):
        wrong = "sensitive questions are asked without a consent of their own"
        yield at, wrong, f"add {SENSITIVE}, or ask none"
    if CONVERSATIONS in consent.purposes:
        yield from _unnamed_endpoints(file)
    yield from _consent_text_faults(file)


def _consent_text_faults(file: StudyFile) -> Iterator[Fault]:
    """Texts of a country stand in for the others: they are for a cohort, and in English too."""
    texts: dict[Path, Mapping[Any, str]] = {("consent", "texts"): file.consent.texts}
    countries = {cohort.country for cohort in file.cohorts}
    for country, own in file.consent.by_country.items():
        path: Path = ("consent", "by_country", country)
        texts[path] = own
        if country not in countries:
            yield path, f"no cohort is in {country}", f"use one of: {', '.join(sorted(countries))}"
    for path, one in texts.items():
        if "en" not in one:
            wrong = "no English text, which people see whose interface language has none"
            yield path, wrong, "add a line `en: ...`"


def _unnamed_endpoints(file: StudyFile) -> Iterator[Fault]:
    """Whoever agrees that conversations are sent somewhere is told where."""
    for at, endpoint in enumerate(file.endpoints):
        for field in ("operator", "country", "retention"):
            if endpoint.kind == "model" and not getattr(endpoint, field):
                wrong = f"has no {field}, and the consent to conversations names it"
                yield ("endpoints", at), wrong, f"add a line `{field}: ...`"


def _all(file: StudyFile, trait: str) -> list[AnyQuestion]:
    return [one for one in file.questions() if getattr(one, trait)]


def _unknown_keys(file: StudyFile) -> Iterator[Fault]:
    """Names that lead to no question."""
    form = file.questionnaire
    stocked = bank.questions(form.bank) if form.bank else {}
    for at, key in enumerate(form.ask):
        if not form.bank:
            yield ("questionnaire", "ask"), "names no bank", "add a line `bank: ...`"
            return
        if key not in stocked:
            todo = f"use one of: {', '.join(stocked)}"
            yield ("questionnaire", "ask", at), f"the bank has no question {key!r}", todo
    asked = {one.key: one for one in form.all_questions()}
    for at, key in enumerate(form.quota):
        if key not in asked:
            todo = f"use one of: {', '.join(asked)}"
            yield ("questionnaire", "quota", at), f"no question is named {key!r}", todo
        elif asked[key].sensitive:
            wrong = f"{key!r} is sensitive, and a quota is settled before such questions"
            yield ("questionnaire", "quota", at), wrong, "take it out"


def _repeated_keys(file: StudyFile) -> Iterator[Fault]:
    form = file.questionnaire
    yield from repeated(QUESTIONS, "key", [one.key for one in form.questions])
    yield from repeated(("questionnaire", "sections"), "key", [one.key for one in form.sections])
    taken = {*form.ask, *(one.bands.key for one in _numbers(form.all_questions()) if one.bands)}
    for at, question in enumerate(form.questions):
        if question.key in taken:
            wrong = f"{question.key!r} is the key of another question, or of its bands"
            yield (*QUESTIONS, at, "key"), wrong, "give it a key of its own"
        if isinstance(question, ChoiceQuestion):
            values = [option.value for option in question.options]
            yield from repeated((*QUESTIONS, at, "options"), "value", values)
        if question.section and question.section not in {one.key for one in form.sections}:
            wrong = f"no section is named {question.section!r}"
            yield (*QUESTIONS, at, "section"), wrong, "describe it under sections"


def _numbers(questions: Iterable[AnyQuestion]) -> list[NumberQuestion]:
    return [one for one in questions if isinstance(one, NumberQuestion)]


def _condition_faults(file: StudyFile) -> Iterator[Fault]:
    """A question can only depend on an answer that is there by then."""
    asked = sorted(file.questions(), key=part_of)
    before: dict[str, AnyQuestion] = {}
    own = {one.key: at for at, one in enumerate(file.questionnaire.questions)}
    for question in asked:
        condition = question.ask_if
        if condition is not None and question.key in own:
            path: Path = (*QUESTIONS, own[question.key], "ask_if")
            other = before.get(condition.key)
            if other is None:
                wrong = f"{condition.key!r} is not asked before it"
                yield (*path, "key"), wrong, "name a question that comes earlier"
            elif isinstance(other, ChoiceQuestion):
                values = {option.value for option in other.options}
                if unknown := sorted(set(condition.one_of or []) - values):
                    wrong = f"{condition.key} has no option {unknown[0]!r}"
                    yield (*path, "one_of"), wrong, f"use some of: {', '.join(sorted(values))}"
        before[question.key] = question


def _tutorial_faults(file: StudyFile) -> Iterator[Fault]:
    if file.tutorial is None:
        return
    keys = [one.key for one in file.tutorial.check]
    yield from repeated(("tutorial", "check"), "key", keys)
    if file.tutorial.reading is None:
        return
    reading: Path = ("tutorial", "reading")
    languages = {cohort.slug: cohort.language for cohort in file.cohorts}
    for at, slug in enumerate(file.tutorial.reading.cohorts):
        if slug not in languages:
            todo = f"use one of: {', '.join(languages)}"
            yield (*reading, "cohorts", at), f"no cohort is named {slug!r}", todo
        elif languages[slug] not in file.tutorial.reading.text:
            name = DATA_LANGUAGES[languages[slug]]
            wrong = f"no {name} text, and cohort {slug} reads {name}"
            yield (*reading, "text"), wrong, f"add a line `{languages[slug]}: ...`"


def _missing_texts(file: StudyFile) -> Iterator[Fault]:
    """What is asked somewhere stands in the languages of that country's cohorts."""
    for path, texts, countries in _texts(file):
        told: set[str] = set()
        for cohort in file.cohorts:
            if not _concerns(cohort, countries) or cohort.language in {*texts, *told}:
                continue
            told.add(cohort.language)
            name = DATA_LANGUAGES[cohort.language]
            wrong = f"no {name} text, and cohort {cohort.slug} is in {name}"
            yield path, wrong, f"add a line `{cohort.language}: ...`"


def _concerns(cohort: CohortEntry, countries: list[str] | None) -> bool:
    return countries is None or cohort.country in countries


def _texts(file: StudyFile) -> Iterator[tuple[Path, Mapping[Any, str], list[str] | None]]:
    """Every text of these parts with its path, and the countries where it is read; None for all."""
    for purpose, texts in file.consent.asks.items():
        yield ("consent", "asks", purpose), texts, None
    for country, texts in file.consent.by_country.items():
        yield ("consent", "by_country", country), texts, [country]
    for at, section in enumerate(file.questionnaire.sections):
        yield ("questionnaire", "sections", at, "title"), section.title, None
    for at, question in enumerate(file.questionnaire.questions):
        path: Path = (*QUESTIONS, at)
        yield (*path, "label"), question.label, question.countries
        if question.hint is not None:
            yield (*path, "hint"), question.hint, question.countries
        for number, option in enumerate(getattr(question, "options", [])):
            place = (*path, "options", number, "label")
            yield place, option.label, option.countries or question.countries
    yield from _tutorial_texts(file)


def _tutorial_texts(file: StudyFile) -> Iterator[tuple[Path, Mapping[Any, str], None]]:
    tutorial = file.tutorial
    if tutorial is None:
        return
    for at, practice in enumerate(tutorial.practice):
        path: Path = ("tutorial", "practice", at)
        yield (*path, "message"), practice.message, None
        yield (*path, "feedback"), practice.feedback, None
        for number, answer in enumerate(practice.answers):
            yield (*path, "answers", number), answer, None
    for at, question in enumerate(tutorial.check):
        path = ("tutorial", "check", at)
        yield (*path, "label"), question.label, None
        yield (*path, "why"), question.why, None
        for number, option in enumerate(question.options):
            yield (*path, "options", number, "label"), option.label, None
