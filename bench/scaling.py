"""python -m bench.scaling: what so many people at once need, from a simulation and measured costs.

How many people can judge at once follows from how fast their answers are made: the simulation
(bench.queueing) finds the endpoints' seats, and with them how many sets, comparisons and waiting
pages there are at a time. What each of these costs our own parts was measured on two cores
(docs/scaling.md says when and how).
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.queueing import Habits, Making, seats_needed

SIZES = (1_000, 15_000, 100_000)
SIMULATED = 5_000  # people; more of them are so many times as much
SEED = 4


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Measured CPU, in milliseconds unless it says else."""

    web_comparison: float  # pages and submit of a comparison in the web process
    database_comparison: float  # the same in PostgreSQL
    web_look: float  # a waiting page fetches its fragment
    looks_a_set: float  # how often it does, in the wait of one set
    hub_note: float  # a note that a web process takes from the channel
    valkey_note: float  # a note that Valkey takes,
    valkey_delivery: float  # and gives to each web process
    notes_a_set: float
    worker_stream_second: float  # reading one stream for a second
    worker_set: float  # claiming, judging, storing
    database_set: float
    claim: float  # in worker and database; claims come one after the other

    worker_streams: int = 300  # streams of one process (settings.WORKER_STREAMS)


# Mostly short runs on two cores at which others were at work too: to be measured anew where it
# counts. CPU in ms; the names are rows of `make bench`, and docs/scaling.md says more.
MEASURED = Costs(
    web_comparison=16.7,  # comparison (22.7 with messages, of web and database)
    database_comparison=6.0,
    web_look=10.3,  # waiting
    looks_a_set=5.0,  # one when it opens, one for each note
    hub_note=0.011,
    valkey_note=0.013,
    valkey_delivery=0.0015,
    notes_a_set=4.0,
    worker_stream_second=1.0,  # full
    worker_set=53.0,  # 70 for a whole set, less the streaming
    database_set=51.0,
    claim=7.7,  # 2.9 in the worker, 4.8 in the database; waiting comes on top
)


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one part needs. `whole` is how much one of it can take, in the same unit."""

    part: str
    figure: float
    whole: float
    unit: str
    more: str  # what to do when one is not enough

    @property
    def load(self) -> float:
        return self.figure / self.whole


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many people at once, and all that follows from it, per second."""

    people: int
    replicas: int
    comparisons: float
    sets: float
    streams: float
    waiting: float
    p95: float
    median: float

    @classmethod
    def of(cls, people: int, *, habits: Habits, making: Making, replica: int) -> "Size":
        """Simulated; a larger crowd as so many times the largest that is simulated."""
        simulated = min(people, SIMULATED)
        times = people / simulated
        replicas, seen = seats_needed(
            people=simulated, habits=habits, making=making, replica=replica, seed=SEED
        )
        return cls(
            people=people,
            replicas=round(times * replicas),
            comparisons=times * seen.comparisons / seen.seconds,
            sets=times * seen.sets_a_second,
            streams=times * seen.busy * replicas * replica,
            waiting=times * seen.most_waiting,
            p95=seen.p95,
            median=seen.median,
        )


def needs(size: Size, costs: Costs, *, replica: int) -> list[Need]:
    """What each part needs, the fullest first; a core is 1,000 ms of CPU a second."""
    web = (
        size.comparisons * costs.web_comparison + size.sets * costs.looks_a_set * costs.web_look
    ) / 1000
    notes = size.sets * costs.notes_a_set
    workers = (size.streams * costs.worker_stream_second + size.sets * costs.worker_set) / 1000
    database = (
        size.comparisons * costs.database_comparison + size.sets * costs.database_set
    ) / 1000
    found = [
        Need(
            part="GPU replicas",
            figure=size.streams,
            whole=replica,
            unit="streams",
            more="another replica; nothing of ours changes",
        ),
        Need(
            part="Valkey",
            figure=notes * (costs.valkey_note + math.ceil(web) * costs.valkey_delivery) / 1000,
            whole=1,
            unit="cores",
            more="channels by set id, on several servers",
        ),
        Need(part="web", figure=web, whole=1, unit="cores", more="another web process"),
        Need(
            part="hub of each web process",
            figure=notes * costs.hub_note / 1000,
            whole=1,
            unit="cores",
            more="channels by set id, of which a process takes those of its pages",
        ),
        Need(part="workers, CPU", figure=workers, whole=1, unit="cores", more="another worker"),
        Need(
            part="workers, streams",
            figure=size.streams,
            whole=costs.worker_streams,
            unit="streams",
            more="another worker",
        ),
        Need(
            part="claims (one at a time)",
            figure=size.sets,
            whole=1000 / costs.claim,
            unit="sets/s",
            more="lock only the endpoints of the studies that a worker serves",
        ),
        Need(
            part="PostgreSQL",
            figure=database,
            whole=1,
            unit="cores",
            more="cores; then one database for each group of studies",
        ),
    ]
    return sorted(found, key=lambda need: need.load, reverse=True)


def lines(size: Size, costs: Costs, *, replica: int) -> Iterator[str]:
    """The size as people read it."""
    yield (
        f"{size.people:,} people at once: {size.comparisons:.0f} comparisons/s, "
        f"{size.sets:.0f} sets/s, {size.streams:.0f} streams, {size.waiting:.0f} waiting pages; "
        f"wait {size.median:.1f} s, p95 {size.p95:.1f} s; {size.replicas} replicas"
    )
    for need in needs(size, costs, replica=replica):
        yield (
            f"  {need.part:<26} {need.figure:>10.2f} {need.unit:<8}"
            f" of {need.whole:>7.2f}   {need.load:>7.2f} x   {need.more}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--people", type=int, nargs="*", default=SIZES)
    parser.add_argument("--seats", type=int, default=64, help="streams that one replica serves")
    parser.add_argument("--speed", type=float, default=40.0, help="tokens a second of each stream")
    parser.add_argument("--prefetched", type=float, default=0.9, help="share of first turns")
    given = parser.parse_args(arguments)
    habits = Habits(prefetched=given.prefetched)
    making = replace(Making(), speed=given.speed)
    for people in given.people:
        size = Size.of(people, habits=habits, making=making, replica=given.seats)
        print("\n".join(lines(size, MEASURED, replica=given.seats)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
