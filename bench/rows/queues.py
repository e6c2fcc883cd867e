"""The simulation of bench.queueing held against a real run: the waits it predicts, and those met.

48 seats and people who ask at three quarters of what these can make, so that many have to wait for
a seat. What a set takes without waiting is measured first; the rest is predicted from the seats and
the same arrivals.
"""

import random
from collections.abc import Iterator, Sequence
from statistics import median, quantiles

from bench.generation import (
    ALONE,
    TOKENS,
    ask,
    known,
    make_plan,
    must_be_ready,
    paced,
    waits_met,
)
from bench.queueing import Making, poisson, predicted_waits
from bench.report import Row, beside_limit
from bench.servers import Servers

SEATS, K, SECONDS = 48, 4, 45.0
RATE = 0.75 * SEATS / K / ALONE  # sets a second
LONE = 3
SEED = 7


def measure(servers: Servers) -> Iterator[Row]:
    arrivals = list(poisson(RATE, seconds=SECONDS, dice=random.Random(SEED)))
    with paced() as endpoint, servers.worker(known(endpoint)):
        plan = make_plan(endpoint, seats=SEATS, k=K)
        must_be_ready(ask(plan, 2))
        lone = [waits_met(plan, [0.0])[0] for _ in range(LONE)]
        waits = waits_met(plan, arrivals)
    making = Making(
        k=K, plan_tokens=0, answer_tokens=TOKENS, spread=0, overhead=median(lone) - ALONE
    )
    expected = predicted_waits(arrivals, seats=SEATS, making=making, seed=SEED)
    for name, of in (("median", median), ("p95", p95)):
        yield beside_limit(
            row=f"waits for {SEATS} seats / predicted, {name}",
            unit="s",
            ours=[of(waits)],
            limits=[of(expected)],
            at_least=0.87,
            at_most=1.15,
        )


def p95(waits: Sequence[float]) -> float:
    return quantiles(waits, n=20)[-1]
