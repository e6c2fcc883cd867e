"""More answers than are needed, from any strategies, of which k are kept that are good and unlike
each other.

`sampling.strategies.spreading` says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sampling.calls import Call, Watcher
from sampling.strategies.independent import Independent
from sampling.strategies.mixing import Mixing, Part, Unmixed
from sampling.strategies.strategy import Answer, Ask, Caller, Draft, Drawn


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
        from sampling.strategies.spreading import choose  # numpy, which pages never pay for

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
