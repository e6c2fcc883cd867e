"""Reads a study file: gives a StudyFile, or every problem with its line, its field and what to do.

Nothing here touches the database.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from babel import Locale
from pydantic import ValidationError
from pydantic_core import to_json

from console import marked_yaml
from console.arrival_checks import arrival_faults
from console.file_problems import explain, named
from console.marked_yaml import Marked, Path, Problem
from console.people_checks import Fault, people_faults, repeated
from console.rule_fields import DATA_LANGUAGES, LanguageCode, OwnReasons, ReasonEntry
from console.study_file import StudyFile

REAL, SIMULATED = "real", "simulated"
# Codes that Babel names, and no people live under.
NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})

_SCHEMA = StudyFile.model_json_schema()
KNOWN_FIELDS = frozenset(
    field for part in (_SCHEMA, *_SCHEMA["$defs"].values()) for field in part.get("properties", ())
)


class InvalidStudyFile(ValueError):
    """A study file that cannot be loaded. `problems` are in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Reading:
    """A valid study file: its meaning, its text byte for byte, and the lines of its fields."""

    file: StudyFile
    text: str
    marked: Marked

    def problem(self, path: Path, wrong: str, todo: str) -> Problem:
        """A problem at a field of the file, for what only the database can know."""
        return Problem(self.marked.line(path), named(path, self.marked.value), wrong, todo)


def read(data: bytes) -> Reading:
    """The study that a file describes. Raises InvalidStudyFile with every problem found."""
    try:
        text = marked_yaml.decode(data)
        marked = marked_yaml.read(text)
    except marked_yaml.Unreadable as fault:
        raise InvalidStudyFile(fault.problems) from None
    if not isinstance(marked.value, dict):
        wrong = "the file must hold named fields, such as `study: my-study`"
        raise InvalidStudyFile([Problem(1, "", wrong, "see docs/study-file.md")])
    try:
        # By way of JSON: there lists may become tuples, and nothing else changes its type.
        file = StudyFile.model_validate_json(to_json(marked.value))
    except ValidationError as fault:
        raise InvalidStudyFile(
            explain(fault, marked=marked, of=StudyFile, known_fields=KNOWN_FIELDS)
        ) from None
    reading = Reading(file, text, marked)
    if problems := [reading.problem(*fault) for fault in _contradictions(file)]:
        raise InvalidStudyFile(problems)
    return reading


def _contradictions(file: StudyFile) -> Iterator[Fault]:
    """What is wrong between fields that are each right by themselves."""
    yield from _repeats(file)
    yield from people_faults(file)
    yield from _unknown_names(file)
    yield from _missing_languages(file)
    yield from _prompt_faults(file)
    yield from _endpoint_faults(file)
    yield from _other_faults(file)
    yield from arrival_faults(file)


def _repeats(file: StudyFile) -> Iterator[Fault]:
    yield from repeated(("endpoints",), "name", [entry.name for entry in file.endpoints])
    yield from repeated(("cohorts",), "slug", [entry.slug for entry in file.cohorts])
    yield from repeated(("prompts",), "key", [entry.key for entry in file.prompts])
    reasons = [entry.key for entry in _own_reasons(file)]
    yield from repeated(("comparing", "reasons", "offered"), "key", reasons)
    for at, cohort in enumerate(file.cohorts):
        yield from repeated(("cohorts", at, "arms"), "name", [arm.name for arm in cohort.arms])


def _unknown_names(file: StudyFile) -> Iterator[Fault]:
    yield from _unknown_categories(file)
    for at, cohort in enumerate(file.cohorts):
        for number, arm in enumerate(cohort.arms):
            if arm.plan not in file.plans:
                todo = f"describe it under plans, or use one of: {_listed(file.plans)}"
                path = ("cohorts", at, "arms", number, "plan")
                yield path, f"no plan is named {arm.plan!r}", todo


def _unknown_categories(file: StudyFile) -> Iterator[Fault]:
    """A way of making sets that no prompt of the file would ever be given."""
    categories = {prompt.category for prompt in file.prompts}
    for name, plan in file.plans.items():
        for category in plan.by_category:
            if category not in categories:
                todo = f"use a category of the prompts: {_listed(categories)}"
                path: Path = ("plans", name, "by_category", category)
                yield path, f"no prompt has the category {category!r}", todo


def _missing_languages(file: StudyFile) -> Iterator[Fault]:
    """A person must be able to read everything in the language of their cohort."""
    for cohort in {cohort.language: cohort for cohort in reversed(file.cohorts)}.values():
        name = DATA_LANGUAGES[cohort.language]
        for path, texts in _texts(file):
            if cohort.language not in texts:
                wrong = f"no {name} text, and cohort {cohort.slug} is in {name}"
                yield path, wrong, f"add a line `{cohort.language}: ...`"


