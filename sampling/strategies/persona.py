"""Given stances: each candidate is asked from a position of its own, with worked examples where the
plan gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sampling.calls import Call
from sampling.messages import Context, message
from sampling.strategies.single_answers import SingleAnswers, single_draft
from sampling.strategies.strategy import Answer, Ask, Draft, Instructed, Temperature, stamps
from sampling.wordings import Wording, answer_part, tokens_for_answer

Text = Field(min_length=1, max_length=4000)


class Example(BaseModel):
    """A worked example: a question, and the answer that somebody of the stance would give."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    user: str = Text
    assistant: str = Text


class Stance(BaseModel):
    """A position by name, and the words that ask the model to take it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, max_length=60)
    text: str = Text
    examples: list[Example] = Field(default_factory=list, max_length=8)


# One towards each pole of the two value axes, for plans that bring none of their own.
STANCES = {
    "tradition": "You value family, faith and the customs that you grew up with.",
    "reason": "You value reason, evidence and each person's own judgement.",
    "security": "You value safety, order and a secure income.",
    "expression": "You value freedom, tolerance and living as your own feelings tell you.",
}


def default_stances() -> list[Stance]:
    return [Stance(name=name, text=text) for name, text in STANCES.items()]


class Persona(SingleAnswers, Temperature, Instructed):
    """k system prompts with given stances. `bare`: the stance's text alone, without our lines."""

    strategy: Literal["persona"] = "persona"
    stances: list[Stance] = Field(default_factory=default_stances, min_length=1, max_length=8)
    bare: bool = False

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [stance.name for stance in self.stances]
        if len(set(names)) < len(names):
            raise ValueError("two stances have the same name")
        return self

    def problem(self, k: int) -> str | None:
        if len(self.stances) == k:
            return None
        return f"{len(self.stances)} stances for {k} candidates: give one for each"

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        parts = self._parts(ask, lane)
        told = " ".join(part.text for part in parts.values())
        room = tokens_for_answer(language=ask.language, words=ask.style.words)
        return Call(
            purpose="answer",
            messages=self.instructed(told, *self._worked(lane), *ask.context),
            params=self.params(room=room),
            parts=stamps(**parts),
        )

    def draft(self, ask: Ask, *, slot: int, answer: Answer) -> Draft:
        return single_draft(
            slot=slot,
            answer=answer,
            role="persona",
            stance=self.stances[slot].name,
            parts=stamps(**self._parts(ask, slot)),
        )

    def _parts(self, ask: Ask, lane: int) -> dict[str, Wording]:
        stance = self.stances[lane]
        parts = {"stance": Wording(f"stance.{stance.name}", stance.text)}
        if not self.bare:
            style = ask.style
            parts["lines"] = answer_part(
                language=ask.language, sentences=style.sentences, words=style.words
            )
        return parts

    def _worked(self, lane: int) -> Context:
        """The examples as earlier turns: small models follow those, and not a description."""
        turns = []
        for example in self.stances[lane].examples:
            turns += [message("user", example.user), message("assistant", example.assistant)]
        return tuple(turns)
