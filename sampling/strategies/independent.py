"""k draws at the plan's temperature: the baseline that every other strategy is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol

from sampling.calls import Call
from sampling.messages import Context, Message
from sampling.strategies.single_answers import SingleAnswers, single_draft
from sampling.strategies.strategy import Answer, Ask, Draft, Instructed, Temperature, stamps
from sampling.wordings import Wording, answer_part, tokens_for_answer


class Independent(SingleAnswers, Temperature, Instructed):
    """The same request k times, each with a seed of its own. `bare`: without our lines."""

    baseline: ClassVar[bool] = True

    strategy: Literal["independent"] = "independent"
    bare: bool = False

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        return one_answer(self, ask, bare=self.bare)

    def draft(self, ask: Ask, *, slot: int, answer: Answer) -> Draft:
        parts = stamps(**parts_of(ask, bare=self.bare))
        return single_draft(slot=slot, answer=answer, role="independent", parts=parts)


class Asking(Protocol):
    """What a strategy needs to ask for one plain answer."""

    def params(self, *, room: int) -> dict[str, object]: ...

    def instructed(self, text: str, *messages: Message) -> Context: ...


def one_answer(asking: Asking, ask: Ask, *, bare: bool) -> Call:
    """The request for one plain answer to the context."""
    parts = parts_of(ask, bare=bare)
    told = " ".join(part.text for part in parts.values())
    room = tokens_for_answer(language=ask.language, words=ask.style.words)
    return Call(
        purpose="answer",
        messages=asking.instructed(told, *ask.context),
        params=asking.params(room=room),
        parts=stamps(**parts),
    )


def parts_of(ask: Ask, *, bare: bool) -> dict[str, Wording]:
    """Our lines for one answer; none where it is asked for bare."""
    if bare:
        return {}
    style = ask.style
    lines = answer_part(language=ask.language, sentences=style.sentences, words=style.words)
    return {"lines": lines}
