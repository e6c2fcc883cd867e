"""What a stream costs when two worker processes have 150 each, beside 150 in one.

From the first claim to the last stored row. A process takes no more than its 150 streams, so that
twice as many are split evenly.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from bench.generation import ask, known, make_plan, must_be_ready, paced
from bench.processes import cpu_seconds
from bench.report import Row, beside_limit
from bench.servers import Servers
from sampling.models import Plan
from sampling.simulated.running import Endpoint

ROUNDS, K = 5, 5
SETS = 30  # of a process
STREAMS = SETS * K


def measure(servers: Servers) -> Iterator[Row]:
    with paced() as endpoint:
        plan = make_plan(endpoint, seats=2 * STREAMS, k=K)
        one, two = [], []
        for _ in range(ROUNDS):
            one.append(cost(servers, endpoint, plan, processes=1))
            two.append(cost(servers, endpoint, plan, processes=2))
    yield beside_limit(
        row="CPU a stream, two processes / one", unit="ms", ours=two, limits=one, at_most=1.15
    )


def cost(servers: Servers, endpoint: Endpoint, plan: Plan, *, processes: int) -> float:
    """Milliseconds of CPU per stream in so many full worker processes, after a first full load."""
    env = known(endpoint, WORKER_STREAMS=str(STREAMS))
    with ExitStack() as opened:
        workers = [
            opened.enter_context(servers.worker(env, name=f"bench-{number}"))
            for number in range(processes)
        ]
        pids = [one.child.pid or 0 for one in workers]
        must_be_ready(ask(plan, processes * SETS))
        return 1000 * spent(pids, plan, processes * SETS) / (processes * STREAMS)


def spent(pids: Sequence[int], plan: Plan, count: int) -> float:
    before = cpu_seconds(pids)
    must_be_ready(ask(plan, count))
    return cpu_seconds(pids) - before
