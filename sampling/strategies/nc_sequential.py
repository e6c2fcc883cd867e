"""Each response is made in view of the earlier ones, and asked to differ from them.

k calls, one after the other: the slowest way there is, and the one whose later responses know the
most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sampling.calls import Call
from sampling.messages import add_to_last_user_message
from sampling.strategies.independent import parts_of
from sampling.strategies.single_answers import single_draft
from sampling.strategies.strategy import (
    Answer,
    Ask,
    Caller,
    Draft,
    Drawn,
    Instructed,
    Strategy,
    Temperature,
    stamps,
)
from sampling.wordings import Wording, sequential_part, tokens_for_answer


class NcSequential(Strategy, Temperature, Instructed):
    """Lane s writes slot s in view of the latest texts of lanes 0 to s - 1; the first one is a
    plain answer. In a repair round the kept texts stay, and each new one sees those before it.
    """

    strategy: Literal["nc_sequential"] = "nc_sequential"

    def lanes(self, k: int) -> int:
        return k

    def streams(self, k: int) -> int:  # noqa: ARG002
        return 1

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        parts = self._parts(ask, lane, earlier)
        context = ask.context
        if "earlier" in parts:
            context = add_to_last_user_message(context, parts["earlier"].text)
        room = tokens_for_answer(language=ask.language, words=ask.style.words)
        return Call(
            purpose="answer",
            messages=self.instructed(parts["lines"].text, *context),
            params=self.params(room=room),
            parts=stamps(**parts),
        )

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        finished = dict(kept)
        for slot in range(ask.k):
            if slot in kept:
                continue
            earlier = caller.earlier()
            call = self.call(ask, lane=slot, earlier=earlier)
            answer = await caller(call, lane=slot)
            finished[slot] = self._draft(slot, answer, self._parts(ask, slot, earlier))
            caller.written(len(finished))
        return Drawn([finished[slot] for slot in sorted(finished)])

    def _draft(self, slot: int, answer: Answer, parts: Mapping[str, Wording]) -> Draft:
        return single_draft(slot=slot, answer=answer, role="nc_sequential", parts=stamps(**parts))

    def _parts(self, ask: Ask, lane: int, earlier: Mapping[int, str]) -> dict[str, Wording]:
        """KeyError when a text that this lane has to see is missing."""
        parts = parts_of(ask, bare=False)
        if seen := [earlier[before] for before in range(lane)]:
            parts["earlier"] = sequential_part(seen)
        return parts
