"""The types of questions: what each may hold in a study file, and how it reads an answer.

One class for each type: its fields are the study file's, `read` turns what a form posted into the
value that a row keeps, or raises Faulty with a code that a page turns into words. Values are a text
(single, text), a whole number (number) or a list of texts (multiple); None is left empty, REFUSED
is "prefer not to say".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

import regex
from pydantic import Field, StringConstraints, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from studies import texts
from studies.file_fields import AnswerKey, CountryCode, Strict, Texts

REFUSED = "prefer_not_to_say"
# In any script's digits: a Hindi keyboard writes its own.
WHOLE_NUMBER = regex.compile(r"[-−+]?\p{Nd}{1,9}")

Value = str | int | list[str] | None
Answers = Mapping[str, Value]


class Posted(NamedTuple):
    """What a form sent under the key of a question, and the options that were offered there."""

    values: Sequence[str]
    offered: Collection[str] = ()


class Faulty(ValueError):
    """An answer that is not taken.

    `code` is missing (nothing chosen), unknown (an option that was not offered), alone (an option
    that excludes the others), too_many, not_a_number, too_small, too_large, or one of
    texts.Unusable; `limit` is the number that a code is about.
    """

    def __init__(self, code: str, *, limit: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


class AskIf(Strict):
    """Ask only if an earlier question was answered so: with one of these values, or in a range."""

    key: AnswerKey
    one_of: list[str] | None = Field(default=None, min_length=1, max_length=100)
    at_least: int | None = None
    at_most: int | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.one_of is None and self.at_least is None and self.at_most is None:
            raise PydanticCustomError("condition", "needs one_of, at_least or at_most")
        return self

    def holds(self, answers: Answers) -> bool:
        """Whether the answer that is there is such a one; one that is missing is not."""
        value = answers.get(self.key)
        if isinstance(value, int):
            low = value if self.at_least is None else self.at_least
            high = value if self.at_most is None else self.at_most
            return low <= value <= high and (self.one_of is None or str(value) in self.one_of)
        given = value if isinstance(value, list) else [value]
        return self.one_of is not None and not set(self.one_of).isdisjoint(given)


class Option(Strict):
    """One answer to choose. `countries`: offered only there; `pinned`: keeps its place."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Texts
    countries: list[CountryCode] | None = Field(default=None, min_length=1)
    pinned: bool = False
    alone: bool = False
    screens_out: bool = False


class BaseQuestion(Strict):
    """What every question has."""

    key: AnswerKey
    label: Texts
    hint: Texts | None = None
    section: AnswerKey | None = None
    quota: bool = False
    sensitive: bool = False
    required: bool = True
    countries: list[CountryCode] | None = Field(default=None, min_length=1)
    ask_if: AskIf | None = None

    @model_validator(mode="after")
    def _quota_is_not_sensitive(self) -> Self:
        if self.quota and self.sensitive:
            raise PydanticCustomError(
                "quota_sensitive", "a quota is settled before anything sensitive is asked"
            )
        return self

    def is_asked_in(self, country: str) -> bool:
        return self.countries is None or country in self.countries

    def screens_out(self, value: Value, *, year: int) -> bool:
        """Whether this answer, given in this year, means that the study is not for the person."""
        del value, year  # most answers mean nothing of the kind
        return False

    def derived(self, value: Value, *, year: int) -> dict[str, str]:
        """What else the answer says, such as an age band; `year` is the one it was given in."""
        del value, year
        return {}


class ChoiceQuestion(BaseQuestion):
    """What the questions with options have. An option REFUSED is "prefer not to say"."""

    options: list[Option] = Field(min_length=2, max_length=100)
    shuffle: bool = False

    def is_asked_in(self, country: str) -> bool:
        """Also not asked where nothing but a refusal could be chosen."""
        offered = {option.value for option in self.offered_in(country)} - {REFUSED}
        return super().is_asked_in(country) and bool(offered)

    def offered_in(self, country: str) -> list[Option]:
        return [one for one in self.options if one.countries is None or country in one.countries]

    def screens_out(self, value: Value, *, year: int) -> bool:
        del year
        given = value if isinstance(value, list) else [value]
        return any(option.screens_out for option in self.options if option.value in given)


class SingleQuestion(ChoiceQuestion):
    """One option of several."""

    kind: Literal["single"]

    def read(self, posted: Posted) -> Value:
        """The value of the option. Raises Faulty: missing, unknown."""
        value = posted.values[-1] if posted.values else ""
        if not value:
            return _left_empty(self, "missing")
        if value not in posted.offered:
            raise Faulty("unknown")
        return value


