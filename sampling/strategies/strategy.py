"""What a strategy is: a way to turn a context, k and a seed into k texts, which says what it did.

A strategy is a validated value (its parameters, as the plan wrote them) with three duties:

- `call(ask, lane=..., earlier=...)` builds the request of a lane, purely. What is sent and what is
  rebuilt later from rows both come from here, so they cannot differ.
- `draw(ask, caller, kept=...)` makes the calls and returns drafts. In a repair round `kept` holds
  the drafts that passed; only the others are made again (a strategy that writes all responses in
  one generation makes its whole set again).
- `lanes(k)` and `streams(k)` say how many kinds of calls a round may hold, and how many it opens at
  once.

It never retries, never judges and never stores: that is drawing's, the guard's and the worker's
part.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from sampling.calls import Call, Reply, Watcher
from sampling.messages import Context, Message, message
from sampling.wordings import Wording

T = TypeVar("T")


class Style(BaseModel):
    """The length asked of every candidate of a set: style is a known confound, so it is asked of
    all alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sentences: int = Field(default=2, ge=1, le=8)
    words: int = Field(default=45, ge=5, le=400)


# Lengths by name. `phone`: three to four sentences that fit on a phone's screen, 60 to 90 words.
STYLES = {"short": Style(sentences=2, words=45), "phone": Style(sentences=4, words=75)}


@dataclass(frozen=True)
class Ground:
    """What the stances of linked sets are planned on: one text of the prompt and one seed, so that
    whichever set plans them sends the same request.
    """

    context: Context
    language: str
    seed: int


@dataclass(frozen=True)
class Origin:
    """Where a context comes from: its prompt's key and category, both empty for a person's own
    words. A set that is linked has a `ground`, and `stances` as soon as they are planned.
    """

    prompt: str = ""
    category: str = ""
    ground: Ground | None = None
    stances: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ask:
    """What a set is asked for. `seed` is the set's; each call's own follows from it, the attempt
    and its number. `endpoints` is how many the plan has.
    """

    context: Context
    k: int
    language: str
    seed: int
    attempt: int = 1
    style: Style = field(default_factory=Style)
    origin: Origin = field(default_factory=Origin)
    endpoints: int = 1


@dataclass(frozen=True)
class Draft:
    """A text that may become a candidate, and how it came to be; `call` is its call's number, None
    for a text that no call made.
    """

    slot: int
    text: str
    role: str
    finish_reason: str
    call: int | None
    n_tokens: int | None = None
    stance: str | None = None
    provenance: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        provenance = {"role": self.role, "stance": self.stance, "call": self.call}
        return {
            "slot": self.slot,
            "text": self.text,
            "finish_reason": self.finish_reason,
            "n_tokens": self.n_tokens,
            "provenance": {**provenance, **self.provenance},
        }


@dataclass(frozen=True)
class Drawn:
    """The drafts of a round, at most one per slot. Fewer than k means that the rest could not be
    had; `notes` say why.
    """

    drafts: Sequence[Draft]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Answer:
    """A whole reply and the number of its call."""

    n: int
    reply: Reply


class Caller(Protocol):
    """What a strategy may do to the world during a round: make calls, and tell how many candidates
    are written.
    """

    async def __call__(
        self, call: Call, *, lane: int, watcher: Watcher | None = None
    ) -> Answer: ...

    def written(self, count: int) -> None: ...

    def earlier(self) -> Mapping[int, str]:
        """The latest text of each lane that has answered in this attempt, earlier rounds too."""
        ...


class Strategy(BaseModel, ABC):
    """Base of all strategies; the fields of a subclass are its parameters in a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    # A baseline's likeness and length are only marked: repairing it would spoil the comparison of
    # strategies.
    baseline: ClassVar[bool] = False

    strategy: str

    @abstractmethod
    def lanes(self, k: int) -> int:
        """How many calls one round may hold, at most."""

    @abstractmethod
    def streams(self, k: int) -> int:
        """How many calls it opens at once."""

    def streams_on(self, k: int, endpoints: int) -> tuple[int, ...]:
        """How many streams it opens at once on each of the set's endpoints; the first one serves it
        unless it says else.
        """
        return (self.streams(k), *(0 for _ in range(endpoints - 1)))

    def problem(self, k: int) -> str | None:  # noqa: ARG002
        """Why these parameters cannot give k candidates, or None when they can."""
        return None

    @abstractmethod
    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        """The request of a lane. `earlier` has the latest texts by lane; KeyError when one that it
        needs is missing.
        """

    @abstractmethod
    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        """Makes the calls of a round and returns its drafts, the kept ones among them where it can
        keep them.
        """


class Planner(Strategy):
    """A strategy whose sets write stances that were planned before. With `links`, the stances of a
    prompt are planned once, and the sets of all its languages write them.
    """

    @property
    @abstractmethod
    def links(self) -> bool:
        """Whether the sets of a prompt are linked."""

    @abstractmethod
    async def plan(self, ask: Ask, caller: Caller) -> tuple[str, ...]:
        """The k stances, by one call. Raises BrokenPlan when it gave none that can be used."""


class BrokenPlan(ValueError):
    """The answer holds no k stances that can be used; its text says why."""


class Temperature(BaseModel):
    """The sampling parameters that every drawing strategy takes."""

    temperature: float = Field(default=1.0, ge=0.0, le=2.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=1, le=8192)
    # Not in a stored plan while it is off: plans from before it keep their fingerprint.
    logprobs: bool = Field(default=False, exclude_if=lambda asked: not asked)

    def params(self, *, room: int) -> dict[str, object]:
        """The parameters of a call; `room` is the token limit where the plan sets none."""
        params: dict[str, object] = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens or room,
        }
        if self.top_p is not None:
            params["top_p"] = self.top_p
        if self.logprobs:
            params["logprobs"] = True
        return params


class Instructed(BaseModel):
    """Where the instruction of a strategy stands: alone in a system message, or in a user message
    of its own before the conversation, for models that know no system role.
    """

    role: Literal["system", "user"] = "system"

    def instructed(self, text: str, *messages: Message) -> Context:
        """The messages under the instruction; without text, the messages alone."""
        return (message(self.role, text), *messages) if text else messages


def stamps(**parts: Wording) -> dict[str, str]:
    """The named, hashed parts of a request, for the provenance."""
    return {name: wording.stamp for name, wording in parts.items()}


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """The results of all, in order. The first error cancels the others, waits for their end, and is
    raised alone.
    """
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
