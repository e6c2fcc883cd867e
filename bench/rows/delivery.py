"""From a set's last token at the endpoint to "ready" at a connected page.

Two worker processes and one web process with its hub; each set has a page that listens. First the
sets end evenly, then a hundred of them end at one moment.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median, quantiles
from uuid import UUID

from bench.generation import (
    ask,
    known,
    last_tokens,
    make_plan,
    must_be_ready,
    next_moment,
    paced,
    stored,
    unfinished,
    wait,
)
from bench.listening import Listeners
from bench.report import Row, bounded
from bench.servers import Servers
from sampling.models import CandidateSet, Plan
from sampling.simulated.running import Endpoint

RATE, WARM_UP, SECONDS = 24, 6.0, 24.0  # sets a second; seconds
BURST, TOGETHER = 100, 15.0
SEATS = 1200
SETTLE = 2.0  # seconds for the last events to arrive


def measure(servers: Servers) -> Iterator[Row]:
    with ExitStack() as opened:
        steady = opened.enter_context(paced())
        together = opened.enter_context(paced(together=TOGETHER))
        env = known(steady, together, WORKER_STREAMS="400")
        for number in range(2):
            opened.enter_context(servers.worker(env, threads=128, name=f"bench-{number}"))
        _, address = opened.enter_context(servers.web())
        listeners = opened.enter_context(Listeners(address).running())
        yield from evenly(steady, listeners)
        yield from at_once(together, listeners)


def evenly(endpoint: Endpoint, listeners: Listeners) -> Iterator[Row]:
    plan = make_plan(endpoint, seats=SEATS)
    begun = time.monotonic()
    sets: list[CandidateSet] = []
    while (passed := time.monotonic() - begun) < WARM_UP + SECONDS:
        if len(sets) < RATE * passed:
            sets += follow(listeners, plan, 1)
        else:
            time.sleep(0.002)
    wait(sets)
    time.sleep(SETTLE)
    yield bounded(
        row="delivery, sets not complete", figure=unfinished(sets), unit="sets", at_most=0
    )
    measured = {one.pk for one in stored(sets[int(RATE * WARM_UP) :]) if one.ready_at}
    late = lateness(listeners, last_tokens(endpoint.log()), measured)
    missing = len(measured) - len(late)
    yield bounded(row="delivery, pages not told", figure=missing, unit="pages", at_most=0)
    if len(late) > 1:
        yield bounded(row="delivery, p50", figure=1000 * median(late), unit="ms", at_most=150)
        p99 = 1000 * quantiles(late, n=100)[-1]
        yield bounded(row="delivery, p99", figure=p99, unit="ms", at_most=600)


def at_once(endpoint: Endpoint, listeners: Listeners) -> Iterator[Row]:
    plan = make_plan(endpoint, seats=SEATS)
    began = next_moment(TOGETHER)
    sets = follow(listeners, plan, BURST)
    must_be_ready(sets)
    time.sleep(SETTLE)
    ids = {one.pk for one in sets}
    ends = last_tokens(endpoint.log())
    if max(ends[one] for one in ids) > began + TOGETHER:
        raise RuntimeError(f"claiming {BURST} sets took longer than {TOGETHER:g} s")
    told = [listeners.ready.get(one, float("inf")) for one in ids]
    last = max(told) - min(ends[one] for one in ids)
    yield bounded(row=f"delivery, the last of {BURST} at once", figure=last, unit="s", at_most=2.5)


def follow(listeners: Listeners, plan: Plan, count: int) -> list[CandidateSet]:
    """Ask for sets, and open a page for each."""
    sets = ask(plan, count)
    for one in sets:
        listeners.follow(one.pk)
    return sets


def lateness(listeners: Listeners, ends: Mapping[UUID, float], sets: set[UUID]) -> list[float]:
    """Seconds from the last token to the page, of the sets whose page was told."""
    return [listeners.ready[one] - ends[one] for one in sets if one in listeners.ready]
