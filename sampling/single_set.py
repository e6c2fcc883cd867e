"""One set on its own, as the command line asks for it: which endpoint, one attempt, and the result
as data.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from sampling import plans, wordings
from sampling.calls import SEEDS, Endpoint
from sampling.client import ModelClient
from sampling.drawing import NOWHERE, SetResult, draw_set
from sampling.endpoints import split
from sampling.errors import BadRequest, GuardRejected, SamplingError
from sampling.messages import Context, turn_of
from sampling.plans import PlanBody
from sampling.strategies import Origin

NO_ENDPOINT = (
    "no endpoint: give --base-url and --model, set MODEL_BASE_URL and MODEL_NAME, or start the "
    "demo with `make demo`"
)


@dataclass(frozen=True)
class Wish:
    """What is asked for; a set that is stored has its row's id, seed and attempt."""

    body: PlanBody
    context: Context
    language: str
    endpoints: tuple[Endpoint, ...]
    seed: int
    set_id: UUID
    attempt: int = 1
    origin: Origin = NOWHERE

    @property
    def strategy(self) -> str:
        return plans.step(self.body, turn_of(self.context), self.origin.category).strategy


def wish(
    *,
    body: PlanBody,
    context: Context,
    language: str,
    endpoints: tuple[Endpoint, ...],
    seed: int | None = None,
    set_id: UUID | None = None,
    origin: Origin = NOWHERE,
) -> Wish:
    """A checked wish, with a seed and an id of its own where none is given. Raises BadRequest."""
    wordings.language_name(language)
    return Wish(
        body=body,
        context=context,
        language=language,
        endpoints=endpoints,
        seed=secrets.randbelow(SEEDS) if seed is None else seed,
        set_id=set_id or uuid4(),
        origin=origin,
    )


def given_endpoint(*, base_url: str, model: str, key_name: str) -> Endpoint:
    """The endpoint named on the command line. Raises BadRequest."""
    if not model:
        raise BadRequest("--base-url needs --model: the name that the endpoint serves it under")
    if key_name and key_name not in settings.MODEL_SECRETS:
        raise BadRequest(f"--key-env: {key_name} is no *_KEY in the environment")
    key = settings.MODEL_SECRETS[key_name] if key_name else ""
    return Endpoint(name="given", base_url=base_url.rstrip("/"), model=model, key=key)


def default_endpoint() -> Endpoint:
    """The environment's own endpoint, else the running demo's simulated one. Raises BadRequest."""
    if settings.MODEL_BASE_URL:
        return _environments_own()
    if settings.SIMULATED_URL:
        return _simulated()
    raise BadRequest(NO_ENDPOINT)


def default_endpoints() -> tuple[Endpoint, ...]:
    """What ways are compared on: the environment's own endpoint, else the running demo's local
    model and its simulated endpoint, those that are there. Raises BadRequest.
    """
    if settings.MODEL_BASE_URL:
        return (_environments_own(),)
    running = [
        *([_local_model()] if settings.LOCAL_MODEL_URL else []),
        *([_simulated()] if settings.SIMULATED_URL else []),
    ]
    if not running:
        raise BadRequest(NO_ENDPOINT)
    return tuple(running)


def _environments_own() -> Endpoint:
    addresses = split(settings.MODEL_BASE_URL)
    return Endpoint(
        name="environment",
        base_url=addresses[0],
        replicas=addresses if len(addresses) > 1 else (),
        model=settings.MODEL_NAME,
        key=settings.MODEL_API_KEY,
    )


def _local_model() -> Endpoint:
    return Endpoint(
        name="local-model",
        base_url=settings.LOCAL_MODEL_URL,
        model=settings.LOCAL_MODEL_NAME,
        key=settings.LOCAL_MODEL_KEY,
    )


def _simulated() -> Endpoint:
    return Endpoint(
        name="simulated",
        base_url=settings.SIMULATED_URL,
        model="simulated",
        key=settings.SIMULATED_KEY,
        kind="simulated",
    )


def make(wanted: Wish) -> SetResult:
    """One attempt at the set. Raises SamplingError as draw_set does."""
    return asyncio.run(_make(wanted))


async def _make(wanted: Wish) -> SetResult:
    client = ModelClient()
    try:
        return await draw_set(
            body=wanted.body,
            turn=turn_of(wanted.context),
            context=wanted.context,
            language=wanted.language,
            seed=wanted.seed,
            set_id=wanted.set_id,
            attempt=wanted.attempt,
            endpoints=wanted.endpoints,
            send=client.send,
            origin=wanted.origin,
        )
    finally:
        await client.close()


def ready_as_json(wanted: Wish, result: SetResult) -> dict[str, Any]:
    return {
        "state": "ready",
        "reason": None,
        **_asked(wanted),
        "candidates": [draft.as_json() for draft in result.drafts],
        "calls": [call.as_json() for call in result.calls],
        "guard": result.verdict.as_json(),
        "diversity": result.diversity.as_json(),
        "seconds": result.seconds,
    }


def failed_as_json(wanted: Wish, error: SamplingError) -> dict[str, Any]:
    """The same shape for a set that was not made, with no text in the place of a candidate."""
    verdict = error.verdict.as_json() if isinstance(error, GuardRejected) else None
    return {
        "error": error.as_json(),
        "state": "failed",
        "reason": error.code,
        **_asked(wanted),
        "candidates": [],
        "calls": [call.as_json() for call in error.calls],
        "guard": verdict,
        "diversity": None,
        "seconds": _seconds(error),
    }


def _seconds(error: SamplingError) -> float | None:
    """From the first call to the end of the last; None when nothing was sent."""
    if not error.calls:
        return None
    began = min(call.started_at for call in error.calls)
    ended = max(call.ended_at for call in error.calls)
    return round((ended - began).total_seconds(), 3)


def _asked(wanted: Wish) -> dict[str, Any]:
    return {
        "strategy": wanted.strategy,
        "language": wanted.language,
        "context": list(wanted.context),
        "seed": wanted.seed,
        "set": str(wanted.set_id),
        "endpoint": wanted.endpoints[0].name,
    }
