"""A questionnaire with everything in it, and steps through it, for tests."""

from collections.abc import Sequence
from typing import Any

from annotation.agreeing import agree as agree_to
from studies.answering import answer_page
from studies.models import ConsentDocument, Enrolment
from studies.questions import REFUSED
from studies.stages import Stage, take_step
from tests import factories
from tests.factories import World

LABEL = {"en": "What?"}
PURPOSES = ["take_part", "sensitive_questions", "public_release"]


def options(*values: str, **traits: Any) -> list[dict[str, Any]]:
    return [{"value": value, "label": {"en": f"It is {value}"}, **traits} for value in values]


YEAR: dict[str, Any] = {
    "key": "year_of_birth",
    "kind": "number",
    "label": {"en": "In which year were you born?"},
    "quota": True,
    "min": 1900,
    "max": 2025,
    "year_of_birth": True,
    "under": 18,
    "bands": {"key": "age_band", "values": ["18-34", "35+"]},
}
SPEAKS: dict[str, Any] = {
    "key": "languages",
    "kind": "multiple",
    "label": {"en": "Which languages do you speak?"},
    "shuffle": True,
    "options": [*options(*"abcdefgh"), *options(REFUSED)],
}
WHERE: dict[str, Any] = {
    "key": "first_language",
    "kind": "text",
    "label": {"en": "Which one is closest to your heart?"},
    "ask_if": {"key": "languages", "one_of": ["a"]},
    "max_length": 40,
}
ORIGIN: dict[str, Any] = {
    "key": "origin",
    "kind": "single",
    "label": {"en": "Which describes you best?"},
    "sensitive": True,
    "options": [
        *options("american", countries=["US"]),
        *options("french", countries=["FR"]),
        *options(REFUSED),
    ],
}
# Not in the order of asking: parts come before the order of the file.
QUESTIONS = [ORIGIN, SPEAKS, WHERE, YEAR]


def asking_world(questions: Sequence[dict[str, Any]] = QUESTIONS, **traits: Any) -> World:
    traits = {"purposes": PURPOSES, **traits}
    return factories.world(questions=questions, **traits)


def consented(of: World) -> Enrolment:
    """A person who has agreed to take part, and to nothing else yet."""
    person = factories.enrolment(of.cohort, state="consented")
    factories.consent_record(person, document=of.consent)
    return person


def answer(person: Enrolment, page: str = "", **posted: str | list[str]) -> Stage:
    """Answer a page; returns what comes next."""
    lists = {key: value if isinstance(value, list) else [value] for key, value in posted.items()}
    return take_step(person, lambda held, where: answer_page(held, where, page=page, posted=lists))


def agree(person: Enrolment, *purposes: str, version: int | None = None) -> Stage:
    """Say yes to these of the purposes that are still to ask, and no to the others."""
    documents = ConsentDocument.objects.filter(study=person.study_id).order_by("-version")
    document = documents.filter(version=version).get() if version else documents[0]
    answers = {purpose: purpose in ("take_part", *purposes) for purpose in document.purposes}
    return take_step(
        person, lambda held, where: agree_to(held, where, document=document, answers=answers)
    )
