"""Texts that were brought along, by people or from other models: curated items, and judgements of
answers that exist already. No model is called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sampling.calls import Call
from sampling.errors import BadRequest
from sampling.strategies.strategy import Ask, Caller, Draft, Drawn, Strategy


class GivenText(BaseModel):
    """A text with its role in the set and where it comes from. `prompt` and `language` say which
    sets it belongs to: those of every prompt, or in every language, where they are left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    text: str = Field(min_length=1, max_length=8000)
    role: str = Field(default="given", min_length=1, max_length=40)
    origin: str = Field(default="", max_length=400)
    prompt: str | None = Field(default=None, min_length=1, max_length=80)
    language: str | None = Field(default=None, min_length=2, max_length=10)


class Given(Strategy):
    """k texts for each prompt and language, in their order. The most particular ones are taken:
    those of the prompt and the language, else of the prompt, else of the language, else the others.

    A baseline: what people wrote is not to be repaired.
    """

    baseline: ClassVar[bool] = True

    strategy: Literal["given"] = "given"
    texts: list[GivenText] = Field(min_length=1, max_length=20_000)

    def problem(self, k: int) -> str | None:
        for (prompt, language), group in self._groups().items():
            if len(group) != k:
                whose = f"of prompt {prompt or 'any'} in language {language or 'any'}"
                return f"{len(group)} texts {whose} for {k} candidates: give one for each"
        return None

    def brings(self, prompt: str, language: str) -> bool:
        """Whether there are texts for a set of the prompt (empty: own words) in the language."""
        return self._texts(prompt, language) is not None

    def lanes(self, k: int) -> int:  # noqa: ARG002
        return 0

    def streams(self, k: int) -> int:  # noqa: ARG002
        """None is opened; a set that waits counts one at least."""
        return 1

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:  # noqa: ARG002
        raise KeyError(lane)

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:  # noqa: ARG002
        group = self._group(ask)
        caller.written(ask.k)
        return Drawn([_draft(slot, given) for slot, given in enumerate(group)])

    def _group(self, ask: Ask) -> list[GivenText]:
        prompt, language = ask.origin.prompt, ask.language
        found = self._texts(prompt, language)
        if found is None:
            where = f"prompt {prompt}" if prompt else "this conversation"
            raise BadRequest(f"the plan brings no texts for {where} in {language}")
        return found

    def _texts(self, prompt: str, language: str) -> list[GivenText] | None:
        groups, key = self._groups(), prompt or None
        wanted = ((key, language), (key, None), (None, language), (None, None))
        return next((groups[one] for one in wanted if one in groups), None)

    def _groups(self) -> dict[tuple[str | None, str | None], list[GivenText]]:
        groups = defaultdict(list)
        for given in self.texts:
            groups[given.prompt, given.language].append(given)
        return dict(groups)


def _draft(slot: int, given: GivenText) -> Draft:
    return Draft(
        slot=slot,
        text=given.text.strip(),
        role=given.role,
        finish_reason="given",
        call=None,
        provenance={"origin": given.origin},
    )
