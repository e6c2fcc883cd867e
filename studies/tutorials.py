"""The tutorial before the work: practice without a right answer, and checks that have one.

A check may be tried twice. Failing it twice ends the visit at its very start, paid and never as a
rejection. The reading item is for cohorts that read in a second language.
"""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from studies.file_fields import AnswerKey, Strict, Texts

TRIES = 2


class Practice(Strict):
    """A comparison to practise on: whatever is chosen, `feedback` says what the choice meant."""

    message: Texts
    answers: list[Texts] = Field(min_length=2, max_length=8)
    feedback: Texts


class CheckOption(Strict):
    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Texts
    right: bool = False


class CheckQuestion(Strict):
    """A question with one right answer; `why` explains it after a wrong one."""

    key: AnswerKey
    label: Texts
    options: list[CheckOption] = Field(min_length=2, max_length=10)
    why: Texts

    @model_validator(mode="after")
    def _one_is_right(self) -> Self:
        if sum(option.right for option in self.options) != 1:
            raise PydanticCustomError("one_right", "exactly one option has `right: true`")
        return self

    def is_right(self, value: str) -> bool:
        return any(option.right and option.value == value for option in self.options)


class Reading(Strict):
    """A short text in the cohort's language, and questions about it."""

    cohorts: list[str] = Field(min_length=1)
    text: Texts
    questions: list[CheckQuestion] = Field(min_length=1, max_length=5)


class Tutorial(Strict):
    practice: list[Practice] = Field(default=[], max_length=5)
    check: list[CheckQuestion] = Field(default=[], max_length=10)
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One page of a tutorial: a practice, or questions to be answered rightly, with their text."""

    name: str
    practice: Practice | None = None
    questions: tuple[CheckQuestion, ...] = ()
    text: Texts | None = None


def items_of(tutorial: Tutorial | None, *, cohort: str) -> list[Item]:
    """The pages of a tutorial for a cohort, by its slug, in order; empty without a tutorial."""
    if tutorial is None:
        return []
    items = [
        Item(f"practice-{number}", practice=practice)
        for number, practice in enumerate(tutorial.practice, start=1)
    ]
    if tutorial.reading and cohort in tutorial.reading.cohorts:
        reading = tutorial.reading
        items.append(Item("reading", questions=tuple(reading.questions), text=reading.text))
    if tutorial.check:
        items.append(Item("check", questions=tuple(tutorial.check)))
    return items