class MultipleQuestion(ChoiceQuestion):
    """Any number of options; an `alone` one, and a refusal, go with no other."""

    kind: Literal["multiple"]
    at_most: int | None = Field(default=None, ge=1, le=100)

    def read(self, posted: Posted) -> Value:
        """The values, in the order of the question's options. Raises Faulty: missing, unknown,
        alone, too_many."""
        given = {value for value in posted.values if value}
        if not given:
            return _left_empty(self, "missing")
        if not given <= set(posted.offered):
            raise Faulty("unknown")
        excluding = {one.value for one in self.options if one.alone or one.value == REFUSED}
        if len(given) > 1 and given & excluding:
            raise Faulty("alone")
        if self.at_most and len(given) > self.at_most:
            raise Faulty("too_many", limit=self.at_most)
        return [option.value for option in self.options if option.value in given]


class Bands(Strict):
    """Ranges that a number is told in, under a key of their own: `18-34`, `55+`."""

    key: AnswerKey
    values: list[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(-[0-9]{1,9}|\+)$")]] = (
        Field(min_length=1, max_length=50)
    )

    def of(self, number: int) -> str | None:
        """The band that a number is in; None for one outside all of them."""
        return next((band for band in self.values if _is_in(number, band)), None)


class NumberQuestion(BaseQuestion):
    """A whole number. Of a `year_of_birth`, `bands`, `under` and `over` count the age reached in
    the year of the answer; of any other number, the number itself."""

    kind: Literal["number"]
    min: int = Field(default=0, ge=-999_999_999, le=999_999_999)
    max: int = Field(default=999_999_999, ge=-999_999_999, le=999_999_999)
    refusable: bool = True
    year_of_birth: bool = False
    bands: Bands | None = None
    under: int | None = None
    over: int | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("order", "min is larger than max")
        return self

    def read(self, posted: Posted) -> Value:
        """The number. Raises Faulty: not_a_number, too_small, too_large."""
        if REFUSED in posted.values and self.refusable:
            return REFUSED
        typed = next((text.strip() for text in posted.values if text.strip()), "")
        if not typed:
            return _left_empty(self, "not_a_number")
        if not WHOLE_NUMBER.fullmatch(typed):
            raise Faulty("not_a_number")
        number = int(typed.replace("−", "-"))
        if number < self.min:
            raise Faulty("too_small", limit=self.min)
        if number > self.max:
            raise Faulty("too_large", limit=self.max)
        return number

    def screens_out(self, value: Value, *, year: int) -> bool:
        if not isinstance(value, int):
            return False
        counted = self._counted(value, year)
        too_low = self.under is not None and counted < self.under
        return too_low or (self.over is not None and counted > self.over)

    def derived(self, value: Value, *, year: int) -> dict[str, str]:
        if self.bands is None:
            return {}
        if not isinstance(value, int):
            return {self.bands.key: REFUSED} if value == REFUSED else {}
        band = self.bands.of(self._counted(value, year))
        return {self.bands.key: band} if band else {}

    def _counted(self, number: int, year: int) -> int:
        return year - number if self.year_of_birth else number


class TextQuestion(BaseQuestion):
    """A text in the person's own words."""

    kind: Literal["text"]
    max_length: int = Field(default=500, ge=1, le=4000, description="graphemes")
    lines: bool = False
    refusable: bool = True

    def read(self, posted: Posted) -> Value:
        """The text as it is stored. Raises Faulty with a code of texts.Unusable."""
        if REFUSED in posted.values and self.refusable:
            return REFUSED
        typed = next((text for text in posted.values if text.strip()), "")
        if texts.REPLACEMENT in typed:
            raise Faulty("surrogate")
        try:
            return texts.clean(typed, limit=self.max_length)
        except texts.Unusable as fault:
            if fault.code == "empty":
                return _left_empty(self, "empty")
            raise Faulty(fault.code, limit=fault.limit) from fault


Question = Annotated[
    SingleQuestion | MultipleQuestion | NumberQuestion | TextQuestion, Field(discriminator="kind")
]
AnyQuestion = SingleQuestion | MultipleQuestion | NumberQuestion | TextQuestion
_QUESTIONS: TypeAdapter[list[AnyQuestion]] = TypeAdapter(list[Question])


def read_questions(stored: list[dict[str, Any]]) -> list[AnyQuestion]:
    """The questions of a row; raises pydantic's ValidationError for what is none."""
    return _QUESTIONS.validate_python(stored)


def as_json(questions: Iterable[AnyQuestion]) -> list[dict[str, Any]]:
    """The questions as a row keeps them: what a file leaves out is left out."""
    return [one.model_dump(mode="json", exclude_defaults=True) for one in questions]


def _left_empty(question: BaseQuestion, code: str) -> Value:
    """None, for a question that may be left empty; raises Faulty for another."""
    if question.required:
        raise Faulty(code)
    return None


def _is_in(number: int, band: str) -> bool:
    low, _, high = band.removesuffix("+").partition("-")
    return int(low) <= number and (not high or number <= int(high))