def _texts(file: StudyFile) -> Iterator[tuple[Path, Mapping[LanguageCode, Any]]]:
    """Every text of the file that people read, with its path."""
    yield ("title",), file.title
    yield ("instructions",), file.instructions
    yield ("consent", "texts"), file.consent.texts
    for field in ("about", "content_note"):
        if (texts := getattr(file, field)) is not None:
            yield (field,), texts
    for part in ("question", "none_question"):
        texts = getattr(file.explanation, part)
        if texts is not None or file.explanation.rule != "never":
            yield ("explanation", part), texts or {}
    yield from _own_prompt_texts(file)
    if file.explanation.example is not None:
        yield ("explanation", "example"), file.explanation.example
    for at, reason in enumerate(_own_reasons(file)):
        yield ("comparing", "reasons", "offered", at, "label"), reason.label
    for at, endpoint in enumerate(file.endpoints):
        if endpoint.notice is not None:
            yield ("endpoints", at, "notice"), endpoint.notice
    for at, prompt in enumerate(file.prompts):
        yield ("prompts", at, "texts"), prompt.texts


def _own_prompt_texts(file: StudyFile) -> Iterator[tuple[Path, Mapping[LanguageCode, Any]]]:
    said = file.own_prompts
    if said is None:
        return
    for country, texts in (said.guidance or {}).items():
        yield ("own_prompts", "guidance", country), texts
    for country, lines in (said.helplines or {}).items():
        for at, line in enumerate(lines):
            if line.hours is not None:
                yield ("own_prompts", "helplines", country, at, "hours"), line.hours


def _own_reasons(file: StudyFile) -> list[ReasonEntry]:
    """The reasons that the file lists itself; none when it names a list of ours."""
    said = file.comparing.reasons if file.comparing else None
    return said.offered if isinstance(said, OwnReasons) else []


def _prompt_faults(file: StudyFile) -> Iterator[Fault]:
    seen: dict[tuple[str, str], str] = {}
    for at, prompt in enumerate(file.prompts):
        for language, opening in prompt.texts.items():
            path: Path = ("prompts", at, "texts", language)
            if opening[-1].role != "user":
                yield path, "the last message is the assistant's", "end with a user message"
            if any(a.role == b.role for a, b in pairwise(opening)):
                todo = "let user and assistant take turns"
                yield path, "two messages in a row have the same role", todo
            earlier = seen.setdefault((language, opening[-1].content.strip()), prompt.key)
            if len(opening) == 1 and earlier != prompt.key:
                todo = "keep it under one key: sets are shared by text"
                yield path, f"the same text as prompt {earlier!r}", todo


def _endpoint_faults(file: StudyFile) -> Iterator[Fault]:
    for at, endpoint in enumerate(file.endpoints):
        if endpoint.secret == "SECRET_KEY":  # noqa: S105 the name of a variable, not a secret
            yield ("endpoints", at, "secret"), "is the site's own key", "name the model's key"
        if endpoint.kind == SIMULATED and endpoint.notice is None:
            wrong = "a simulated endpoint must say on the page what it is"
            yield ("endpoints", at), wrong, "add a notice in each language"
    entries = {entry.name: entry for entry in file.endpoints}
    for path, name, serves in _uses_of_endpoints(file):
        entry = entries.get(name)
        if entry is None:
            todo = f"describe it under endpoints, or use one of: {_listed(entries)}"
            yield path, f"no endpoint is named {name!r}", todo
        elif entry.serves != serves:
            wrong = f"{name} serves {entry.serves}, and here {serves} is needed"
            yield path, wrong, f"use an endpoint with `serves: {serves}`"
        elif file.kind == REAL and entry.kind == SIMULATED:
            wrong = "a study of kind real cannot have a plan on a simulated endpoint"
            yield path, wrong, "use a model, or another kind"


def _uses_of_endpoints(file: StudyFile) -> Iterator[tuple[Path, str, str]]:
    """Where a plan names an endpoint, which one, and what it has to serve there."""
    for name, plan in file.plans.items():
        for at, endpoint in enumerate(plan.endpoints):
            yield ("plans", name, "endpoints", at), endpoint, "chat"
        for check, endpoint, serves in plan.checks.endpoints() if plan.checks else ():
            yield ("plans", name, "checks", check, "endpoint"), endpoint, serves


def _other_faults(file: StudyFile) -> Iterator[Fault]:
    yield from _own_prompt_faults(file)
    categories = {prompt.category for prompt in file.prompts}
    if file.attention_category is not None and file.attention_category not in categories:
        wrong = f"no prompt is of the category {file.attention_category!r}"
        yield ("attention_category",), wrong, f"use one of: {_listed(categories)}"
    for at, cohort in enumerate(file.cohorts):
        if not is_country(cohort.country):
            wrong = f"{cohort.country!r} is no country"
            yield ("cohorts", at, "country"), wrong, "use its ISO 3166 code, such as IN"


def _own_prompt_faults(file: StudyFile) -> Iterator[Fault]:
    """Guidance and helplines are found by the country of a cohort: another one is a misspelling."""
    said = file.own_prompts
    countries = {cohort.country for cohort in file.cohorts}
    for part in ("guidance", "helplines"):
        for country in (getattr(said, part) if said else None) or {}:
            if country not in countries:
                todo = f"use a cohort's country: {_listed(countries)}"
                yield ("own_prompts", part, country), f"no cohort is in {country!r}", todo


@cache
def is_country(code: str) -> bool:
    return code in Locale("en").territories and code not in NO_COUNTRY


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
