"""More answers than are needed, from any strategies, of which k are kept that are good and unlike
each other.

The choice is greedy MAP inference for a determinantal point process (Chen, Zhang and Zhou, 2018):
the kernel of two texts is quality x likeness x quality, so that each step takes the text that adds
the most volume. Likeness is that of wording, and quality that of form; neither sees values. The
same texts always give the same choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sampling.calls import Call, Watcher
from sampling.guard.likeness import likeness
from sampling.guard.shapes import error_text, formatted, leaked_marker, loops, special_token
from sampling.guard.words import count_words, ends
from sampling.messages import unusable
from sampling.strategies.independent import Independent
from sampling.strategies.mixing import Mixing, Part, Unmixed
from sampling.strategies.strategy import Answer, Ask, Caller, Draft, Drawn

# A text with a fault of form is taken only when there is nothing else.
FAULTY = 0.05
# No volume is left: the remaining texts repeat those that were taken.
NOTHING = 1e-12


class PoolPart(BaseModel):
    """One source of a pool, as a plan writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    step: Unmixed
    ask: int = Field(ge=1, le=8)


def default_pool() -> list[PoolPart]:
    return [PoolPart(step=Independent(), ask=8)]


class Pool(Mixing):
    """Draws all its parts at once and keeps k. A repair round draws the pool again, and fills the
    free slots with what is unlike the texts that were kept.
    """

    strategy: Literal["pool"] = "pool"
    made_of: list[PoolPart] = Field(default_factory=default_pool, min_length=1, max_length=8)

    @property
    def size(self) -> int:
        return sum(part.ask for part in self.made_of)

    def parts(self, k: int) -> list[Part]:  # noqa: ARG002 a pool is as large as the plan says
        return [Part(strategy=part.step, keep=part.ask, ask=part.ask) for part in self.made_of]

    def problem(self, k: int) -> str | None:
        if self.size <= k:
            return f"a pool of {self.size} leaves nothing to choose for {k} candidates"
        return super().problem(self.size)

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        wide = _WideCaller(caller=caller, k=ask.k, size=self.size)
        drawn = await super().draw(replace(ask, k=self.size), wide, kept={})
        drafts = [*(kept[slot] for slot in sorted(kept)), *drawn.drafts]
        texts = [draft.text for draft in drafts]
        chosen = choose(texts, k=ask.k, words=ask.style.words, first=len(kept))
        free = (slot for slot in range(ask.k) if slot not in kept)
        rest = [text for at, text in enumerate(texts) if at not in chosen]
        taken = [
            replace(drafts[at], slot=slot, provenance={**drafts[at].provenance, "left_over": rest})
            for at, slot in zip(chosen[len(kept) :], free, strict=False)
        ]
        caller.written(len(kept) + len(taken))
        return Drawn([*kept.values(), *taken], drawn.notes)


@dataclass(frozen=True)
class _WideCaller:
    """The caller of a pool, which tells the share that is written and leaves one to the choice."""

    caller: Caller
    k: int
    size: int

    async def __call__(self, call: Call, *, lane: int, watcher: Watcher | None = None) -> Answer:
        return await self.caller(call, lane=lane, watcher=watcher)

    def written(self, count: int) -> None:
        self.caller.written(min(self.k - 1, count * self.k // self.size))

    def earlier(self) -> Mapping[int, str]:
        return self.caller.earlier()


def choose(texts: Sequence[str], *, k: int, words: int, first: int = 0) -> list[int]:
    """The places of k texts, or of as many as differ at all: the `first` ones, then in each step
    the one that adds the most volume, the earlier one of equals.
    """
    quality = np.array([quality_of(text, words=words) for text in texts])
    kernel = quality[:, None] * likeness(texts) * quality[None, :]
    chosen: list[int] = []
    gains = np.diag(kernel).copy()
    rows = np.zeros((0, len(texts)))
    while len(chosen) < min(k, len(texts)):
        free = [at for at in range(len(texts)) if at not in chosen]
        best = len(chosen) if len(chosen) < first else max(free, key=lambda at: gains[at])
        if gains[best] <= NOTHING and len(chosen) >= first:
            break
        rows, gains = _without(kernel, rows, gains, best)
        chosen.append(best)
    return chosen


def _without(
    kernel: NDArray[np.float64], rows: NDArray[np.float64], gains: NDArray[np.float64], taken: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One step of the Cholesky factor: what each text still adds beside the taken one."""
    own = max(float(gains[taken]), NOTHING)
    row = (kernel[taken] - rows.T @ rows[:, taken]) / np.sqrt(own)
    return np.vstack([rows, row]), np.maximum(gains - row**2, 0.0)


def quality_of(text: str, *, words: int) -> float:
    """From 0 to 1: how near the text's length is to the words asked for; little for one that has a
    fault of form, and 0 for none.
    """
    count = count_words(text)
    if not count or unusable(text):
        return 0.0
    near = min(count / words, words / count)
    shapes = (special_token, leaked_marker, error_text, loops, formatted)
    faulty = not ends(text) or any(found_in(text) for found_in in shapes)
    return FAULTY * near if faulty else float(np.sqrt(near))
