"""One draw from each of k endpoints: the baseline of many models.

With fewer endpoints it goes round them, with other seeds, and the set's verdict says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

from sampling.calls import Call
from sampling.strategies.independent import one_answer, parts_of
from sampling.strategies.single_answers import SingleAnswers, single_draft
from sampling.strategies.strategy import (
    Answer,
    Ask,
    Caller,
    Draft,
    Drawn,
    Instructed,
    Temperature,
    stamps,
)


class MultiModel(SingleAnswers, Temperature, Instructed):
    """Slot s comes from endpoint s of the plan, counted from the one that serves the set. `bare`:
    without our lines.
    """

    baseline: ClassVar[bool] = True

    strategy: Literal["multi_model"] = "multi_model"
    bare: bool = False

    def streams_on(self, k: int, endpoints: int) -> tuple[int, ...]:
        return tuple(len(range(at, k, endpoints)) for at in range(endpoints))

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        return replace(one_answer(self, ask, bare=self.bare), endpoint=lane % ask.endpoints)

    def draft(self, ask: Ask, *, slot: int, answer: Answer) -> Draft:
        parts = stamps(**parts_of(ask, bare=self.bare))
        return single_draft(slot=slot, answer=answer, role="multi_model", parts=parts)

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        drawn = await super().draw(ask, caller, kept=kept)
        if ask.endpoints >= ask.k:
            return drawn
        noun = "endpoint" if ask.endpoints == 1 else "endpoints"
        note = f"{ask.endpoints} {noun} for {ask.k} draws: gone round with other seeds"
        return replace(drawn, notes=[*drawn.notes, note])
