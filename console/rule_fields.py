"""The fields of a study file that every version of a study keeps: what is asked of an annotator.

`studies.rules` reads them back from `StudyVersion.body` for the pages.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from console.arrival_fields import Limits, PanelEntry, PanelName, Pay
from studies import bank
from studies.file_fields import DATA_LANGUAGES, LanguageCode, Strict, Text, Texts
from studies.reason_lists import SHIPPED
from studies.tutorials import Tutorial

__all__ = ["DATA_LANGUAGES", "LanguageCode", "Rules", "Strict", "Text", "Texts"]

Slug = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=1, max_length=60)
]
MOST_REPLICAS = 1000


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


class TutorialEntry(Tutorial):
    """A tutorial; with `bank: everyday` the one that comes with the program, where a field of it is
    not given here."""

    @model_validator(mode="before")
    @classmethod
    def _from_the_bank(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "bank" not in given:
            return given
        name = given["bank"]
        if name not in bank.TUTORIALS:
            known = ", ".join(bank.TUTORIALS)
            raise PydanticCustomError("bank", f"no tutorial is named {name!r}: use {known}")
        return {**bank.tutorial(name), **{key: given[key] for key in given if key != "bank"}}


class Contact(Strict):
    """Who answers for the study: told to annotators on every help page."""

    name: Annotated[Text, Field(max_length=200)]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=200)]
    phone: Annotated[str, Field(max_length=60)] = ""


Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Helpline(Strict):
    """Somebody to talk to: a name, how to reach them, and when."""

    name: Text
    contact: Text
    hours: Texts | None = None


class OwnPrompts(Strict):
    """Around opening messages of one's own, by country: what to write about, and where help is."""

    limit: int | None = Field(default=None, ge=20, le=4000)
    guidance: dict[Country, Texts] | None = None
    helplines: (
        dict[Country, Annotated[list[Helpline], Field(min_length=1, max_length=10)]] | None
    ) = None


class Repeats(Strict):
    """How often people see the first answers of an earlier conversation of theirs again."""

    share: float = Field(gt=0, le=0.5)
    after: int = Field(ge=1, le=1000)


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
    skips: int | None = Field(default=None, ge=0, le=1000)
    own_prompts: OwnPrompts | None = None
    repeats: Repeats | None = None
    attention_category: Annotated[str, StringConstraints(max_length=60)] | None = None
    instructions: Texts
    about: Texts | None = None
    content_note: Texts | None = None
    minutes: int | None = Field(default=None, ge=1, le=60 * 24)
    pay: Pay | None = None
    limits: Limits | None = None
    panels: dict[PanelName, PanelEntry] | None = None
    tutorial: TutorialEntry | None = None
    thanks: Texts | None = None
    privacy: Texts | None = None
    contact: Contact | None = None
