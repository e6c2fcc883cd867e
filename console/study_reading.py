"""Reads a study file: gives a StudyFile, or every problem with its line, its field and what to do.

Nothing here touches the database.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from babel import Locale
from pydantic import ValidationError
from pydantic_core import to_json

from console import marked_yaml
from console.file_problems import explain, named
from console.marked_yaml import Marked, Path, Problem
from console.rule_fields import DATA_LANGUAGES, LanguageCode, OwnReasons, ReasonEntry
from console.study_file import StudyFile

REAL, SIMULATED = "real", "simulated"
# Codes that Babel names, and no people live under.
NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})

_SCHEMA = StudyFile.model_json_schema()
KNOWN_FIELDS = frozenset(
    field for part in (_SCHEMA, *_SCHEMA["$defs"].values()) for field in part.get("properties", ())
)

Fault = tuple[Path, str, str]


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
        raise InvalidStudyFile(explain(fault, marked=marked, known_fields=KNOWN_FIELDS)) from None
    reading = Reading(file, text, marked)
    if problems := [reading.problem(*fault) for fault in _contradictions(file)]:
        raise InvalidStudyFile(problems)
    return reading


def _contradictions(file: StudyFile) -> Iterator[Fault]:
    """What is wrong between fields that are each right by themselves."""
    yield from _repeats(file)
    yield from _unknown_names(file)
    yield from _missing_languages(file)
    yield from _prompt_faults(file)
    yield from _endpoint_faults(file)
    yield from _other_faults(file)


def _repeats(file: StudyFile) -> Iterator[Fault]:
    yield from _repeated(("endpoints",), "name", [entry.name for entry in file.endpoints])
    yield from _repeated(("cohorts",), "slug", [entry.slug for entry in file.cohorts])
    yield from _repeated(("prompts",), "key", [entry.key for entry in file.prompts])
    reasons = [entry.key for entry in _own_reasons(file)]
    yield from _repeated(("comparing", "reasons", "offered"), "key", reasons)
    for at, cohort in enumerate(file.cohorts):
        yield from _repeated(("cohorts", at, "arms"), "name", [arm.name for arm in cohort.arms])
    questions: Path = ("questionnaire", "questions")
    yield from _repeated(questions, "key", [entry.key for entry in file.questionnaire.questions])
    for at, question in enumerate(file.questionnaire.questions):
        values = [option.value for option in question.options]
        yield from _repeated((*questions, at, "options"), "value", values)


def _repeated(path: Path, field: str, values: list[str]) -> Iterator[Fault]:
    counts = Counter(values)
    for at, value in enumerate(values):
        if counts[value] > 1 and values.index(value) < at:
            wrong = f"{value!r} is already the {field} of entry {values.index(value) + 1}"
            yield (*path, at, field), wrong, f"give each its own {field}"


def _unknown_names(file: StudyFile) -> Iterator[Fault]:
    endpoints = {entry.name for entry in file.endpoints}
    for name, plan in file.plans.items():
        for at, endpoint in enumerate(plan.endpoints):
            if endpoint not in endpoints:
                todo = f"describe it under endpoints, or use one of: {_listed(endpoints)}"
                yield ("plans", name, "endpoints", at), f"no endpoint is named {endpoint!r}", todo
    for at, cohort in enumerate(file.cohorts):
        for number, arm in enumerate(cohort.arms):
            if arm.plan not in file.plans:
                todo = f"describe it under plans, or use one of: {_listed(file.plans)}"
                path = ("cohorts", at, "arms", number, "plan")
                yield path, f"no plan is named {arm.plan!r}", todo


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
    for part in ("question", "none_question"):
        texts = getattr(file.explanation, part)
        if texts is not None or file.explanation.rule != "never":
            yield ("explanation", part), texts or {}
    if file.explanation.example is not None:
        yield ("explanation", "example"), file.explanation.example
    for at, reason in enumerate(_own_reasons(file)):
        yield ("comparing", "reasons", "offered", at, "label"), reason.label
    for at, endpoint in enumerate(file.endpoints):
        if endpoint.notice is not None:
            yield ("endpoints", at, "notice"), endpoint.notice
    for at, question in enumerate(file.questionnaire.questions):
        yield ("questionnaire", "questions", at, "label"), question.label
        for number, option in enumerate(question.options):
            path = ("questionnaire", "questions", at, "options", number, "label")
            yield path, option.label
    for at, prompt in enumerate(file.prompts):
        yield ("prompts", at, "texts"), prompt.texts


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
    simulated = {entry.name for entry in file.endpoints if entry.kind == SIMULATED}
    for name, plan in file.plans.items():
        for at, endpoint_name in enumerate(plan.endpoints):
            if file.kind == REAL and endpoint_name in simulated:
                wrong = "a study of kind real cannot have a plan on a simulated endpoint"
                yield ("plans", name, "endpoints", at), wrong, "use a model, or another kind"


def _other_faults(file: StudyFile) -> Iterator[Fault]:
    if "take_part" not in file.consent.purposes:
        yield ("consent", "purposes"), "take_part is missing", "people must agree to take part"
    if "en" not in file.consent.texts:
        wrong = "no English text, which people see whose interface language has none"
        yield ("consent", "texts"), wrong, "add a line `en: ...`"
    for at, cohort in enumerate(file.cohorts):
        if not is_country(cohort.country):
            wrong = f"{cohort.country!r} is no country"
            yield ("cohorts", at, "country"), wrong, "use its ISO 3166 code, such as IN"


@cache
def is_country(code: str) -> bool:
    return code in Locale("en").territories and code not in NO_COUNTRY


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
