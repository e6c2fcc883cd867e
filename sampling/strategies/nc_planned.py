"""One short call plans k stances that differ in values, then k parallel calls write one each.

The plan is constrained to an array of k short sentences and never names the axes on which values
differ: it gives advice on the message itself. In the writing calls the stance stands last, so that
their common prefix is the same to the byte and a server's prefix cache carries the conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sampling.calls import Call
from sampling.guard.language import detect
from sampling.guard.likeness import normalised
from sampling.messages import (
    Context,
    add_to_last_user_message,
    message,
    unusable,
)
from sampling.strategies.json_answers import (
    STRING,
    ArrayWatch,
    Unreadable,
    array_format,
    read_strings,
    without_markers,
)
from sampling.strategies.single_answers import single_draft
from sampling.strategies.strategy import (
    Answer,
    Ask,
    BrokenPlan,
    Caller,
    Draft,
    Drawn,
    Instructed,
    Planner,
    Temperature,
    stamps,
    together,
)
from sampling.wordings import (
    PLAN_EXAMPLES,
    POSITION,
    TAKE_A_SIDE,
    Wording,
    answer_part,
    plan_part,
    tokens_for_answer,
    tokens_for_plan,
)

PLAN_LANE = 0
# Ten words are asked for; whatever is so much longer is no stance any more.
MAX_STANCE_CHARS = 300
# Small models answer any question with those on meat and cousins.
EXAMPLE_STANCES = frozenset(
    normalised(stance) for _, stances in PLAN_EXAMPLES for stance in stances
)

StanceText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_STANCE_CHARS)]


class NcPlanned(Planner, Temperature, Instructed):
    """Lane 0 plans, lanes 1 to k write. A repair round writes single answers again and keeps the
    attempt's plan; a plan that cannot be used is planned again.

    `stances`: fixed by the plan (the poles of an axis, say), so that no call plans them. `linked`:
    planned once per prompt, for the sets of all languages. `plan_tokens`: the plan's limit.
    """

    strategy: Literal["nc_planned"] = "nc_planned"
    stances: list[StanceText] | None = Field(default=None, min_length=1, max_length=8)
    linked: bool = False
    examples: bool = True
    plan_tokens: int | None = Field(default=None, ge=20, le=4096)

    @model_validator(mode="after")
    def _stances_come_from_one_place(self) -> Self:
        if self.stances and self.linked:
            raise ValueError(
                "stances that the plan fixes are the same in every language: no linked"
            )
        if self.stances and len({normalised(stance) for stance in self.stances}) < len(
            self.stances
        ):
            raise ValueError("two stances are the same")
        return self

    @property
    def links(self) -> bool:
        return self.linked

    def problem(self, k: int) -> str | None:
        if self.stances is None or len(self.stances) == k:
            return None
        return f"{len(self.stances)} stances for {k} candidates: give one for each"

    def lanes(self, k: int) -> int:
        return 1 + k

    def streams(self, k: int) -> int:
        return k

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        if lane == PLAN_LANE:
            return self._plan_call(ask)
        try:
            stances = self._known(ask) or read_plan(earlier[PLAN_LANE], k=ask.k)
        except BrokenPlan as fault:
            raise KeyError(PLAN_LANE) from fault
        return self._writing_call(ask, stances[lane - 1])

    async def plan(self, ask: Ask, caller: Caller) -> tuple[str, ...]:
        watch = ArrayWatch(k=ask.k, tell=lambda _: None)
        call = self._plan_call(ask)
        answer = await caller(call, lane=PLAN_LANE, watcher=watch.watch)
        language = ask.origin.ground.language if ask.origin.ground else None
        return read_plan(answer.reply.text, k=ask.k, language=language)

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        try:
            stances = await self._stances(ask, caller)
        except BrokenPlan as fault:
            return Drawn([], [str(fault)])
        earlier = caller.earlier()
        finished = dict(kept)

        async def write(slot: int) -> None:
            call = self.call(ask, lane=slot + 1, earlier=earlier)
            answer = await caller(call, lane=slot + 1)
            finished[slot] = self._draft(ask, slot, answer, stances[slot])
            caller.written(len(finished))

        await together(write(slot) for slot in range(ask.k) if slot not in kept)
        return Drawn([finished[slot] for slot in sorted(finished)], self._notes(ask, stances))

    def _known(self, ask: Ask) -> tuple[str, ...]:
        """The stances that need no call; none when they have to be planned."""
        return tuple(self.stances or ()) or ask.origin.stances

    async def _stances(self, ask: Ask, caller: Caller) -> tuple[str, ...]:
        """Those that are known, those that this attempt has planned already, or a new plan."""
        if known := self._known(ask):
            return known
        try:
            return read_plan(caller.earlier().get(PLAN_LANE, ""), k=ask.k)
        except BrokenPlan:
            return await self.plan(ask, caller)

    def _plan_call(self, ask: Ask) -> Call:
        """The request for stances; that of a linked set is the same whichever set asks."""
        if self.stances:
            raise KeyError(PLAN_LANE)
        ground = ask.origin.ground
        context, language = (
            (ground.context, ground.language) if ground else (ask.context, ask.language)
        )
        parts = {"plan": plan_part(language=language, k=ask.k)}
        worked = _worked_plans(ask.k) if self.examples else ()
        if worked:
            told = json.dumps(worked, ensure_ascii=False)
            parts["plan_examples"] = Wording("plan-examples.1", told)
        room = self.plan_tokens or tokens_for_plan(language=language, k=ask.k)
        return Call(
            purpose="plan",
            messages=self.instructed(parts["plan"].text, *worked, *context),
            params={
                **self.params(room=room),
                "max_tokens": room,
                "response_format": array_format("stances", item=STRING, k=ask.k),
            },
            parts=stamps(**parts),
            seed_from=ground.seed if ground else None,
        )

    def _writing_call(self, ask: Ask, stance: str) -> Call:
        parts = self._parts(ask)
        position = POSITION.filled(stance=stance)
        room = tokens_for_answer(language=ask.language, words=ask.style.words)
        context = add_to_last_user_message(ask.context, position.text)
        return Call(
            purpose="answer",
            messages=self.instructed(" ".join(part.text for part in parts.values()), *context),
            params=self.params(room=room),
            parts=stamps(**parts, position=position),
        )

    def _draft(self, ask: Ask, slot: int, answer: Answer, stance: str) -> Draft:
        parts = {**self._parts(ask), "position": POSITION.filled(stance=stance)}
        return single_draft(
            slot=slot, answer=answer, role="nc_planned", stance=stance, parts=stamps(**parts)
        )

    def _parts(self, ask: Ask) -> dict[str, Wording]:
        style = ask.style
        lines = answer_part(language=ask.language, sentences=style.sentences, words=style.words)
        return {"lines": lines, "side": TAKE_A_SIDE}

    def _notes(self, ask: Ask, stances: tuple[str, ...]) -> list[str]:
        """Small models plan in the language they like; that steers as well, and is said."""
        planned = not self._known(ask)
        if planned and detect(" ".join(stances)) not in {None, ask.language}:
            return ["the stances were planned in another language than the conversation's"]
        return []


def read_plan(text: str, *, k: int, language: str | None = None) -> tuple[str, ...]:
    """The k stances of a plan's answer, in `language` where one is demanded. Raises BrokenPlan."""
    try:
        found = read_strings(text, k=k)
    except Unreadable as fault:
        raise BrokenPlan(f"the plan of the stances cannot be read: {fault}") from fault
    stances = tuple(" ".join(without_markers(one)[0].split()) for one in found)
    if any(not normalised(one) or unusable(one) for one in stances):
        raise BrokenPlan("a planned stance was empty")
    if any(len(one) > MAX_STANCE_CHARS for one in stances):
        raise BrokenPlan("a planned stance was too long to be one")
    if any(normalised(one) in EXAMPLE_STANCES for one in stances):
        raise BrokenPlan("a planned stance was copied from the worked examples")
    if len({normalised(one) for one in stances}) < k:
        raise BrokenPlan("two planned stances were the same")
    if language and detect(" ".join(stances)) not in {None, language}:
        raise BrokenPlan("the stances were planned in another language than the prompt's")
    return stances


def _worked_plans(k: int) -> Context:
    turns = (
        (
            message("user", question),
            message("assistant", json.dumps(list(stances[:k]), ensure_ascii=False)),
        )
        for question, stances in PLAN_EXAMPLES
    )
    return tuple(chain.from_iterable(turns))
