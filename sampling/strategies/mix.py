"""Sets made of parts: m candidates of one strategy and k - m of another."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sampling.strategies.independent import Independent
from sampling.strategies.mixing import Mixing, Part, Unmixed
from sampling.strategies.nc_single import NcSingle
from sampling.strategies.pool import Pool
from sampling.strategies.strategy import Instructed, Temperature


class MixPart(BaseModel):
    """One part of a mix, as a plan writes it. `ask` may exceed `keep`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    step: Annotated[Unmixed | Pool, Field(discriminator="strategy")]
    keep: int = Field(ge=1, le=8)
    ask: int | None = Field(default=None, ge=1, le=8)
    role: str | None = Field(default=None, min_length=1, max_length=40)

    @model_validator(mode="after")
    def _asks_for_what_it_keeps(self) -> Self:
        if self.ask is not None and self.ask < self.keep:
            raise ValueError("ask is smaller than keep")
        return self


class Mix(Mixing):
    """Any parts that a plan names."""

    strategy: Literal["mix"] = "mix"
    made_of: list[MixPart] = Field(min_length=1, max_length=8)

    def parts(self, k: int) -> list[Part]:  # noqa: ARG002 the plan checks that they add up to k
        return [
            Part(strategy=part.step, keep=part.keep, ask=part.ask or part.keep, role=part.role)
            for part in self.made_of
        ]


class CommunityAlignment(Mixing, Temperature, Instructed):
    """The reference's mix: k responses by `nc_single`, of which the first k - 1 are kept, and one
    default draw. What it is told of drawing holds for both parts, but `max_tokens`, which bounds
    the k responses.
    """

    strategy: Literal["community_alignment"] = "community_alignment"
    bare: bool = False
    # Not in a stored plan while it is the default: plans from before it keep their fingerprint.
    role: Literal["system", "user"] = Field(
        default="system", exclude_if=lambda asked: asked == "system"
    )

    def parts(self, k: int) -> list[Part]:
        shared = self.model_dump(include={"temperature", "top_p", "logprobs", "role", "bare"})
        return [
            Part(
                strategy=NcSingle.model_validate({**shared, "max_tokens": self.max_tokens}),
                keep=k - 1,
                ask=k,
            ),
            Part(strategy=Independent.model_validate(shared), keep=1, ask=1, role="default"),
        ]
