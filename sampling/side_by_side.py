"""Several ways of making a set, asked side by side: one question, each way on each endpoint.

No database. Ways run one after the other on an endpoint, so that their times can be compared, and
endpoints run side by side. A set that could not be made is a result like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sampling import single_set
from sampling.calls import Endpoint, Send
from sampling.client import ModelClient
from sampling.drawing import draw_set
from sampling.errors import SamplingError
from sampling.messages import turn_of
from sampling.single_set import Wish
from sampling.ways import figures

ENDPOINTS_AT_ONCE = 4


@dataclass(frozen=True)
class Made:
    """What became of one wish: `told` is the object that `manage.py sample --json` prints."""

    wanted: Wish
    told: Mapping[str, Any]

    @property
    def ready(self) -> bool:
        return bool(self.told["state"] == "ready")

    def summary(self) -> dict[str, object]:
        return {**_about(self.wanted), **figures(self.told)}


Tell = Callable[[Made], None]


def make_all(wishes: Sequence[Wish], *, tell: Tell = lambda _: None) -> list[Made]:
    """Every wish with what became of it, in the order of the wishes; `tell` hears each at once."""
    return asyncio.run(_make_all(wishes, tell))


async def _make_all(wishes: Sequence[Wish], tell: Tell) -> list[Made]:
    client = ModelClient()
    room = asyncio.Semaphore(ENDPOINTS_AT_ONCE)
    made: dict[int, Made] = {}

    async def one_after_the_other(places: Iterable[int]) -> None:
        async with room:
            for place in places:
                made[place] = await make(wishes[place], send=client.send)
                tell(made[place])

    try:
        async with asyncio.TaskGroup() as endpoints:
            for places in _by_endpoint(wishes):
                endpoints.create_task(one_after_the_other(places))
    finally:
        await client.close()
    return [made[place] for place in range(len(wishes))]


async def make(wanted: Wish, *, send: Send, streams: Sequence[int] | None = None) -> Made:
    """One attempt at a wish. A SamplingError is its result, and not raised."""
    try:
        result = await draw_set(
            body=wanted.body,
            turn=turn_of(wanted.context),
            context=wanted.context,
            language=wanted.language,
            seed=wanted.seed,
            set_id=wanted.set_id,
            attempt=wanted.attempt,
            endpoints=wanted.endpoints,
            send=send,
            origin=wanted.origin,
            streams=streams,
        )
    except SamplingError as error:
        return Made(wanted, single_set.failed_as_json(wanted, error))
    return Made(wanted, single_set.ready_as_json(wanted, result))


def _about(wanted: Wish) -> dict[str, object]:
    return {"strategy": wanted.strategy, "endpoint": wanted.endpoints[0].name}


def _by_endpoint(wishes: Sequence[Wish]) -> list[list[int]]:
    """The places of the wishes, those of one endpoint together."""
    places: dict[Endpoint, list[int]] = {}
    for place, wanted in enumerate(wishes):
        places.setdefault(wanted.endpoints[0], []).append(place)
    return list(places.values())
