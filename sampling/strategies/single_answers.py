"""The shape of strategies that ask for each candidate in a call of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from sampling.strategies.strategy import Answer, Ask, Caller, Draft, Drawn, Strategy, together


class SingleAnswers(Strategy):
    """k parallel calls, one candidate each: lane and slot are the same number."""

    def lanes(self, k: int) -> int:
        return k

    def streams(self, k: int) -> int:
        return k

    @abstractmethod
    def draft(self, ask: Ask, *, slot: int, answer: Answer) -> Draft:
        """The draft that an answer makes."""

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        finished = dict(kept)

        async def write(slot: int) -> None:
            call = self.call(ask, lane=slot, earlier={})
            answer = await caller(call, lane=slot)
            finished[slot] = self.draft(ask, slot=slot, answer=answer)
            caller.written(len(finished))

        await together(write(slot) for slot in range(ask.k) if slot not in kept)
        return Drawn([finished[slot] for slot in sorted(finished)])


def single_draft(
    *, slot: int, answer: Answer, role: str, stance: str | None = None, parts: Mapping[str, str]
) -> Draft:
    """The draft of a whole answer, as it came."""
    reply = answer.reply
    return Draft(
        slot=slot,
        text=reply.text.strip(),
        role=role,
        stance=stance,
        finish_reason=reply.finish_reason or reply.stopped_early or "",
        call=answer.n,
        n_tokens=reply.n_tokens,
        provenance={"parts": dict(parts)},
    )
