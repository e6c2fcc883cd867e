"""200 annotators at a stress pace on the whole system: web, worker, database and endpoint.

A turn takes each of them 30 seconds. First turns find their sets made ahead; the answers to every
later message come from the simulated endpoint at the promised pace. What a wait took beyond the
time in which the endpoint wrote is ours. Clients and endpoint share the machine with the rest.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import quantiles
from typing import Any
from uuid import UUID

from bench.generation import began_at, known, last_tokens, paced
from bench.processes import Meter
from bench.report import Row, bounded, reported
from bench.servers import Servers
from bench.stress import Seen, Stress
from bench.worlds import ready_world
from sampling.models import Endpoint
from tests.annotation import talking
from tests.factories import World

PEOPLE, PROMPTS = 200, 20
ARRIVING = 30.0  # seconds: as long as a turn, so that they do not act in step
SECONDS, BRIEFLY = 180.0, 40.0
SEATS = 400


def measure(servers: Servers) -> Iterator[Row]:
    yield from at_work(servers, seconds=SECONDS)


def measure_briefly(servers: Servers) -> Iterator[Row]:
    yield from at_work(servers, seconds=BRIEFLY)


def at_work(servers: Servers, *, seconds: float) -> Iterator[Row]:
    world = ready_world(prompts=PROMPTS, turns={"min": 3, "max": 4})
    people = [talking.joined(world) for _ in range(PEOPLE)]
    with (
        paced() as endpoint,
        servers.worker(known(endpoint, WORKER_STREAMS="400")) as worker,
        servers.web() as (web, address),
        Stress(address).running() as stress,
    ):
        serve(world, endpoint.base_url)
        stress.come(people, arriving=ARRIVING)
        time.sleep(ARRIVING + 2)
        stress.seen.forget()
        pids = [web.child.pid, worker.child.pid, servers.postgres.child.pid]
        with Meter(pids).running() as meter:
            begun = time.time()
            time.sleep(seconds)
            ended = time.time()
        seen = stress.seen.so_far()  # first, so that the log has all that they waited for
        yield from figures(seen, endpoint.log(), seconds=ended - begun)
        busy = meter.cores(begun, ended)
    yield reported(row="200 annotators, web, worker, database", figure=busy, unit="cores")


def serve(world: World, base_url: str) -> None:
    """Let the endpoint answer for the plan of the world."""
    Endpoint.objects.filter(pk=world.endpoint.pk).update(
        base_url=base_url,
        seats=SEATS,
        secret_name="BENCH_KEY",  # noqa: S106
    )


def figures(seen: Seen, log: Sequence[Mapping[str, Any]], *, seconds: float) -> Iterator[Row]:
    for fault in sorted(set(seen.errors))[:3]:
        print(f"200 annotators met: {fault}")
    rows = {kind: 1000 * p95(times) for kind, times in seen.times.items() if len(times) > 1}
    every = 1000 * p95([took for times in seen.times.values() for took in times])
    yield bounded(row="200 annotators, p95 of requests", figure=every, unit="ms", at_most=300)
    kind = max(rows, key=rows.__getitem__)
    yield reported(row=f"200 annotators, {kind}, p95", figure=rows[kind], unit="ms")
    errors = len(seen.errors)
    yield bounded(row="200 annotators, errors", figure=errors, unit="errors", at_most=0)
    first = seen.first_waits
    yield bounded(row="200 annotators, first turns waited", figure=first, unit="turns", at_most=0)
    share = 100 * waited_for_us(seen, log) / (PEOPLE * seconds)
    yield bounded(row="200 annotators, waiting for us", figure=share, unit="%", at_most=2)
    pace = PEOPLE * seconds / seen.comparisons
    yield reported(row="200 annotators, a turn of each", figure=pace, unit="s")


def p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1]


def waited_for_us(seen: Seen, log: Sequence[Mapping[str, Any]]) -> float:
    """Seconds of all waits beyond the time in which the endpoint wrote the set."""
    ends, begins = last_tokens(log), first_tokens_asked(log)
    return sum(
        (until - asked) - (ends[set_id] - begins[set_id])
        for set_id, (asked, until) in seen.waits.items()
    )


def first_tokens_asked(log: Sequence[Mapping[str, Any]]) -> dict[UUID, float]:
    """When the endpoint began with each set, by its own log; seconds since 1970."""
    began: dict[UUID, float] = {}
    for entry in log:
        set_id = UUID(entry["request_id"].partition(".")[0])
        began[set_id] = min(began.get(set_id, began_at(entry)), began_at(entry))
    return began
