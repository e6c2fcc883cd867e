"""A plan's body: what a study froze about how its candidates are made.

`read` turns what a study file or a row holds into a validated, immutable PlanBody; `as_json` turns
it back; `sha256` names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sampling.calls import Deadlines
from sampling.canonical import fingerprint
from sampling.checks.settings import CheckSettings
from sampling.errors import BadRequest
from sampling.guard.settings import GuardSettings
from sampling.known_fields import fields_at
from sampling.strategies import REGISTRY, STYLES, Strategy, Style
from sampling.strategies.outside import add_outside, installed

# Here and not where the registry is made: what is loaded imports the strategies itself.
add_outside(REGISTRY, installed())

if TYPE_CHECKING:
    Step = Strategy
else:
    from functools import reduce
    from operator import or_

    Step = Annotated[reduce(or_, REGISTRY.values()), Field(discriminator="strategy")]


class DeadlineSettings(BaseModel):
    """Seconds; see calls.Deadlines for what each one measures."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    connect: float = Field(default=5.0, gt=0, le=60)
    first_byte: float = Field(default=30.0, gt=0, le=600)
    between_chunks: float = Field(default=20.0, gt=0, le=600)
    total: float = Field(default=120.0, gt=0, le=1800)

    def as_deadlines(self) -> Deadlines:
        return Deadlines(**self.model_dump())


class PlanBody(BaseModel):
    """How a study's sets are made. `later_turns` is the first turn's way where it is left out.

    `by_category` names another way for all turns of prompts of a category: on a question with one
    right answer, candidates that are made to differ are made to be wrong.

    `style` may be a name of STYLES; the row keeps what it stood for.

    `checks` are made by other models, where the plan names them.

    `attempts` bounds how often a whole set is tried; `repairs` bounds the further rounds inside one
    attempt. For `patience` seconds an endpoint may be absent without costing the set an attempt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    k: int = Field(default=4, ge=2, le=8)
    first_turn: Step
    later_turns: Step | None = None
    by_category: dict[str, Step] = Field(default_factory=dict, max_length=100)
    style: Style = Field(default_factory=Style)
    guard: GuardSettings = Field(default_factory=GuardSettings)
    checks: CheckSettings | None = None
    deadlines: DeadlineSettings = Field(default_factory=DeadlineSettings)
    attempts: int = Field(default=3, ge=1, le=10)
    repairs: int = Field(default=1, ge=0, le=4)
    patience: float = Field(default=900.0, ge=0, le=86_400)

    @field_validator("style", mode="before")
    @classmethod
    def _style_by_name(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value not in STYLES:
            raise ValueError(f"unknown style {value!r}; known are {', '.join(STYLES)}")
        return STYLES[value]

    @model_validator(mode="after")
    def _steps_fit_k(self) -> Self:
        steps = {"first_turn": self.first_turn, "later_turns": self.later_turns}
        steps |= {f"by_category.{name}": step for name, step in self.by_category.items()}
        for name, step in steps.items():
            problem = step.problem(self.k) if step else None
            if problem:
                raise ValueError(f"{name}: {problem}")
        return self


def read(value: object) -> PlanBody:
    """The plan that `value` (parsed YAML or JSON) describes; raises BadRequest naming every fault
    with its path.
    """
    try:
        return PlanBody.model_validate_json(json.dumps(value))
    except ValidationError as error:
        lines = [f"{path}: {said}" for path, said in faults(error)]
        raise BadRequest("; ".join(lines)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"plan: {error}") from error


def faults(error: ValidationError) -> list[tuple[str, str]]:
    """What pydantic found in a plan, as (path, message): `first_turn.stances.0.text`, without the
    union's tags.
    """
    return [(_path(fault["loc"]), _said(fault)) for fault in error.errors(include_url=False)]


def _path(loc: Iterable[int | str]) -> str:
    """The path as the file has it. A tag comes right after the step that it chose."""
    parts: list[str] = []
    for part in loc:
        if not (part in REGISTRY and _ends_at_a_step(parts)):
            parts.append(str(part))
    return ".".join(parts) or "plan"


def _ends_at_a_step(parts: list[str]) -> bool:
    if parts[-1:] and parts[-1] in {"first_turn", "later_turns", "step"}:
        return True
    return parts[-2:-1] == ["by_category"]


def _said(fault: Mapping[str, Any]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"unknown field (known are {', '.join(fields_at(PlanBody, fault['loc']))})"
    if fault["type"] == "union_tag_invalid":
        return f"unknown strategy {fault['ctx']['tag']!r}; known are {', '.join(REGISTRY)}"
    if fault["type"] == "union_tag_not_found":
        return f"names no strategy; known are {', '.join(REGISTRY)}"
    return message[:1].lower() + message[1:]


def as_json(body: PlanBody) -> dict[str, Any]:
    """The body with every default written out, so that a row keeps meaning the same when a default
    changes.
    """
    dumped: dict[str, Any] = body.model_dump(mode="json")
    return dumped


def sha256(body: PlanBody) -> str:
    """The fingerprint of the body with every default written out."""
    return fingerprint(as_json(body))


def step(body: PlanBody, turn: int, category: str = "") -> Strategy:
    """The strategy that makes the sets of a turn (0 is the first), for a prompt of a category."""
    if category in body.by_category:
        return body.by_category[category]
    return body.first_turn if turn == 0 else body.later_turns or body.first_turn


def of_strategy(name: str) -> PlanBody:
    """A plan of one strategy with its defaults; raises BadRequest for one that does not exist or
    needs parameters.
    """
    if name not in REGISTRY:
        raise BadRequest(f"unknown strategy {name!r}; known are {', '.join(REGISTRY)}")
    return read({"first_turn": {"strategy": name}})
