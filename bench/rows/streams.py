"""100 streams at once in one worker process, through Celery to stored rows."""

import time
from collections.abc import Iterator

from bench.generation import ask, known, make_plan, must_be_ready, paced, unfinished, wait
from bench.processes import Meter
from bench.report import Row, bounded
from bench.servers import Servers

SETS, K = 25, 4


def measure(servers: Servers) -> Iterator[Row]:
    with paced() as endpoint, servers.worker(known(endpoint)) as worker:
        plan = make_plan(endpoint, seats=SETS * K)
        must_be_ready(ask(plan, 1))  # imports and connections are not measured
        with Meter([worker.child.pid]).running() as meter:
            begun = time.time()
            sets = ask(plan, SETS)
            wait(sets)
            ended = time.time()
    yield bounded(row="streams, sets not complete", figure=unfinished(sets), unit="sets", at_most=0)
    cores = meter.cores(begun, ended)
    what = f"streams, worker ({ended - begun:.0f} s)"
    yield bounded(row=what, figure=cores, unit="cores", at_most=0.4)
    yield bounded(row="streams, worker memory", figure=meter.peak_mb, unit="MB", at_most=200)
