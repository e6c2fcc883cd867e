"""The published instruction, its k responses constrained to a JSON array of exactly k strings.

The instruction stands alone and unchanged in its message, as for `nc_single`; our lines, which ask
for the array, end the last user message of the request. A wrong count is a whole generation to make
again: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sampling.calls import Call
from sampling.messages import add_to_last_user_message
from sampling.strategies.json_answers import (
    STRING,
    ArrayWatch,
    Unreadable,
    array_format,
    read_strings,
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
from sampling.wordings import Wording, published, structured_part, tokens_for_responses


class NcStructured(Strategy, Temperature, Instructed):
    """One generation, k strings. `bare`: the published sentences without our lines."""

    strategy: Literal["nc_structured"] = "nc_structured"
    bare: bool = False

    def lanes(self, k: int) -> int:  # noqa: ARG002
        return 1

    def streams(self, k: int) -> int:  # noqa: ARG002
        return 1

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        parts = self._parts(ask)
        context = ask.context
        if "lines" in parts:
            context = add_to_last_user_message(context, parts["lines"].text)
        room = tokens_for_responses(language=ask.language, words=ask.style.words, k=ask.k)
        wanted = array_format("responses", item=STRING, k=ask.k)
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
            texts = read_strings(answer.reply.text, k=ask.k)
        except Unreadable as fault:
            return Drawn([], [str(fault)])
        caller.written(ask.k)
        parts = stamps(**self._parts(ask))
        return Drawn([_draft(slot, text, answer, parts) for slot, text in enumerate(texts)])

    def _parts(self, ask: Ask) -> dict[str, Wording]:
        parts = {"instruction": published(ask.k)}
        if not self.bare:
            style = ask.style
            parts["lines"] = structured_part(
                language=ask.language, sentences=style.sentences, words=style.words, k=ask.k
            )
        return parts


def _draft(slot: int, text: str, answer: Answer, parts: dict[str, str]) -> Draft:
    bare, had_markers = without_markers(text)
    provenance: dict[str, object] = {"parts": parts, "array": "closed"}
    if had_markers:
        provenance["split"] = ["marker"]
    return Draft(
        slot=slot,
        text=bare,
        role="nc_structured",
        finish_reason=answer.reply.finish_reason or answer.reply.stopped_early or "",
        call=answer.n,
        provenance=provenance,
    )
