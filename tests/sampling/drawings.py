"""Short ways to draw sets in tests, without a database: a scripted endpoint, or a real socket."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from sampling import plans, simulated
from sampling.calls import Deadlines, Endpoint, Reply, Watcher
from sampling.client import ModelClient
from sampling.drawing import SetResult, draw_set
from sampling.errors import SamplingError
from sampling.messages import Context, message
from sampling.plans import PlanBody

SET_ID = UUID("6a1c3f6e-0c55-4a53-9a0e-1c8a2f6f9f10")
QUESTION = "My brother wants to borrow money to open a shop. Should I lend it?"
TEXTS = [
    "Help him, because family comes before money and he would do the same for you.",
    "Ask for a written contract first, with dates, figures and a plan to read.",
    "Keep your savings: a secure home matters more than somebody else's dream.",
    "Follow your heart, and give only what you would be happy to lose.",
    "Visit the shop with him one morning; numbers look different on the spot.",
    "Say no kindly and explain why, then offer your time on Saturdays instead.",
]
MARKED = "\n\n".join(f"### {text}" for text in TEXTS[:4])


def context(*texts: str) -> Context:
    """A conversation of these messages, the last one and every second one before it a user's."""
    roles = itertools.cycle(("user", "assistant"))
    return tuple(
        message("user" if role == "user" else "assistant", text)
        for role, text in zip(roles, texts or (QUESTION,), strict=False)
    )


class ScriptedSend:
    """Answers calls with texts or errors, in turn or by a function of the request's body."""

    def __init__(
        self,
        script: Iterable[str | SamplingError] | Callable[[Mapping[str, Any]], str | SamplingError],
        *,
        pieces: int = 7,
        finish_reason: str = "stop",
    ) -> None:
        self._turns = None if callable(script) else iter(script)
        self._choose = script if callable(script) else None
        self._pieces = pieces
        self._finish_reason = finish_reason
        self.bodies: list[Mapping[str, Any]] = []
        self.request_ids: list[str] = []
        self.conversations: list[str] = []
        self.open = self.most_open = 0

    async def __call__(
        self,
        *,
        endpoint: Endpoint,  # noqa: ARG002
        body: Mapping[str, object],
        request_id: str,
        deadlines: Deadlines,  # noqa: ARG002
        conversation: str = "",
        watcher: Watcher | None = None,
    ) -> Reply:
        self.bodies.append(body)
        self.request_ids.append(request_id)
        self.conversations.append(conversation)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            await asyncio.sleep(0)
            told = self._choose(body) if self._choose else next(self._turns or iter(()))
        finally:
            self.open -= 1
        if isinstance(told, SamplingError):
            raise told
        return self._reply(told, body, request_id, watcher)

    def _reply(
        self, text: str, body: Mapping[str, object], request_id: str, watcher: Watcher | None
    ) -> Reply:
        now = timezone.now()
        written, stopped = "", None
        for at in range(0, len(text), self._pieces):
            written += text[at : at + self._pieces]
            stopped = watcher(text[at : at + self._pieces]) if watcher else None
            if stopped:
                break
        return Reply(
            text=written,
            finish_reason=None if stopped else self._finish_reason,
            usage={"completion_tokens": len(written.split())},
            body=body,
            request_id=request_id,
            started_at=now,
            first_byte_at=now,
            ended_at=now,
            stopped_early=stopped,
        )


def endpoint(server: simulated.Endpoint | None = None, **fields: Any) -> Endpoint:
    base = {"base_url": server.base_url, "key": server.key} if server else {"base_url": "http://x"}
    return Endpoint(**{"name": "test", "model": "simulated", **base, **fields})


def plan(strategy: str = "independent", **changes: Any) -> PlanBody:
    """A plan of one strategy; `step` has its parameters."""
    step = {"strategy": strategy, **changes.pop("step", {})}
    return plans.read({"first_turn": step, **changes})


async def drawn(
    send: Any, body: PlanBody, *, endpoints: Sequence[Endpoint] | None = None, **changes: Any
) -> SetResult:
    """One attempt; whatever draw_set takes may be changed."""
    asked = {"turn": 0, "context": context(), "language": "en", "seed": 7, "attempt": 1}
    return await draw_set(
        body=body,
        set_id=SET_ID,
        endpoints=endpoints or [endpoint()],
        send=send,
        **{**asked, **changes},
    )


def draw(send: Any, body: PlanBody | None = None, **changes: Any) -> SetResult:
    return asyncio.run(drawn(send, body or plan(), **changes))


def draw_from(
    server: simulated.Endpoint, body: PlanBody | None = None, **changes: Any
) -> SetResult:
    """A set from a real socket, with a client that is closed afterwards."""

    async def work() -> SetResult:
        client = ModelClient()
        try:
            asked = {"endpoints": [endpoint(server)], **changes}
            return await drawn(client.send, body or plan(), **asked)
        finally:
            await client.close()

    return asyncio.run(work())
