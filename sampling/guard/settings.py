"""What a plan says about the guard: for each measure what a finding leads to, and the limits.

`fail`: this set, in this attempt, is lost. `repair`: the texts found are made again while the
plan's rounds last, else as `fail`. `mark`: the finding is stored with the set and stops nothing.
Where a plan is silent the strategy decides: a baseline's likeness, refusals and length are only
marked, because repairing it would spoil the comparison of strategies.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sampling.guard.likeness import NEAR_DUPLICATE

Action = Literal["fail", "repair", "mark"]
# What could never be shown or stored as a candidate can only be made again or lost.
Never = Literal["fail", "repair"]

DEFAULTS: dict[str, Action] = {
    "empty": "repair",
    "duplicate": "repair",
    "error_text": "repair",
    "special_tokens": "repair",
    "markers": "repair",
    "preamble": "repair",
    "run_on": "repair",
    "echo": "repair",
    "question_back": "repair",
    "refusal": "repair",
    "self_identification": "repair",
    "foreign_script": "repair",
    "near_duplicate": "repair",
    "cut_off": "repair",
    "too_short": "repair",
    "too_long": "mark",
    "loop": "repair",
    "length_spread": "mark",
    "language": "mark",
    "formatting": "mark",
}
# No plan's answer is longer; measuring one that is would hold up every other stream.
MAX_CHARS = 30_000
MARKED_IN_BASELINES = frozenset(
    {
        *("near_duplicate", "too_short", "too_long", "length_spread"),
        *("refusal", "self_identification"),
    }
)


class GuardSettings(BaseModel):
    """One action per measure (None: the strategy's default), and the limits they go by."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    empty: Never | None = None
    duplicate: Never | None = None
    error_text: Never | None = None
    special_tokens: Action | None = None
    markers: Action | None = None
    preamble: Action | None = None
    run_on: Action | None = None
    echo: Action | None = None
    question_back: Action | None = None
    refusal: Action | None = None
    self_identification: Action | None = None
    foreign_script: Action | None = None
    near_duplicate: Action | None = None
    cut_off: Action | None = None
    too_short: Action | None = None
    too_long: Action | None = None
    loop: Action | None = None
    length_spread: Action | None = None
    language: Action | None = None
    formatting: Action | None = None

    # The share of common character grams from which two texts count as near-duplicates.
    likeness: float = Field(default=NEAR_DUPLICATE, gt=0.0, le=1.0)
    min_words: int = Field(default=4, ge=1, le=400)
    max_words: int = Field(default=400, ge=5, le=4000)
    max_length_ratio: float = Field(default=3.0, ge=1.0)

    def action(self, measure: str, *, baseline: bool) -> Action:
        """What a finding of the measure leads to."""
        chosen: Action | None = getattr(self, measure, None)
        if chosen is not None:
            return chosen
        if baseline and measure in MARKED_IN_BASELINES:
            return "mark"
        return DEFAULTS[measure]
