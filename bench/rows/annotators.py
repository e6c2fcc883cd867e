"""200 annotators at a stress pace on the whole system: web, worker, database and endpoint.

A turn takes each of them 30 seconds. First turns find their sets made ahead; the answers to every
later message come from the simulated endpoint at the promised pace. What a wait took beyond the
time in which the endpoint wrote is ours. Clients and endpoint share the machine with the rest.

The simulation behind docs/scaling.md is held against this run: how many sets such people ask for,
how many comparisons they make, and how long they wait, by the pauses and the pace alone.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, median, quantiles
from typing import Any
from uuid import UUID

from bench.generation import TOKENS, began_at, known, last_tokens, paced
from bench.processes import Meter
from bench.queueing import Habits, Making, Outcome, Population
from bench.report import Row, beside_limit, bounded, reported
from bench.servers import Servers
from bench.stress import READING, UNEVEN, WRITING, Seen, Stress
from bench.worlds import ready_world
from sampling.models import Endpoint
from tests.annotation import talking
from tests.factories import World

PEOPLE, PROMPTS = 200, 20
ARRIVING = 30.0  # seconds: as long as a turn, so that they do not act in step
SECONDS, BRIEFLY = 180.0, 40.0
TURNS = (3, 4)
SEATS = 400
SETTLING = 2.0  # seconds
SIMULATED = 20  # times


def measure(servers: Servers) -> Iterator[Row]:
    yield from at_work(servers, seconds=SECONDS)


def measure_briefly(servers: Servers) -> Iterator[Row]:
    yield from at_work(servers, seconds=BRIEFLY)


def at_work(servers: Servers, *, seconds: float) -> Iterator[Row]:
    world = ready_world(prompts=PROMPTS, turns={"min": TURNS[0], "max": TURNS[1]})
    people = [talking.joined(world) for _ in range(PEOPLE)]
    with (
        paced() as endpoint,
        servers.worker(known(endpoint, WORKER_STREAMS="400")) as worker,
        servers.web() as (web, address),
        Stress(address).running() as stress,
    ):
        serve(world, endpoint.base_url)
        stress.come(people, arriving=ARRIVING)
        time.sleep(ARRIVING + SETTLING)
        stress.seen.forget()
        pids = [web.child.pid, worker.child.pid, servers.postgres.child.pid]
        with Meter(pids).running() as meter:
            begun = time.time()
            time.sleep(seconds)
            ended = time.time()
        seen = stress.seen.so_far()  # first, so that the log has all that they waited for
        yield from figures(seen, endpoint.log(), seconds=ended - begun)
        yield from beside_simulation(seen, seconds=ended - begun)
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


def beside_simulation(seen: Seen, *, seconds: float) -> Iterator[Row]:
    """What they met beside what the simulation of such people says, many times over."""
    expected = [simulated(seed, seconds) for seed in range(SIMULATED)]
    waits = [until - asked for asked, until in seen.waits.values()]
    for name, unit, ours, theirs in (
        ("sets", "sets/s", len(waits) / seconds, [one.asked / seconds for one in expected]),
        (
            "choices",
            "1/s",
            seen.comparisons / seconds,
            [one.comparisons / seconds for one in expected],
        ),
        ("wait, median", "s", median(waits), [one.median for one in expected]),
        ("wait, p95", "s", p95(waits), [one.p95 for one in expected]),
    ):
        yield beside_limit(
            row=f"200 / simulated, {name}",
            unit=unit,
            ours=[ours],
            limits=[mean(theirs)],
            at_least=0.87,
            at_most=1.15,
        )


def simulated(seed: int, seconds: float) -> Outcome:
    """The same people, come in the same way: what they do in as many seconds."""
    habits = Habits(
        reading=READING,
        writing=WRITING,
        uneven=UNEVEN,
        turns=TURNS,
        prefetched=1.0,
        sharing=math.inf,
        arriving=ARRIVING,
    )
    making = Making(plan_tokens=0, answer_tokens=TOKENS, spread=0)
    crowd = Population(people=PEOPLE, seats=SEATS, habits=habits, making=making, seed=seed)
    return crowd.run(warm_up=ARRIVING + SETTLING, seconds=seconds)


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
