"""The fields of a study file that every version of a study keeps: what is asked of an annotator.

`studies.rules` reads them back from `StudyVersion.body` for the pages.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from studies.models.study import Language
from studies.reason_lists import SHIPPED

LanguageCode = Literal["en", "fr", "it", "pt", "hi"]

DATA_LANGUAGES: Mapping[str, str] = {
    Language.ENGLISH: "English",
    Language.FRENCH: "French",
    Language.ITALIAN: "Italian",
    Language.PORTUGUESE: "Portuguese",
    Language.HINDI: "Hindi",
}

MOST_REPLICAS = 1000


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is empty")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
Texts = Annotated[dict[LanguageCode, Text], Field(min_length=1)]


class Strict(BaseModel):
    """Refuses unknown fields, and values that only look like the wanted type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Turns(Strict):
    """How many turns a conversation has: it may be finished from `min` on, and ends at `max`."""

    min: int = Field(ge=1, le=50)
    max: int = Field(ge=1, le=50)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("order", "min is larger than max")
        return self


class Explanation(Strict):
    """When the annotator is asked why: never, after a share of turns, after a choice, or always."""

    rule: Literal["never", "share", "chosen", "always"]
    share: float | None = Field(default=None, gt=0, lt=1)
    min_words: int = Field(default=0, ge=0, le=200)
    question: Texts | None = None
    none_question: Texts | None = None
    example: Texts | None = None
    marks_suffice: bool | None = None

    @model_validator(mode="after")
    def _share_goes_with_its_rule(self) -> Self:
        if self.rule == "share" and self.share is None:
            raise PydanticCustomError("share_missing", "rule: share needs a share, such as 0.5")
        if self.rule != "share" and self.share is not None:
            raise PydanticCustomError("share_unused", "a share is only read under rule: share")
        return self


class Layouts(Strict):
    """How the answers may stand on small and on wide screens; the first of each comes first."""

    narrow: list[Literal["stack", "pager"]] | None = Field(default=None, min_length=1, max_length=2)
    wide: list[Literal["grid", "stack", "pager"]] | None = Field(
        default=None, min_length=1, max_length=3
    )


class ReasonEntry(Strict):
    """A reason that is offered for ticking, after a choice or after "none"."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
    label: Texts
    after: Literal["chosen", "none"] = "chosen"


class OwnReasons(Strict):
    """A study's own list of reasons; another list is another version."""

    version: int = Field(ge=1, le=10_000)
    offered: list[ReasonEntry] = Field(min_length=1, max_length=24)


def _shipped(name: str) -> str:
    if name in SHIPPED:
        return name
    shipped = " or ".join(sorted(SHIPPED))
    raise PydanticCustomError("reasons", f"must be {shipped}, or a version and what is offered")


def _form(value: Any) -> str:
    """Which form of reasons is meant, so that faults are told of that form alone."""
    return "name" if isinstance(value, str) else "own"


Reasons = Annotated[
    Annotated[str, AfterValidator(_shipped), Tag("name")] | Annotated[OwnReasons, Tag("own")],
    Discriminator(_form),
]


class Comparing(Strict):
    """How the answers stand, and what an annotator may say of them beside the choice."""

    layouts: Layouts | None = None
    tie: bool | None = None
    strength: bool | None = None
    sentences: bool | None = None
    should_have_said: bool | None = None
    reasons: Reasons | None = None


class Replicas(Strict):
    """So many sets of each opening prompt, of which each annotator gets one."""

    replicas: int


def _known_sets(value: Any) -> Any:
    """One message for all that it may be, in place of one for each."""
    if isinstance(value, dict) and value.keys() == {"replicas"}:
        number = value["replicas"]
        if type(number) is int and 2 <= number <= MOST_REPLICAS:
            return value
    elif isinstance(value, Replicas) or value in ("shared", "fresh"):
        return value
    raise PydanticCustomError(
        "sets", f"must be shared, fresh, or {{replicas: n}} with n from 2 to {MOST_REPLICAS}"
    )


Sets = Annotated[Literal["shared", "fresh"] | Replicas, BeforeValidator(_known_sets)]


class Rules(Strict):
    """What is asked of an annotator, and the words around it."""

    title: Texts
    turns: Turns
    own_prompt_share: float = Field(ge=0, le=1)
    after_none: Literal["end", "continue_from"] = "end"
    explanation: Explanation
    comparing: Comparing | None = None
    conversations: int = Field(ge=1, le=1000)
    sitting_hours: int = Field(ge=1, le=24 * 90)
    assignment_minutes: int = Field(ge=5, le=60 * 24 * 7)
    overlap: int = Field(ge=1, le=1_000_000)
    sets: Sets = "shared"
    instructions: Texts
