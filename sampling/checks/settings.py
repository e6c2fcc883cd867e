"""What a plan says about its checks: which endpoint makes each, and what a finding leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sampling.guard.settings import Action

EMBEDDINGS, SAFETY = "embeddings", "safety"

# `block`: a message is not sent to the model, a candidate is made again. `set_aside`: the set ends
# and waits for the research team. `notice`: it is shown, with a line that says so. `off`: unread.
Consequence = Literal["block", "set_aside", "notice", "off"]


class SenseCheck(BaseModel):
    """Two candidates whose embeddings have a cosine of at least `cosine` are near in sense.

    The cosine is the model's own scale: look at what it gives for texts that you find alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    endpoint: str = Field(min_length=1, max_length=60)
    cosine: float = Field(default=0.95, gt=0.0, le=1.0)
    action: Action = "mark"


class SafetyCheck(BaseModel):
    """`own_messages`: the last words of the person, where they are not a prompt of the study."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    endpoint: str = Field(min_length=1, max_length=60)
    own_messages: Consequence = "block"
    candidates: Consequence = "block"


class CheckSettings(BaseModel):
    """`when_away`: without its endpoint a check is waited for, or left out and noted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sense: SenseCheck | None = None
    safety: SafetyCheck | None = None
    when_away: Literal["wait", "go_on"] = "wait"

    def endpoints(self) -> Iterator[tuple[str, str, str]]:
        """Each check that there is: its name here, its endpoint, and what that has to serve."""
        if self.sense:
            yield "sense", self.sense.endpoint, EMBEDDINGS
        if self.safety:
            yield "safety", self.safety.endpoint, SAFETY
