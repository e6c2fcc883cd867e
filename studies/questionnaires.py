"""A questionnaire as it is asked of one person: its pages, what is on each, and what is answered.

Pages come in three parts: questions that a quota or a screening needs, then what is not sensitive,
then what is. Within a part a section is a page; a question that depends on one of its own page
begins a new page, so that nothing has to appear or vanish while a page is filled in.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID

from studies import drawing
from studies.models import Answer, Enrolment, Questionnaire, SensitiveAnswer
from studies.questions import REFUSED, AnyQuestion, ChoiceQuestion, Option, Value, read_questions
from studies.rules import Rules, current_rules


class Part(IntEnum):
    """In the order in which they are asked."""

    QUOTA = 0
    PLAIN = 1
    SENSITIVE = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as one person sees it: `options` in their order on the page, `place` from 0."""

    question: AnyQuestion
    options: tuple[Option, ...]
    place: int

    @property
    def offered(self) -> list[str]:
        return [option.value for option in self.options]


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked at once. `name` is its address, `section` what the study file calls it."""

    name: str
    section: str
    part: Part
    asked: tuple[Asked, ...]

    @property
    def keys(self) -> set[str]:
        return {one.question.key for one in self.asked}


@dataclass(frozen=True, slots=True)
class Form:
    """The questions of one version of a questionnaire. Never changes, so that it can be kept."""

    id: UUID
    version: int
    questions: tuple[AnyQuestion, ...]
    sections: Mapping[str, Mapping[str, Any]]

    def title(self, section: str) -> Mapping[str, str]:
        """The study's words above a section, by language; empty when it has none."""
        title: Mapping[str, str] = self.sections.get(section, {}).get("title", {})
        return title

    def is_shuffled(self, section: str) -> bool:
        return bool(self.sections.get(section, {}).get("shuffle"))


def form_of(study_id: UUID, version: int) -> Form | None:
    """A version of a study's questionnaire; None when there is none. Its row is read once."""
    try:
        return _form(study_id, version)
    except Questionnaire.DoesNotExist:
        return None


@lru_cache(maxsize=256)
def _form(study_id: UUID, version: int) -> Form:
    row = Questionnaire.objects.get(study_id=study_id, version=version)
    questions = tuple(read_questions(row.questions))
    return Form(id=row.pk, version=version, questions=questions, sections=row.sections)


def asks_for_a_quota(enrolment: Enrolment, rules: Rules) -> bool:
    """Whether there is a question that a quota or a screening waits for, where this person lives.

    Expects `cohort` to be loaded; one query in the life of a process.
    """
    form = form_of(enrolment.study_id, rules.questionnaire_version)
    country = enrolment.cohort.country
    return any(
        one.quota and one.is_asked_in(country) and one.ask_if is None
        for one in (form.questions if form else ())
    )


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that is stored."""

    value: Value
    answered_at: datetime


@dataclass(frozen=True)
class Sheet:
    """The questionnaire of one person. `given` are their answers of this version, by key."""

    enrolment: Enrolment
    form: Form | None
    given: Mapping[str, Given]

    @cached_property
    def answers(self) -> dict[str, Value]:
        return {key: row.value for key, row in self.given.items()}

    @cached_property
    def pages(self) -> list[Page]:
        """Every page that this person is asked, as far as their answers tell."""
        return [
            Page(name, section, part, self._as_asked(section, questions))
            for name, section, part, all_questions in _laid_out(self.form)
            if part is not Part.SENSITIVE or "sensitive_questions" in self.enrolment.purposes
            if (questions := [one for one in all_questions if self._is_asked(one)])
        ]

    @property
    def next_page(self) -> Page | None:
        """The first page with a question that was not answered; None when there is none."""
        return next((page for page in self.pages if not page.keys <= self.given.keys()), None)

    @property
    def is_settled(self) -> bool:
        """Whether everything that a quota or a screening needs is answered."""
        return all(page.keys <= self.given.keys() for page in self.pages if page.part is Part.QUOTA)

    def page(self, name: str) -> Page | None:
        """The page of this name, when it may be filled in: the next one, or one before it.

        Without a name the next one. What a quota was settled by stands: there is no way back.
        """
        if not name:
            return self.next_page
        last = self.next_page
        reachable = self.pages[: self.pages.index(last) + 1] if last else self.pages
        settled = self.is_settled
        for page in reachable:
            if page.name == name:
                return None if settled and page.part is Part.QUOTA else page
        return None

    def before(self, page: Page) -> Page | None:
        """The page that "back" leads to; None at the first one, and after a quota was settled."""
        at = self.pages.index(page)
        return self.page(self.pages[at - 1].name) if at else None

    def _is_asked(self, question: AnyQuestion) -> bool:
        country = self.enrolment.cohort.country
        condition = question.ask_if
        return question.is_asked_in(country) and (
            condition is None or condition.holds(self.answers)
        )

    def _as_asked(self, section: str, questions: list[AnyQuestion]) -> tuple[Asked, ...]:
        if self.form and self.form.is_shuffled(section):
            questions = sorted(questions, key=lambda one: self._draw("questions", one.key))
        return tuple(
            Asked(question, self._options(question), place)
            for place, question in enumerate(questions)
        )

    def _options(self, question: AnyQuestion) -> tuple[Option, ...]:
        if not isinstance(question, ChoiceQuestion):
            return ()
        offered = question.offered_in(self.enrolment.cohort.country)
        if not question.shuffle:
            return tuple(offered)
        loose = iter(
            sorted(
                (one for one in offered if not _is_pinned(one)),
                key=lambda one: self._draw("options", question.key, one.value),
            )
        )
        return tuple(one if _is_pinned(one) else next(loose) for one in offered)

    def _draw(self, *what: str) -> float:
        """Where something falls on the page: by the study's seed, the same at every look."""
        return drawing.unit(self.enrolment.study.seed, "questionnaire", self.enrolment.pk, *what)


