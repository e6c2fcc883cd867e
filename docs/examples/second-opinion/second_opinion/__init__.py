"""One plain answer, and k - 1 answers of people who read it and think otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sampling.calls import Call
from sampling.messages import add_to_last_user_message
from sampling.strategies import (
    Answer,
    Ask,
    Caller,
    Draft,
    Drawn,
    Instructed,
    Strategy,
    Temperature,
    stamps,
    together,
)
from sampling.wordings import Wording, answer_part, tokens_for_answer

OTHERWISE = Wording(
    "second-opinion.1",
    "Somebody answered this:\n“{answer}”\nAnswer as somebody with other values, whose advice "
    "differs from it.",
)


class SecondOpinion(Strategy, Temperature, Instructed):
    """Lane 0 writes the first answer; lanes 1 to k - 1 answer it, all at once."""

    strategy: Literal["second_opinion"] = "second_opinion"

    def lanes(self, k: int) -> int:
        return k

    def streams(self, k: int) -> int:
        return max(1, k - 1)

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        parts = self._parts(ask, lane, earlier)
        context = ask.context
        if "otherwise" in parts:
            context = add_to_last_user_message(context, parts["otherwise"].text)
        room = tokens_for_answer(language=ask.language, words=ask.style.words)
        return Call(
            purpose="answer",
            messages=self.instructed(parts["lines"].text, *context),
            params=self.params(room=room),
            parts=stamps(**parts),
        )

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        finished = dict(kept)

        async def write(slot: int) -> None:
            earlier = caller.earlier()
            answer = await caller(self.call(ask, lane=slot, earlier=earlier), lane=slot)
            finished[slot] = _draft(slot, answer, self._parts(ask, slot, earlier))
            caller.written(len(finished))

        if 0 not in kept:
            await write(0)
        await together(write(slot) for slot in range(1, ask.k) if slot not in kept)
        return Drawn([finished[slot] for slot in sorted(finished)])

    def _parts(self, ask: Ask, lane: int, earlier: Mapping[int, str]) -> dict[str, Wording]:
        """KeyError when the first answer is needed and is not there."""
        style = ask.style
        lines = answer_part(language=ask.language, sentences=style.sentences, words=style.words)
        if lane == 0:
            return {"lines": lines}
        return {"lines": lines, "otherwise": OTHERWISE.filled(answer=earlier[0].strip())}


def _draft(slot: int, answer: Answer, parts: Mapping[str, Wording]) -> Draft:
    return Draft(
        slot=slot,
        text=answer.reply.text.strip(),
        role="first" if slot == 0 else "otherwise",
        finish_reason=answer.reply.finish_reason or "",
        call=answer.n,
        n_tokens=answer.reply.n_tokens,
        provenance={"parts": stamps(**parts)},
    )
