"""How long a set takes by each strategy, beside one answer of the same endpoint read by itself.

In every round all of them run side by side on a worker with room for all, so that they meet the
same moments of the machine. The plan of `nc_planned` takes as long as 60 tokens at one endpoint,
and as 120 at another.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench.generation import ask, known, lone_stream, make_plan, must_be_ready, paced
from bench.generation import seconds_to_ready as until_ready
from bench.report import Row, beside_limit
from bench.servers import Servers
from sampling.models import Plan
from sampling.simulated.running import Endpoint
from sampling.strategies import REGISTRY

ROUNDS, SEATS = 5, 64
PLAN_TOKENS = (60, 120)
# Strategy and tokens of its plan: how many times an answer's time a set may take.
REACHES: dict[tuple[str, int], float | None] = {
    ("independent", 60): 1.1,
    ("nc_planned", 60): 1.5,
    ("nc_planned", 120): None,
    ("nc_single", 60): None,
}


def measure(servers: Servers) -> Iterator[Row]:
    with ExitStack() as opened:
        endpoints = {
            tokens: opened.enter_context(paced(schema_tokens=tokens)) for tokens in PLAN_TOKENS
        }
        opened.enter_context(servers.worker(known(*endpoints.values())))
        plans = {
            (strategy, tokens): make_plan(endpoints[tokens], seats=SEATS, strategy=strategy)
            for strategy, tokens in REACHES
            if strategy in REGISTRY
        }
        compare(plans, endpoints[60])  # imports and connections are not measured
        rounds = [compare(plans, endpoints[60]) for _ in range(ROUNDS)]
    for way in plans:
        yield beside_limit(
            row=f"set by {name(*way)}",
            unit="s",
            ours=[of_plans[way] for of_plans, _ in rounds],
            limits=[alone for _, alone in rounds],
            at_most=REACHES[way],
        )


def compare(
    plans: dict[tuple[str, int], Plan], endpoint: Endpoint
) -> tuple[dict[tuple[str, int], float], float]:
    """Seconds to a ready set of each plan, and to one whole answer, all begun at one moment."""
    with ThreadPoolExecutor(1) as thread:
        alone = thread.submit(lone_stream, endpoint)
        sets = {way: ask(plan, 1) for way, plan in plans.items()}
        must_be_ready([made for asked in sets.values() for made in asked])
        return {way: until_ready(asked[0]) for way, asked in sets.items()}, alone.result()


def name(strategy: str, plan_tokens: int) -> str:
    planned = f", plan of {plan_tokens} tokens" if strategy == "nc_planned" else ""
    return f"{strategy}{planned} / one answer"