def sheet_of(enrolment: Enrolment, rules: Rules) -> Sheet:
    """The questionnaire that the rules name, as asked of this person.

    Expects `cohort` and `study` to be loaded; at most two queries.
    """
    form = form_of(enrolment.study_id, rules.questionnaire_version)
    given = _given(enrolment, form) if form and form.questions else {}
    return Sheet(enrolment=enrolment, form=form, given=given)


def _given(enrolment: Enrolment, form: Form) -> dict[str, Given]:
    plain, sensitive = (
        rows._default_manager.filter(
            enrolment_id=enrolment.pk, questionnaire_id=form.id
        ).values_list("key", "value", "answered_at")
        for rows in (Answer, SensitiveAnswer)
    )
    return {key: Given(value, at) for key, value, at in plain.union(sensitive, all=True)}


def answers_of(enrolment: Enrolment) -> dict[str, Value]:
    """What this person answered that is not sensitive, by key, with what follows from it.

    A number with bands gives its band under the key of the bands: a year of birth gives `age_band`.
    Expects `cohort` and `study` to be loaded; at most three queries.
    """
    return known_by(sheet_of(enrolment, current_rules(enrolment.study)))


def answers_of_all(enrolments: Collection[UUID]) -> list[dict[str, Value]]:
    """The same of many people, one dictionary each, in any order. Two queries."""
    given = Answer.objects.filter(enrolment__in=enrolments).order_by("questionnaire__version")
    people: dict[UUID, dict[UUID, dict[str, Given]]] = {pk: {} for pk in enrolments}
    for person, form, key, value, at in given.values_list(
        "enrolment_id", "questionnaire_id", "key", "value", "answered_at"
    ):
        people[person].setdefault(form, {})[key] = Given(value, at)
    forms = {row.pk: row for row in Questionnaire.objects.filter(answer__enrolment__in=enrolments)}
    questions = {pk: tuple(read_questions(row.questions)) for pk, row in forms.items()}
    return [
        {
            key: value
            for form, answers in of_person.items()
            for key, value in _known(questions[form], answers).items()
        }
        for of_person in people.values()
    ]


def known_by(sheet: Sheet) -> dict[str, Value]:
    """The same of a sheet that is at hand."""
    return _known(sheet.form.questions if sheet.form else (), sheet.given)


def _known(questions: Sequence[AnyQuestion], given: Mapping[str, Given]) -> dict[str, Value]:
    known: dict[str, Value] = {}
    for question in questions:
        if question.sensitive or question.key not in given:
            continue
        row = given[question.key]
        known[question.key] = row.value
        known |= question.derived(row.value, year=row.answered_at.year)
    return known


def _laid_out(
    form: Form | None,
) -> Iterator[tuple[str, str, Part, list[AnyQuestion]]]:
    """Name, section, part and questions of every page, asked or not."""
    questions = sorted(form.questions if form else (), key=part_of)  # stable: in the file's order
    names: set[str] = set()
    for part, of_part in groupby(questions, key=part_of):
        by_section: dict[str, list[AnyQuestion]] = {}
        for question in of_part:
            by_section.setdefault(question.section or part.name.lower(), []).append(question)
        for section, of_section in by_section.items():
            for page in _split(of_section):
                name = _free_name(section, names)
                names.add(name)
                yield name, section, part, page


def _split(questions: list[AnyQuestion]) -> Iterator[list[AnyQuestion]]:
    """A section in pages: none holds a question that depends on another one of it."""
    page: list[AnyQuestion] = []
    for question in questions:
        if question.ask_if and any(one.key == question.ask_if.key for one in page):
            yield page
            page = []
        page.append(question)
    yield page


def _free_name(section: str, taken: set[str]) -> str:
    """A name for a page that no other page has."""
    name, number = section, 2
    while name in taken:
        name, number = f"{section}-{number}", number + 1
    return name


def part_of(question: AnyQuestion) -> Part:
    """The part of the questionnaire that a question belongs to."""
    if question.sensitive:
        return Part.SENSITIVE
    return Part.QUOTA if question.quota else Part.PLAIN


def _is_pinned(option: Option) -> bool:
    return option.pinned or option.value == REFUSED
