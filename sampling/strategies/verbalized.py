"""k answers asked for in one generation, each with the probability that the model gives it.

Decoding is constrained to an array of exactly k objects. The probabilities are what the model says
about itself, kept in the provenance; nothing is computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sampling.calls import Call
from sampling.messages import add_to_last_user_message
from sampling.strategies.json_answers import (
    STRING,
    ArrayWatch,
    Unreadable,
    array_format,
    read_array,
    without_markers,
)
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
from sampling.wordings import Wording, tokens_for_responses, verbalized, verbalized_part

ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {"text": STRING, "probability": {"type": "number"}},
    "required": ["text", "probability"],
    "additionalProperties": False,
}
# The keys and the figure of each object, beside its text.
ROOM_PER_OBJECT = 20


class Verbalized(Strategy, Temperature, Instructed):
    """One generation, k objects of a text and its probability."""

    strategy: Literal["verbalized"] = "verbalized"

    def lanes(self, k: int) -> int:  # noqa: ARG002
        return 1

    def streams(self, k: int) -> int:  # noqa: ARG002
        return 1

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        parts = self._parts(ask)
        room = tokens_for_responses(language=ask.language, words=ask.style.words, k=ask.k)
        room += ROOM_PER_OBJECT * ask.k
        wanted = array_format("answers", item=ITEM, k=ask.k)
        context = add_to_last_user_message(ask.context, parts["lines"].text)
        return Call(
            purpose="set",
            messages=self.instructed(parts["instruction"].text, *context),
            params={**self.params(room=room), "response_format": wanted},
            parts=stamps(**parts),
        )

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:  # noqa: ARG002
        watch = ArrayWatch(k=ask.k, tell=caller.written)
        answer = await caller(self.call(ask, lane=0, earlier={}), lane=0, watcher=watch.watch)
        try:
            said = [_read(item) for item in read_array(answer.reply.text, k=ask.k)]
        except Unreadable as fault:
            return Drawn([], [str(fault)])
        caller.written(ask.k)
        parts = stamps(**self._parts(ask))
        return Drawn(
            [_draft(slot, text, share, answer, parts) for slot, (text, share) in enumerate(said)]
        )

    def _parts(self, ask: Ask) -> dict[str, Wording]:
        style = ask.style
        lines = verbalized_part(
            language=ask.language, sentences=style.sentences, words=style.words, k=ask.k
        )
        return {"instruction": verbalized(ask.k), "lines": lines}


def _read(item: object) -> tuple[str, float]:
    """The text and the probability of an object, as they were said. Raises Unreadable."""
    if not isinstance(item, Mapping) or not isinstance(item.get("text"), str):
        raise Unreadable("an answer came without its text")
    share = item.get("probability")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise Unreadable("an answer came without a probability from 0 to 1")
    return item["text"], float(share)


def _draft(slot: int, text: str, share: float, answer: Answer, parts: dict[str, str]) -> Draft:
    return Draft(
        slot=slot,
        text=without_markers(text)[0],
        role="verbalized",
        finish_reason=answer.reply.finish_reason or answer.reply.stopped_early or "",
        call=answer.n,
        provenance={"parts": parts, "probability": share},
    )
