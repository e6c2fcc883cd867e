"""k draws at the plan's temperature: the baseline that every other strategy is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from sampling.calls import Call
from sampling.strategies.single_answers import SingleAnswers, single_draft
from sampling.strategies.strategy import Answer, Ask, Draft, Instructed, Temperature, stamps
from sampling.wordings import Wording, answer_part, tokens_for_answer


class Independent(SingleAnswers, Temperature, Instructed):
    """The same request k times, each with a seed of its own. `bare`: without our lines."""

    baseline: ClassVar[bool] = True

    strategy: Literal["independent"] = "independent"
    bare: bool = False

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        parts = self._parts(ask)
        room = tokens_for_answer(language=ask.language, words=ask.style.words)
        return Call(
            purpose="answer",
            messages=self.instructed(" ".join(part.text for part in parts.values()), *ask.context),
            params=self.params(room=room),
            parts=stamps(**parts),
        )

    def draft(self, ask: Ask, *, slot: int, answer: Answer) -> Draft:
        return single_draft(
            slot=slot, answer=answer, role="independent", parts=stamps(**self._parts(ask))
        )

    def _parts(self, ask: Ask) -> dict[str, Wording]:
        if self.bare:
            return {}
        style = ask.style
        lines = answer_part(language=ask.language, sentences=style.sentences, words=style.words)
        return {"lines": lines}
