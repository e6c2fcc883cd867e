"""Sets and single calls through the platform's own client, from any server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sampling import plans
from sampling.calls import Deadlines, Endpoint, Reply
from sampling.client import ModelClient
from sampling.drawing import SetResult, draw_set
from sampling.errors import SamplingError
from sampling.messages import Context, message
from sampling.plans import PlanBody
from tests.sampling.drawings import SET_ID
from tests.verification.profiles import Profile

T = TypeVar("T")

QUESTION = "Should I lend my savings to a cousin who wants to open a shop?"
# A small model on two busy cores takes its time.
SLOW = Deadlines(connect=10, first_byte=240, between_chunks=120, total=300)
PATIENT = {"first_byte": 240, "between_chunks": 120, "total": 300}
# Nothing that a very small model writes is held against it but what could never be stored.
LENIENT = dict.fromkeys(
    "special_tokens markers preamble run_on echo question_back refusal self_identification "
    "foreign_script near_duplicate cut_off too_short too_long loop length_spread language "
    "formatting".split(),
    "mark",
)


def endpoint(profile: Profile, **changes: Any) -> Endpoint:
    base = {"base_url": profile.base_url, "model": profile.model, "key": profile.key}
    return Endpoint(**{"name": profile.name, **base, **changes})


def with_client(work: Callable[[ModelClient], Awaitable[T]]) -> T:
    """The outcome of work with a client that is closed afterwards."""

    async def run() -> T:
        client = ModelClient()
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def sent(profile: Profile, *, to: Endpoint | None = None, **body: Any) -> Reply:
    """One call by the platform's client. Raises EndpointError."""
    target = to or endpoint(profile)
    told = {
        "model": target.model,
        "messages": [message("user", QUESTION)],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 16,
        **body,
    }
    return with_client(
        lambda client: client.send(
            endpoint=target, body=told, request_id=f"{SET_ID}.1.0", deadlines=SLOW
        )
    )


def plan(step: dict[str, Any], **changes: Any) -> PlanBody:
    """A plan of short answers, of which the guard refuses only what could never be stored."""
    body = {
        "k": 4,
        "first_turn": step,
        "style": {"sentences": 1, "words": 16},
        "guard": LENIENT,
        "deadlines": PATIENT,
        "repairs": 0,
    }
    return plans.read({**body, **changes})


def drawn(
    profile: Profile, body: PlanBody, *, client: ModelClient, context: Context | None = None
) -> Awaitable[SetResult]:
    """One attempt at a set."""
    return draw_set(
        body=body,
        turn=0,
        context=context or (message("user", QUESTION),),
        language="en",
        seed=7,
        set_id=SET_ID,
        attempt=1,
        endpoints=[endpoint(profile)],
        send=client.send,
    )


def outcome(
    profile: Profile, body: PlanBody, *, context: Context | None = None
) -> SetResult | SamplingError:
    """The set, or why there is none."""
    try:
        return with_client(lambda client: drawn(profile, body, client=client, context=context))
    except SamplingError as error:
        return error
