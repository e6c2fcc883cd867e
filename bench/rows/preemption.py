"""People first: waits beside a long queue of sets made ahead, and what putting those back costs.

64 seats; people ask for 1.5 sets a second by a Poisson process, the same arrivals in each round.
Rounds alternate: nothing but people, and people while 5,000 sets wait to be made ahead. A round
of each takes two minutes, so this row is only run by its name.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from uuid import UUID

from django.db.models.functions import Now

from bench.generation import (
    SPEED,
    ask,
    known,
    make_plan,
    must_be_ready,
    paced,
    waits_met,
)
from bench.queueing import poisson
from bench.report import Row, beside_limit, bounded, reported
from bench.servers import Servers
from sampling.attempts import PREEMPTED
from sampling.models import CandidateSet, Plan
from sampling.simulated.running import Endpoint

SEATS, RATE, SECONDS = 64, 1.5, 60.0  # streams; sets a second; seconds
QUEUE, SPARE = 5000, 250  # sets to be made ahead, and those that a round may use up
BATCH = 250  # sets asked for in one transaction
ROUNDS = 5
SEED = 4
PERIOD = 0.5  # seconds
State, Priority = CandidateSet.State, CandidateSet.Priority


def measure(servers: Servers) -> Iterator[Row]:
    with paced() as endpoint, servers.worker(known(endpoint)):
        plan = make_plan(endpoint, seats=SEATS)
        must_be_ready(ask(plan, 4))
        queue = Queue(plan)
        alone, beside = [], []
        work = Work()
        for number in range(ROUNDS):
            dice = random.Random(SEED + number)
            arrivals = list(poisson(RATE, seconds=SECONDS, dice=dice))
            alone.append(p95_wait(plan, arrivals))
            before = latest_request(endpoint)
            with queue.waiting():
                beside.append(p95_wait(plan, arrivals))
            work.add(endpoint, after=before, put_back=queue.put_back())
    yield beside_limit(
        row="p95 wait, 5,000 sets ahead / none", unit="s", ours=beside, limits=alone, at_most=1.2
    )
    share = 100 * work.thrown / work.written
    yield bounded(row="tokens thrown away for people", figure=share, unit="%", at_most=5)
    busy = 100 * work.written / (ROUNDS * SECONDS * SEATS * SPEED)
    yield reported(row="tokens beside 5,000 sets, of all seats", figure=busy, unit="%")


def p95_wait(plan: Plan, arrivals: Sequence[float]) -> float:
    """Seconds within which 95 of 100 people had their answers."""
    return quantiles(waits_met(plan, arrivals), n=20)[-1]


class Queue:
    """Sets that nobody waits for: thousands in the queue, or none."""

    def __init__(self, plan: Plan) -> None:
        for _ in range(0, QUEUE + ROUNDS * SPARE, BATCH):
            ask(plan, BATCH, priority=Priority.PREFETCH)
        self._sets = CandidateSet.objects.filter(plan=plan, priority=Priority.PREFETCH)
        self._put_off()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        self._sets.filter(state=State.PENDING).update(not_before=Now())
        try:
            yield
        finally:
            self._put_off()

    def put_back(self) -> set[tuple[UUID, int]]:
        """Every set with an attempt that gave way to people, so far."""
        gave_way = self._sets.filter(attempt_log__contains=[{"outcome": PREEMPTED}])
        return {
            (set_id, tried["attempt"])
            for set_id, attempts in gave_way.values_list("pk", "attempt_log")
            for tried in attempts
            if tried["outcome"] == PREEMPTED
        }

    def _put_off(self) -> None:
        """Not before tomorrow; what is being made is waited for."""
        while (
            pending := self._sets.filter(state=State.PENDING, not_before__lte=Now())
        ).exists() or (self._sets.filter(state=State.GENERATING).exists()):
            pending.update(not_before=Now() + timedelta(days=1))
            time.sleep(PERIOD)


@dataclass
class Work:
    """Tokens that the endpoint wrote beside the queue, and those of attempts that gave way."""

    written: int = 0
    thrown: int = 0

    def add(self, endpoint: Endpoint, *, after: int, put_back: set[tuple[UUID, int]]) -> None:
        for entry in endpoint.log():
            if entry["number"] <= after:
                continue
            set_id, attempt, _ = entry["request_id"].split(".")
            self.written += entry["tokens"]
            if (UUID(set_id), int(attempt)) in put_back:
                self.thrown += entry["tokens"]


def latest_request(endpoint: Endpoint) -> int:
    """The number of the latest request that has begun."""
    return max((entry["number"] for entry in (*endpoint.log(), *endpoint.open())), default=0)
