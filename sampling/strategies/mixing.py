"""The shape of strategies that draw from others: parts at the same time, in lanes of their own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from sampling.calls import Call, Watcher
from sampling.strategies.given import Given
from sampling.strategies.independent import Independent
from sampling.strategies.multi_model import MultiModel
from sampling.strategies.nc_planned import NcPlanned
from sampling.strategies.nc_sequential import NcSequential
from sampling.strategies.nc_single import NcSingle
from sampling.strategies.nc_structured import NcStructured
from sampling.strategies.persona import Persona
from sampling.strategies.strategy import (
    Answer,
    Ask,
    Caller,
    Draft,
    Drawn,
    Planner,
    Strategy,
    together,
)
from sampling.strategies.verbalized import Verbalized

# The strategies that may be a part.
Unmixed = Annotated[
    Independent
    | MultiModel
    | Persona
    | NcSingle
    | NcStructured
    | NcSequential
    | NcPlanned
    | Verbalized
    | Given,
    Field(discriminator="strategy"),
]


@dataclass(frozen=True)
class Part:
    """Asks `strategy` for `ask` candidates and keeps the first `keep`; the rest goes into the
    provenance.
    """

    strategy: Strategy
    keep: int
    ask: int
    role: str | None = None


class Mixing(Strategy):
    """The parts draw at the same time, each in lanes and slots of its own."""

    @abstractmethod
    def parts(self, k: int) -> list[Part]:
        """The parts in slot order; their `keep` add up to k."""

    def problem(self, k: int) -> str | None:
        parts = self.parts(k)
        if sum(part.keep for part in parts) != k:
            return f"the parts keep {sum(part.keep for part in parts)} candidates in all, not {k}"
        if any(isinstance(part.strategy, Planner) and part.strategy.links for part in parts):
            return "linked stances are those of a whole set, and not of a part of one"
        return next(filter(None, (part.strategy.problem(part.ask) for part in parts)), None)

    def lanes(self, k: int) -> int:
        return sum(part.strategy.lanes(part.ask) for part in self.parts(k))

    def streams(self, k: int) -> int:
        return sum(part.strategy.streams(part.ask) for part in self.parts(k))

    def streams_on(self, k: int, endpoints: int) -> tuple[int, ...]:
        each = [part.strategy.streams_on(part.ask, endpoints) for part in self.parts(k)]
        return tuple(sum(counts) for counts in zip(*each, strict=True))

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        first = 0
        for part in self.parts(ask.k):
            width = part.strategy.lanes(part.ask)
            if lane < first + width:
                own = _shifted(earlier, first)
                inner = replace(ask, k=part.ask)
                return part.strategy.call(inner, lane=lane - first, earlier=own)
            first += width
        raise KeyError(lane)

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        parts = self.parts(ask.k)
        progress = [0] * len(parts)
        work, lane, slot = [], 0, 0
        for at, part in enumerate(parts):
            own = {s - slot: d for s, d in kept.items() if slot <= s < slot + part.keep}
            progress[at] = len(own)
            told = _teller(progress=progress, at=at, keep=part.keep, tell=caller.written)
            inner = _PartCaller(caller=caller, first_lane=lane, tell=told)
            work.append(_draw_part(part, replace(ask, k=part.ask), inner, slot, own))
            lane, slot = lane + part.strategy.lanes(part.ask), slot + part.keep
        drawn = await together(work)
        return Drawn(
            [draft for one in drawn for draft in one.drafts],
            [note for one in drawn for note in one.notes],
        )


async def _draw_part(
    part: Part, ask: Ask, caller: Caller, first_slot: int, kept: Mapping[int, Draft]
) -> Drawn:
    """A part's drafts in the set's slots. A part of which every draft was kept draws nothing."""
    if len(kept) == part.keep:
        return Drawn(list(kept.values()))
    inner = {slot: replace(draft, slot=slot) for slot, draft in kept.items()}
    drawn = await part.strategy.draw(ask, caller, kept=inner)
    left_over = [draft.text for draft in drawn.drafts if draft.slot >= part.keep]
    return Drawn(
        [
            _placed(draft, part=part, first_slot=first_slot, left_over=left_over)
            for draft in drawn.drafts
            if draft.slot < part.keep
        ],
        drawn.notes,
    )


def _placed(draft: Draft, *, part: Part, first_slot: int, left_over: list[str]) -> Draft:
    provenance = dict(draft.provenance)
    if left_over:
        provenance["left_over"] = left_over
    return replace(
        draft, slot=first_slot + draft.slot, role=part.role or draft.role, provenance=provenance
    )


def _shifted(earlier: Mapping[int, str], first_lane: int) -> dict[int, str]:
    """The texts of lanes from the part's first one on, counted from there."""
    return {lane - first_lane: text for lane, text in earlier.items() if lane >= first_lane}


def _teller(
    *, progress: list[int], at: int, keep: int, tell: Callable[[int], None]
) -> Callable[[int], None]:
    def told(count: int) -> None:
        progress[at] = min(count, keep)
        tell(sum(progress))

    return told


@dataclass(frozen=True)
class _PartCaller:
    """A part's view of the caller: lanes from zero, and its own count of written candidates."""

    caller: Caller
    first_lane: int
    tell: Callable[[int], None]

    async def __call__(self, call: Call, *, lane: int, watcher: Watcher | None = None) -> Answer:
        return await self.caller(call, lane=self.first_lane + lane, watcher=watcher)

    def written(self, count: int) -> None:
        self.tell(count)

    def earlier(self) -> Mapping[int, str]:
        return _shifted(self.caller.earlier(), self.first_lane)
