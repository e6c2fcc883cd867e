"""400 streams at once in one worker process: while they run, and what each set costs when it ends.

The endpoint lets all answers begin at one moment, when the sets are claimed, so that streaming and
storing do not overlap and each can be measured by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.generation import (
    ALONE,
    FIRST_TOKEN,
    ask,
    known,
    make_plan,
    must_be_ready,
    next_moment,
    paced,
    stored,
    streams_of,
)
from bench.processes import Meter
from bench.report import Row, bounded, reported
from bench.servers import Servers
from sampling.models import CandidateSet, Plan

SETS, K = 100, 4
STREAMS = SETS * K
TOGETHER = 15.0  # seconds between the moments at which answers begin
MARGIN = 0.1  # seconds
SETTLE = 0.5  # seconds after the last row is there, in which it is published


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Sets whose answers began at one moment. Times are seconds since 1970."""

    asked: float
    began: float
    last_token: float
    ready: float

    @property
    def seconds(self) -> float:
        """Until the last token of the last stream was read."""
        return self.last_token - self.began


def measure(servers: Servers) -> Iterator[Row]:
    limits = {"WORKER_STREAMS": str(STREAMS)}
    with (
        paced(together=TOGETHER) as endpoint,
        servers.worker(known(endpoint, **limits), threads=SETS + 28) as worker,
    ):
        plan = make_plan(endpoint, seats=STREAMS)
        lone = make(plan, 1)
        with Meter([worker.child.pid]).running() as meter:
            batch = make(plan, SETS)
    late = batch.seconds / lone.seconds
    yield bounded(row="400 streams, last token", figure=late, unit="x alone", at_most=1.1)
    yield from costs(meter, batch)


def costs(meter: Meter, batch: Batch) -> Iterator[Row]:
    ends = batch.began + ALONE
    cores = meter.cores(batch.began + FIRST_TOKEN + MARGIN, ends - MARGIN)
    yield bounded(row="400 streams, while they run", figure=cores, unit="cores", at_most=0.7)
    yield bounded(row="400 streams, memory", figure=meter.peak_mb, unit="MB", at_most=250)
    after = 1000 * meter.cpu(ends - MARGIN, batch.ready + SETTLE) / SETS
    yield bounded(row="400 streams, CPU a set afterwards", figure=after, unit="ms", at_most=15)
    before = 1000 * meter.cpu(batch.asked, batch.began) / SETS
    yield reported(row="400 streams, CPU a set beforehand", figure=before, unit="ms")


def make(plan: Plan, count: int) -> Batch:
    """Ask for sets, all to begin at the next moment. Raises RuntimeError when one came too late."""
    began = next_moment(TOGETHER)
    sets = ask(plan, count)
    must_be_ready(sets)
    begun, ended = zip(*streams_of(sets), strict=True)
    if max(begun) > began:
        raise RuntimeError(f"claiming {count} sets took longer than {TOGETHER:g} s")
    asked = min(one.requested_at.timestamp() for one in sets)
    return Batch(asked=asked, began=began, last_token=max(ended), ready=last_ready(sets))


def last_ready(sets: Sequence[CandidateSet]) -> float:
    return max(one.ready_at.timestamp() for one in stored(sets) if one.ready_at)
